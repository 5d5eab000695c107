import { expect } from 'chai';
import type { QpAttrInit } from '../src/attributes/qp.ts';
import { QpAttrMask, QpState, QpType } from '../src/enums/qp.ts';
import { Gid } from '../src/gid.ts';
import { maskOfQpAttr, namesOfQpAttrMask, QP_ATTR_RULES } from '../src/qp-attr-rules.ts';
import type { QueuePair } from '../src/queue-pair.ts';
import { errorOf, type Fake, openFake } from './support/fake-provider.ts';
import { setQpState } from './support/fake-rings.ts';

const INIT: QpAttrInit = { qpState: QpState.INIT, portNum: 2, pkeyIndex: 1, qpAccessFlags: 3 };
const RTR: QpAttrInit = {
  qpState: QpState.RTR,
  pathMtu: 3,
  destQpNum: 5,
  rqPsn: 6,
  maxDestRdAtomic: 8,
  minRnrTimer: 12,
  ahAttr: { grh: { dgid: 'fe80::2', sgidIndex: 1 } },
};
const RTS: QpAttrInit = {
  qpState: QpState.RTS,
  timeout: 14,
  retryCnt: 7,
  rnrRetry: 7,
  sqPsn: 0xffffff,
  maxRdAtomic: 4,
};

function makeQp(qpType: QpType = QpType.RC): Fake & { readonly qp: QueuePair } {
  const fake = openFake();
  const cq = fake.context.createCq({ cqe: 16 });
  const qp = fake.context.allocPd().createQp({ sendCq: cq, recvCq: cq, cap: { maxSendWr: 4, maxRecvWr: 4 }, qpType });
  return { ...fake, qp };
}

describe('qp.modify', () => {
  it('goes from RESET to RTS', () => {
    const { qp, ops } = makeQp();
    expect(qp.state).to.equal(QpState.RESET);
    for (const attr of [INIT, RTR, RTS]) {
      qp.modify(attr);
      expect(qp.state).to.equal(attr.qpState);
      expect(ops.lastModify?.mask).to.equal(maskOfQpAttr(attr));
    }
    expect(qp.portNum).to.equal(2);
  });

  it('hands complete address vectors to the provider', () => {
    const { qp, ops } = makeQp();
    qp.modify(INIT);
    qp.modify(RTR);
    expect(ops.lastModify?.attr.ahAttr).to.deep.equal({
      grh: { dgid: Gid.parse('fe80::2'), flowLabel: 0, sgidIndex: 1, hopLimit: 64, trafficClass: 0 },
      dlid: 0,
      sl: 0,
      srcPathBits: 0,
      staticRate: 0,
      isGlobal: true,
      portNum: 2,
    });
  });

  it('names what is missing', () => {
    const { qp } = makeQp();
    qp.modify(INIT);
    const error = errorOf(() => qp.modify({ qpState: QpState.RTR, pathMtu: 3, rqPsn: 1 }));
    expect(error).to.include({ code: 'EINVAL', verb: 'ibv_modify_qp' });
    expect(error.details).to.deep.equal({
      from: 'INIT',
      to: 'RTR',
      missing: ['ahAttr', 'minRnrTimer', 'maxDestRdAtomic', 'destQpNum'],
      superfluous: [],
      invalid: [],
    });
    expect(error.message).to.equal(
      `ibv_modify_qp: ${qp.label} (RC) from INIT to RTR needs ahAttr, minRnrTimer, maxDestRdAtomic, destQpNum`,
    );
  });

  it('names what is superfluous', () => {
    const { qp } = makeQp();
    const error = errorOf(() => qp.modify({ ...INIT, qkey: 7, timeout: 14, portNum: undefined as never }));
    expect(error.details).to.deep.include({ missing: ['portNum'], superfluous: ['qkey', 'timeout'] });
    expect(error.message).to.contain("needs portNum and can't take qkey, timeout");
  });

  it('names transitions that there are, for one that there is not', () => {
    const { qp } = makeQp();
    const error = errorOf(() => qp.modify({ qpState: QpState.RTS }));
    expect(error.message).to.contain('(RC) from RESET to RTS is not a transition');
    expect(error.hint).to.equal('from RESET it goes to RESET, INIT');
    expect(error.details).to.deep.include({ from: 'RESET', to: 'RTS' });
  });

  it('says which bits of a mask are none', () => {
    const { qp } = makeQp();
    for (const attr of [INIT, {}]) {
      const error = errorOf(() => qp.modify(attr, QpAttrMask.STATE | (1 << 29)));
      expect(error).to.include({ code: 'EINVAL', verb: 'ibv_modify_qp' });
      expect(error.message).to.equal('ibv_modify_qp: mask has bits that mean nothing: 0x20000000');
      expect(error.hint).to.contain('known bits are STATE | ');
    }
  });

  it('refuses names that are no attributes', () => {
    const { qp } = makeQp();
    const error = errorOf(() => qp.modify({ ...INIT, destQPNum: 7 } as QpAttrInit));
    expect(error.message).to.contain("attr has no key 'destQPNum'; did you mean 'destQpNum'?");
    expect(error.details).to.deep.include({ invalid: ['destQPNum'], nearest: 'destQpNum' });
  });

  it('stays in its state when none is given', () => {
    const { qp } = makeQp();
    qp.modify(INIT);
    qp.modify({ pkeyIndex: 0 });
    expect(qp.state).to.equal(QpState.INIT);
    expect(errorOf(() => qp.modify({ sqPsn: 0 })).details).to.deep.include({ from: 'INIT', to: 'INIT' });
  });

  it('believes curQpState, where the table allows it', () => {
    const { qp, ops } = openedAs(QpState.SQE);
    qp.modify({ qpState: QpState.RTS, curQpState: QpState.RTS });
    expect(ops.lastModify?.mask).to.equal(QpAttrMask.STATE | QpAttrMask.CUR_STATE);
    const { qp: fresh } = makeQp();
    expect(errorOf(() => fresh.modify({ ...INIT, curQpState: QpState.RESET })).details).to.deep.include({
      superfluous: ['curQpState'],
    });
  });

  it('takes what a mask of the caller names, and no more', () => {
    const { qp, ops } = makeQp();
    const { STATE, PORT, PKEY_INDEX, ACCESS_FLAGS } = QpAttrMask;
    qp.modify({ ...INIT, ...RTS, qpState: QpState.INIT }, STATE | PORT | PKEY_INDEX | ACCESS_FLAGS);
    expect(ops.lastModify?.attr).to.have.all.keys('qpState', 'portNum', 'pkeyIndex', 'qpAccessFlags');
    const error = errorOf(() => qp.modify({ qpState: QpState.INIT }, STATE | PKEY_INDEX));
    expect(error.details).to.deep.include({ missing: ['pkeyIndex'] });
  });

  it('wants an alternate path whole', () => {
    const { qp } = openedAs(QpState.RTS);
    const altAhAttr = { grh: { dgid: 'fe80::3' } };
    const error = errorOf(() => qp.modify({ altAhAttr }));
    expect(error.details).to.deep.include({ missing: ['altPortNum', 'altPkeyIndex', 'altTimeout'] });
    qp.modify({ altAhAttr, altPortNum: 2, altPkeyIndex: 0, altTimeout: 14 });
  });

  it('knows the state that the device went to by itself', () => {
    const { qp, ops } = openedAs(QpState.RTS);
    setQpState(ops.qps.get(qp.handle)!.rings, QpState.ERR);
    expect(qp.state).to.equal(QpState.ERR);
    expect(errorOf(() => qp.modify({ qpState: QpState.SQD })).details).to.deep.include({ from: 'ERR', to: 'SQD' });
    expect(qp.query().attr.qpState).to.equal(QpState.ERR);
    qp.modify({ qpState: QpState.RESET });
    expect(qp.state).to.equal(QpState.RESET);
  });

  it('takes a UD QP through its states', () => {
    const { qp } = makeQp(QpType.UD);
    qp.modify({ qpState: QpState.INIT, portNum: 1, pkeyIndex: 0, qkey: 0xffffffff });
    qp.modify({ qpState: QpState.RTR });
    qp.modify({ qpState: QpState.RTS, sqPsn: 0 });
    expect(qp.state).to.equal(QpState.RTS);
  });
});

function openedAs(state: QpState): Fake & { readonly qp: QueuePair } {
  const made = makeQp();
  for (const attr of [INIT, RTR, RTS]) made.qp.modify(attr);
  setQpState(made.ops.qps.get(made.qp.handle)!.rings, state);
  return made;
}

describe('values of attributes', () => {
  /** For each attribute, in a modify that takes it, values that are refused, and what the error says of the limit. */
  const grh = { dgid: 'fe80::1' };
  const rows: [QpState, QpAttrInit, string][] = [
    [QpState.RESET, { portNum: 3 }, '1 to 2 (ports of the device)'],
    [QpState.RESET, { pkeyIndex: 2 }, '0 to 1 (pkeyTblLen of port 2)'],
    [QpState.RESET, { qpAccessFlags: 1 << 30 }, 'bits that mean nothing: 0x40000000'],
    [QpState.INIT, { pathMtu: 4 }, 'pathMtu is 2048 bytes; the limit is 1024, activeMtu of port 2'],
    [QpState.INIT, { pathMtu: 0 as never }, '1 to 5 (an Mtu)'],
    [QpState.INIT, { destQpNum: 2 ** 24 }, '0 to 16777215 (24 bits)'],
    [QpState.INIT, { rqPsn: -1 }, '24 bits'],
    [QpState.INIT, { maxDestRdAtomic: 9 }, '0 to 8 (maxQpRdAtom of the device)'],
    [QpState.INIT, { minRnrTimer: 32 }, '0 to 31 (5 bits)'],
    [QpState.INIT, { ahAttr: {} }, 'ahAttr has no global route, and port 2 is Ethernet'],
    [QpState.INIT, { ahAttr: { isGlobal: true } }, 'ahAttr.isGlobal is set without ahAttr.grh'],
    [QpState.INIT, { ahAttr: { grh, portNum: 0 } }, 'ahAttr.portNum is 0; the limit is 1 to 2'],
    [QpState.INIT, { ahAttr: { grh, dlid: 65536 } }, 'ahAttr.dlid is 65536'],
    [QpState.INIT, { ahAttr: { grh, sl: 16 } }, '4 bits'],
    [QpState.INIT, { ahAttr: { grh, srcPathBits: 128 } }, '7 bits'],
    [QpState.INIT, { ahAttr: { grh, staticRate: 256 } }, '8 bits'],
    [QpState.INIT, { ahAttr: { grh: { ...grh, sgidIndex: 2 } } }, 'ahAttr.grh.sgidIndex is 2; the limit is 0 to 1'],
    [QpState.INIT, { ahAttr: { grh: { ...grh, flowLabel: 2 ** 20 } } }, '20 bits'],
    [QpState.INIT, { ahAttr: { grh: { ...grh, hopLimit: 256 } } }, 'hopLimit'],
    [QpState.INIT, { ahAttr: { grh: { ...grh, trafficClass: 256 } } }, 'trafficClass'],
    [QpState.INIT, { ahAttr: { grh: { dgid: 5 as never } } }, 'dgid is 5, not a GID'],
    [QpState.RTR, { timeout: 32 }, '5 bits'],
    [QpState.RTR, { retryCnt: 8 }, '3 bits'],
    [QpState.RTR, { rnrRetry: 8 }, '3 bits'],
    [QpState.RTR, { sqPsn: 0.5 }, '24 bits'],
    [QpState.RTR, { maxRdAtomic: 5 }, '0 to 4 (maxQpInitRdAtom of the device)'],
    [QpState.RTS, { qpState: 7 }, 'from RTS to UNKNOWN is not a transition'],
    [QpState.RTS, { pathMigState: 3 as never }, 'a MigState'],
    [QpState.RTS, { minRnrTimer: '12' as never }, 'minRnrTimer is "12"'],
  ];
  const steps: [QpState, QpAttrInit][] = [
    [QpState.RESET, INIT],
    [QpState.INIT, RTR],
    [QpState.RTR, RTS],
    [QpState.RTS, {}],
  ];

  for (const [state, wrong, text] of rows) {
    it(`refuses ${JSON.stringify(wrong)}`, () => {
      const { qp } = makeQp();
      for (const [from, attr] of steps) {
        if (from !== state) {
          qp.modify(attr);
          continue;
        }
        const error = errorOf(() => qp.modify({ ...attr, ...wrong }));
        expect(error.message).to.contain(text);
        expect(error).to.include({ code: 'EINVAL', verb: 'ibv_modify_qp' });
        if ('qpState' in wrong) return;
        expect(error.details).to.deep.include({ invalid: Object.keys(wrong), missing: [], superfluous: [] });
        return;
      }
    });
  }

  it('checks what only other devices can modify', () => {
    const { context } = openFake();
    const scope = { verb: 'ibv_modify_qp', context, portNum: 1, altPortNum: 1 };
    const check = (key: string, value: unknown): unknown =>
      QP_ATTR_RULES.find((rule) => rule.key === key)!.check(scope, key, value as never);
    expect(errorOf(() => check('cap', { maxSendWr: 257 })).message).to.contain('0 to 256 (maxQpWr of the device)');
    expect(check('cap', { maxSendWr: 256 })).to.include({ maxSendWr: 256, maxSendSge: 1 });
    expect(errorOf(() => check('enSqdAsyncNotify', 1)).message).to.contain('not a boolean');
    expect(errorOf(() => check('rateLimit', -1)).message).to.contain('kb/s');
    expect(errorOf(() => check('qkey', 2 ** 32)).message).to.contain('32 bits');
  });

  it('has one rule for each attribute and a name for each bit', () => {
    expect(new Set(QP_ATTR_RULES.map(({ key }) => key)).size).to.equal(QP_ATTR_RULES.length);
    for (const bit of Object.values(QpAttrMask)) expect(namesOfQpAttrMask(bit)).not.to.deep.equal([]);
  });
});
