/** What the manifest leaves out is refused before the provider is asked, also where it could do it. */
import { expect } from 'chai';
import { connectPair } from '../src/connect-pair.ts';
import { QpState, QpType } from '../src/enums/qp.ts';
import { errorOf, openFake } from './support/fake-provider.ts';

describe('a capability that the manifest leaves out', () => {
  it('completionEvents: no channel', () => {
    const { context } = openFake({ lacks: ['completionEvents'] });
    const { code, verb, hint } = errorOf(() => context.createCompChannel());
    expect([code, verb]).to.deep.equal(['EOPNOTSUPP', 'ibv_create_comp_channel']);
    expect(hint).not.to.equal('');
  });

  it('asyncEvents: none to wait for', () => {
    const { context } = openFake({ lacks: ['asyncEvents'] });
    for (const take of [() => context.tryGetAsyncEvent(), () => context.getAsyncEvent()]) {
      const { code, verb, hint } = errorOf(take);
      expect([code, verb]).to.deep.equal(['EOPNOTSUPP', 'ibv_get_async_event']);
      expect(hint).not.to.equal('');
    }
  });

  it('a provider with XRC and without openings of its queue pairs', () => {
    const { context, ops } = openFake({ supports: ['xrc'] });
    Object.assign(ops, { openXrcd: () => 77, closeXrcd: () => undefined });
    const { code, verb, hint } = errorOf(() => context.openXrcd().openQp({ qpNum: 1 }));
    expect([code, verb]).to.deep.equal(['EOPNOTSUPP', 'ibv_open_qp']);
    expect(hint).not.to.equal('');
  });

  it('sqDrain: no way to SQD, and the provider hears nothing of it', () => {
    const { context, ops } = openFake({ lacks: ['sqDrain'] });
    const cq = context.createCq({ cqe: 4 });
    const qp = context.allocPd().createQp({ sendCq: cq, recvCq: cq, qpType: QpType.RC, cap: { maxSendWr: 1 } });
    connectPair(qp, qp);
    const calls = ops.calls.length;
    const { code, verb, details } = errorOf(() => {
      qp.modify({ qpState: QpState.SQD });
    });
    expect([code, verb, details]).to.deep.equal(['EOPNOTSUPP', 'ibv_modify_qp', { capability: 'sqDrain' }]);
    expect([qp.state, ops.calls.length]).to.deep.equal([QpState.RTS, calls]);
  });
});
