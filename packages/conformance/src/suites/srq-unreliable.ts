/** Shared receive queues of queue pairs without acknowledgements (ibv_create_srq; IBTA volume 1, 10.2.9.1). */
import { expect } from 'chai';
import { QpState, QpType, WcFlags, WcOpcode, type SharedReceiveQueue } from '@openverbs/verbs';
import type { Bench } from '../bench/bench.ts';
import { completions, expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import { GRH_BYTES, QKEY, ahTo, datagram, datagramSide } from '../bench/datagrams.ts';
import { expectError } from '../bench/errors.ts';
import { expectBytes, fillPattern, pattern } from '../bench/payload.ts';
import { send, writeImm } from '../bench/requests.ts';
import type { Side } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';

const MAX_WR = 6;

interface Shared {
  readonly srq: SharedReceiveQueue;
  /** Each sends to the receiver of the same index. */
  readonly senders: readonly Side[];
  readonly receivers: readonly Side[];
}

/** Two receivers of one SRQ on the peer's device, which `makePair` connects to a sender each. */
function share(bench: Bench, makePair: (b: object) => { a: Side; b: Side }): Shared {
  const context = bench.open(bench.peerDevice);
  const pd = context.allocPd();
  const srq = pd.createSrq({ attr: { maxWr: MAX_WR, maxSge: 2 } });
  const pairs = [0, 1].map(() => makePair({ context, pd, srq }));
  return { srq, senders: pairs.map(({ a }) => a), receivers: pairs.map(({ b }) => b) };
}

function shareUc(bench: Bench): Shared {
  return share(bench, (b) => bench.pair({ qpType: QpType.UC, b }));
}

function shareUd(bench: Bench): Shared {
  return share(bench, (b) => ({ a: datagramSide(bench), b: datagramSide(bench, b) }));
}

/** More messages than receives, some without one: those are dropped, and every receive is used again. */
async function expectSlotsUsedAgain(
  { srq, senders, receivers }: Shared,
  post: (at: number, wrId: number) => void,
): Promise<void> {
  const sgList = [receivers[0].sge(0, GRH_BYTES)];
  for (let round = 0; round < 4; round++) {
    for (let wrId = 0; wrId < srq.maxWr; wrId++) srq.postRecv({ wrId: 100 * round + wrId, sgList });
    const counts = [0, 0];
    for (let n = 0; n < srq.maxWr + 2; n++) {
      const at = n % 3 === 0 ? 0 : 1;
      if (n < srq.maxWr) counts[at]++;
      post(at, n);
      await completions(senders[at].sendCq, 1);
    }
    const wrIds = [];
    for (const at of [1, 0]) {
      const wcs = await completions(receivers[at].recvCq, counts[at]);
      for (const { wrId, qpNum } of wcs) {
        wrIds.push(wrId);
        expect(qpNum).to.equal(receivers[at].qp.qpNum);
      }
      expectNoCompletion(receivers[at].recvCq);
    }
    expect(wrIds.sort((x, y) => x - y)).to.deep.equal(Array.from({ length: srq.maxWr }, (_, n) => 100 * round + n));
  }
}

export const srqUnreliableSuite = defineSuite('srq-unreliable', ['srq'], (suite) => {
  suite.works('UC: whichever QP a message comes to takes the next receive', ['uc'], async (bench) => {
    const { srq, senders, receivers } = shareUc(bench);
    const [owner] = receivers;
    for (let wrId = 0; wrId < 4; wrId++) srq.postRecv({ wrId, sgList: [owner.sge(wrId * 3000, 3000)] });
    for (const [wrId, at] of [1, 0, 0, 1].entries()) {
      const [a, b] = [senders[at], receivers[at]];
      fillPattern(a.bytes.subarray(0, 2900), wrId);
      a.qp.postSend(send(10 + wrId, [a.sge(0, 2900)]));
      await expectCompletions(b.recvCq, { wrId, opcode: WcOpcode.RECV, byteLen: 2900, qp: b.qp });
      await expectCompletions(a.sendCq, { wrId: 10 + wrId });
      expectBytes(owner.bytes.subarray(wrId * 3000, wrId * 3000 + 2900), pattern(wrId, 2900), `message ${wrId}`);
    }
  });

  suite.works('UC: a write with immediate data takes a receive', ['uc', 'rdmaWrite'], async (bench) => {
    const { srq, senders, receivers } = shareUc(bench);
    srq.postRecv({ wrId: 1 });
    senders[1].qp.postSend(writeImm(2, [senders[1].sge(0, 8)], receivers[1], 0, 77));
    await expectCompletions(receivers[1].recvCq, { wrId: 1, opcode: WcOpcode.RECV_RDMA_WITH_IMM, immData: 77 });
    await expectCompletions(senders[1].sendCq, { wrId: 2 });
  });

  suite.works('UC: what finds no receive is dropped, and receives are used again', ['uc'], async (bench) => {
    const shared = shareUc(bench);
    await expectSlotsUsedAgain(shared, (at, wrId) => {
      shared.senders[at].qp.postSend(send(wrId, [shared.senders[at].sge(0, 0)]));
    });
  });

  suite.works('UD: whichever QP a datagram comes to takes the next receive', ['ud'], async (bench) => {
    const { srq, senders, receivers } = shareUd(bench);
    const [owner] = receivers;
    for (let wrId = 0; wrId < 4; wrId++) srq.postRecv({ wrId, sgList: [owner.sge(wrId * 200, 200)] });
    for (const [wrId, at] of [1, 0, 0, 1].entries()) {
      const [a, b] = [senders[at], receivers[at]];
      fillPattern(a.bytes.subarray(0, 90), wrId);
      a.qp.postSend(datagram(10 + wrId, [a.sge(0, 90)], ahTo(a, b), b.qp));
      const [wc] = await expectCompletions(b.recvCq, {
        wrId,
        opcode: WcOpcode.RECV,
        byteLen: GRH_BYTES + 90,
        qp: b.qp,
      });
      expect([wc.wcFlags & WcFlags.GRH, wc.srcQp]).to.deep.equal([WcFlags.GRH, a.qp.qpNum]);
      await expectCompletions(a.sendCq, { wrId: 10 + wrId });
      const from = wrId * 200 + GRH_BYTES;
      expectBytes(owner.bytes.subarray(from, from + 90), pattern(wrId, 90), `message ${wrId}`);
    }
  });

  suite.works('UD: what finds no receive is dropped, and receives are used again', ['ud'], async (bench) => {
    const shared = shareUd(bench);
    const { senders, receivers, srq } = shared;
    const handles = senders.map((sender, at) => ahTo(sender, receivers[at]));
    await expectSlotsUsedAgain(shared, (at, wrId) => {
      senders[at].qp.postSend(datagram(wrId, [], handles[at], receivers[at].qp));
    });
    // A wrong Q_Key takes no receive.
    srq.postRecv({ wrId: 1, sgList: [receivers[0].sge(0, GRH_BYTES)] });
    const wrong = { remoteQkey: QKEY + 1 };
    senders[0].qp.postSend(datagram(2, [], handles[0], receivers[0].qp, wrong));
    senders[1].qp.postSend(datagram(3, [], handles[1], receivers[1].qp));
    await expectCompletions(receivers[1].recvCq, { wrId: 1 });
    expectNoCompletion(receivers[0].recvCq);
  });

  suite.provokes('a QP in error leaves the receives of its SRQ to others', ['uc'], async (bench) => {
    const { srq, senders, receivers } = shareUc(bench);
    srq.postRecv({ wrId: 1 });
    receivers[0].qp.modify({ qpState: QpState.ERR });
    senders[0].qp.postSend(send(2, [senders[0].sge(0, 0)]));
    await expectCompletions(senders[0].sendCq, { wrId: 2 });
    expectNoCompletion(receivers[0].recvCq);
    senders[1].qp.postSend(send(3, [senders[1].sge(0, 0)]));
    await expectCompletions(receivers[1].recvCq, { wrId: 1 });
    expectError('EINVAL', () => {
      receivers[1].qp.postRecv({ wrId: 4 });
    });
  });
});
