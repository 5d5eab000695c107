import { expect } from 'chai';
import { AccessFlags } from '../src/enums/access-flags.ts';
import { QpState, QpType } from '../src/enums/qp.ts';
import type { QueuePair } from '../src/queue-pair.ts';
import { openConnected } from './support/connected.ts';
import { openFake } from './support/fake-provider.ts';

describe('qp.endpoint and its helpers', () => {
  it('connect over JSON', () => {
    const { a, b, context, ops } = openConnected();
    for (const qp of [a, b]) qp.modify({ qpState: QpState.RESET });
    const remote = JSON.parse(JSON.stringify(b.endpoint())) as ReturnType<QueuePair['endpoint']>;
    expect(remote).to.include({ qpNum: b.qpNum, lid: 0, mtu: 3, port: 1, gidIndex: 1 });
    expect(remote.gid).to.equal(String(context.queryGid(1, 1)));
    a.toInit();
    a.toRtr(remote, { minRnrTimer: 20 });
    expect(ops.lastModify?.attr).to.include({
      rqPsn: remote.psn,
      destQpNum: b.qpNum,
      minRnrTimer: 20,
      maxDestRdAtomic: 8,
    });
    a.toRts(undefined, { timeout: 18 });
    expect(ops.lastModify?.attr).to.include({ sqPsn: a.endpoint().psn, timeout: 18, retryCnt: 7, maxRdAtomic: 4 });
  });

  it('go all the way when they know the peer', () => {
    const { a, b } = openConnected();
    a.modify({ qpState: QpState.RESET });
    a.toRts(b.endpoint());
    expect(a.state).to.equal(QpState.RTS);
  });

  it('give every QP a sequence number of its own, and always the same one', () => {
    const { a, b } = openConnected();
    expect(a.endpoint().psn).to.equal(a.endpoint().psn);
    expect(a.endpoint().psn).not.to.equal(b.endpoint().psn);
    expect(a.endpoint().psn).to.be.within(0, 0xffffff);
  });

  it('take another port and another address', () => {
    const { context, ops } = openFake();
    const cq = context.createCq({ cqe: 16 });
    const cap = { maxSendWr: 4, maxRecvWr: 4 };
    const qp = context.allocPd().createQp({ sendCq: cq, recvCq: cq, cap, qpType: QpType.RC });
    qp.toInit({ port: 2, pkeyIndex: 1, accessFlags: AccessFlags.REMOTE_READ });
    expect(ops.lastModify?.attr).to.include({ portNum: 2, pkeyIndex: 1, qpAccessFlags: 4 });
    const endpoint = qp.endpoint({ gidIndex: 0 });
    expect(endpoint).to.include({ port: 2, gidIndex: 0 });
    qp.toRtr({ ...endpoint, mtu: 1 });
    expect(ops.lastModify?.attr.pathMtu).to.equal(1);
    expect(ops.lastModify?.attr.ahAttr?.grh?.sgidIndex).to.equal(0);
    expect(ops.lastModify?.attr.ahAttr?.portNum).to.equal(2);
  });

  it('suit UC and UD', () => {
    for (const qpType of [QpType.UC, QpType.UD]) {
      const { a, b } = openConnected({ qpType });
      expect([a.state, b.state]).to.deep.equal([QpState.RTS, QpState.RTS]);
    }
  });
});
