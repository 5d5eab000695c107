/** The attributes of a QP: values that they can't have, and that what was set is what is there (ibv_modify_qp, ibv_query_qp). */
import { expect } from 'chai';
import { AccessFlags, Mtu, QpState, type QpAttrInit, type QueuePair } from '@openverbs/verbs';
import type { Bench } from '../bench/bench.ts';
import { bringTo, initAttr, rtrAttr, rtsAttr } from '../bench/connect.ts';
import { expectError } from '../bench/errors.ts';
import { defineSuite } from '../define-suite.ts';

const NO_NUMBERS = [-1, 0.5, NaN] as const;

/** What a field of `bits` bits can't hold. */
function beyond(bits: number): readonly number[] {
  return [2 ** bits, ...NO_NUMBERS];
}

/** Tries each value in place of the right one; each is refused, and nothing of the QP changes. */
function expectEachRefused(
  bench: Bench,
  from: QpState,
  right: (qp: QueuePair, remote: QueuePair) => QpAttrInit,
  wrong: (bench: Bench) => readonly QpAttrInit[],
): void {
  const { a, b } = bench.pair({ connected: false });
  bringTo(from, a.qp, b.qp);
  const before = a.qp.query().attr;
  for (const attr of wrong(bench)) {
    expectError('EINVAL', () => {
      a.qp.modify({ ...right(a.qp, b.qp), ...attr });
    });
    expect(a.qp.query().attr, `after ${JSON.stringify(attr)}`).to.deep.equal(before);
  }
  // The right values go through on the same QP: it was the values, not the QP.
  a.qp.modify(right(a.qp, b.qp));
}

function each<Name extends keyof QpAttrInit>(name: Name, values: readonly unknown[]): QpAttrInit[] {
  return values.map((value) => ({ [name]: value }));
}

/** Address vectors that are wrong in one place. */
function wrongAddressVectors(bench: Bench): QpAttrInit[] {
  const context = bench.open();
  const { physPortCnt } = context.queryDevice();
  const { gidTblLen } = context.queryPort(1);
  const dgid = context.queryGid(1, 0);
  const grh = { dgid };
  return each('ahAttr', [
    ...[0, physPortCnt + 1, ...NO_NUMBERS].map((portNum) => ({ grh, portNum })),
    ...beyond(4).map((sl) => ({ grh, sl })),
    ...[gidTblLen, ...NO_NUMBERS].map((sgidIndex) => ({ grh: { dgid, sgidIndex } })),
    ...beyond(8).map((hopLimit) => ({ grh: { dgid, hopLimit } })),
    ...beyond(8).map((trafficClass) => ({ grh: { dgid, trafficClass } })),
    ...beyond(20).map((flowLabel) => ({ grh: { dgid, flowLabel } })),
  ]);
}

export const qpAttributesSuite = defineSuite('qp-attributes', ['rc'], (suite) => {
  suite.provokes('of INIT: port, P_Key index and access flags', (bench) => {
    const context = bench.open();
    const { physPortCnt } = context.queryDevice();
    const { pkeyTblLen } = context.queryPort(1);
    expectEachRefused(
      bench,
      QpState.RESET,
      () => initAttr(),
      () => [
        ...each('portNum', [0, physPortCnt + 1, ...NO_NUMBERS]),
        ...each('pkeyIndex', [pkeyTblLen, ...NO_NUMBERS]),
        ...each('qpAccessFlags', [1 << 30, 1 << 12, ...NO_NUMBERS]),
      ],
    );
  });

  suite.provokes('of RTR: MTU, destination, sequence number, responder resources, RNR timer', (bench) => {
    const context = bench.open();
    const { maxQpRdAtom } = context.queryDevice();
    const { activeMtu } = context.queryPort(1);
    expectEachRefused(
      bench,
      QpState.INIT,
      (qp, remote) => rtrAttr(qp, remote),
      () => [
        ...each('pathMtu', [0, Mtu.MTU_4096 + 1, 256, ...NO_NUMBERS]),
        ...(activeMtu < Mtu.MTU_4096 ? each('pathMtu', [activeMtu + 1]) : []),
        ...each('destQpNum', beyond(24)),
        ...each('rqPsn', beyond(24)),
        ...each('maxDestRdAtomic', [maxQpRdAtom + 1, ...NO_NUMBERS]),
        ...each('minRnrTimer', beyond(5)),
      ],
    );
  });

  suite.provokes('of RTR: the address vector', (bench) => {
    expectEachRefused(bench, QpState.INIT, (qp, remote) => rtrAttr(qp, remote), wrongAddressVectors);
  });

  suite.provokes('of RTS: timeout, retries, sequence number, outstanding reads', (bench) => {
    const { maxQpInitRdAtom } = bench.open().queryDevice();
    expectEachRefused(
      bench,
      QpState.RTR,
      (qp) => rtsAttr(qp),
      () => [
        ...each('timeout', beyond(5)),
        ...each('retryCnt', beyond(3)),
        ...each('rnrRetry', beyond(3)),
        ...each('sqPsn', beyond(24)),
        ...each('maxRdAtomic', [maxQpInitRdAtom + 1, ...NO_NUMBERS]),
      ],
    );
  });

  suite.provokes('refuses an attribute beside a right one, and sets neither', (bench) => {
    const { a } = bench.pair();
    const before = a.qp.query().attr;
    expectError('EINVAL', () => {
      a.qp.modify({ qpState: QpState.RTS, qpAccessFlags: 0, minRnrTimer: 32 });
    });
    expect(a.qp.query().attr).to.deep.equal(before);
  });

  suite.works('a query tells what was set', (bench) => {
    const { a, b } = bench.pair({ connected: false });
    const { maxQpRdAtom, maxQpInitRdAtom } = bench.open().queryDevice();
    const { activeMtu } = bench.open().queryPort(1);
    const qpAccessFlags = AccessFlags.REMOTE_READ;
    const connection = {
      qpAccessFlags,
      pathMtu: Mtu.MTU_256,
      rqPsn: 0xabcdef,
      sqPsn: 0xfedcba,
      maxDestRdAtomic: Math.min(2, maxQpRdAtom),
      maxRdAtomic: Math.min(3, maxQpInitRdAtom),
      minRnrTimer: 17,
      timeout: 13,
      retryCnt: 5,
      rnrRetry: 6,
    };
    bringTo(QpState.RTS, a.qp, b.qp, connection);
    const { attr } = a.qp.query();
    expect(attr).to.deep.include({ ...connection, destQpNum: b.qp.qpNum, pkeyIndex: 0, portNum: 1 });
    expect(attr.ahAttr.grh?.dgid.toString()).to.equal(b.context.queryGid(1, 0).toString());
    expect(activeMtu, 'the port can do more than the path').to.be.at.least(attr.pathMtu);
    a.qp.modify({ qpState: QpState.RTS, minRnrTimer: 9, qpAccessFlags: 0 });
    expect(a.qp.query().attr).to.deep.include({ ...connection, minRnrTimer: 9, qpAccessFlags: 0 });
  });

  suite.works('the limits themselves are allowed', (bench) => {
    const { a, b } = bench.pair({ connected: false });
    const { maxQpRdAtom, maxQpInitRdAtom } = bench.open().queryDevice();
    const connection = {
      rqPsn: 0xffffff,
      sqPsn: 0xffffff,
      maxDestRdAtomic: maxQpRdAtom,
      maxRdAtomic: maxQpInitRdAtom,
      minRnrTimer: 31,
      timeout: 31,
      retryCnt: 7,
      rnrRetry: 7,
    };
    bringTo(QpState.RTS, a.qp, b.qp, connection);
    expect(a.qp.query().attr).to.deep.include(connection);
  });

  suite.works('the endpoint of a QP survives JSON', (bench) => {
    const { qp, context } = bench.side();
    const endpoint = qp.endpoint();
    expect(JSON.parse(JSON.stringify(endpoint))).to.deep.equal({ ...endpoint });
    expect(endpoint.qpNum).to.equal(qp.qpNum);
    expect(endpoint.gid).to.equal(context.queryGid(endpoint.port, endpoint.gidIndex).toString());
  });

  suite.works('the helpers connect, with what the peer’s endpoint says', (bench) => {
    const { a, b } = bench.pair({ connected: false });
    for (const side of [a, b]) side.qp.toInit();
    a.qp.toRtr(b.qp.endpoint());
    b.qp.toRtr(JSON.parse(JSON.stringify(a.qp.endpoint())) as ReturnType<typeof a.qp.endpoint>);
    for (const side of [a, b]) side.qp.toRts();
    for (const side of [a, b]) expect(side.qp.query().attr.qpState).to.equal(QpState.RTS);
    expect(a.qp.query().attr).to.deep.include({
      destQpNum: b.qp.qpNum,
      rqPsn: b.qp.query().attr.sqPsn,
      sqPsn: b.qp.query().attr.rqPsn,
    });
  });
});
