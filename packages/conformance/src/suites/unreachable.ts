/** Peers that do not answer (IBTA 9.7.6.1): gone, not ready, or somebody else's. */
import { expect } from 'chai';
import { QpState, WcOpcode, WcStatus, qpStateStr } from '@openverbs/verbs';
import type { Bench } from '../bench/bench.ts';
import { expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import { IMPATIENT, bringTo, connect, rtrAttr } from '../bench/connect.ts';
import { fillPattern, snapshot } from '../bench/payload.ts';
import { read, send, write } from '../bench/requests.ts';
import type { Side } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';

/** Everything that `a` asks stays without an answer: its retries run out, and `b`'s memory is as it was. */
async function expectNoAnswer(bench: Bench, a: Side, b: Side): Promise<void> {
  fillPattern(b.bytes, 7);
  const memory = snapshot(b.bytes, 'memory of the one that does not answer');
  const first = bench.supports('rdmaWrite') ? write(1, [a.sge(0, 8)], b) : send(1, [a.sge(0, 8)]);
  a.qp.postSend([first, send(2, [])]);
  await expectCompletions(
    a.sendCq,
    { wrId: 1, status: WcStatus.RETRY_EXC_ERR, qp: a.qp },
    { wrId: 2, status: WcStatus.WR_FLUSH_ERR, qp: a.qp },
  );
  expect(a.qp.query().attr.qpState).to.equal(QpState.ERR);
  memory.expectUnchanged();
}

export const unreachableSuite = defineSuite('unreachable', ['rc'], (suite) => {
  for (const state of [QpState.RESET, QpState.INIT, QpState.ERR]) {
    suite.provokes(`a peer in ${qpStateStr(state)}`, async (bench) => {
      const { a, b } = bench.pair({ connected: false });
      bringTo(state, b.qp, a.qp);
      if (state === QpState.INIT) b.qp.postRecv({ wrId: 1, sgList: [b.sge(0, 8)] });
      bringTo(QpState.RTS, a.qp, b.qp, IMPATIENT);
      await expectNoAnswer(bench, a, b);
      expect(b.qp.query().attr.qpState, 'the peer').to.equal(state);
      expectNoCompletion(b.recvCq);
    });
  }

  suite.provokes('a peer that was destroyed', async (bench) => {
    const { a, b } = bench.pair({ connection: IMPATIENT });
    b.qp.destroy();
    await expectNoAnswer(bench, a, b);
  });

  suite.provokes('a peer whose context was closed', async (bench) => {
    const { a, b } = bench.pair({ connection: IMPATIENT });
    const bytes = Uint8Array.from(b.bytes);
    b.context[Symbol.dispose]();
    a.qp.postSend(send(1, [a.sge(0, bytes.length)]));
    await expectCompletions(a.sendCq, { wrId: 1, status: WcStatus.RETRY_EXC_ERR });
  });

  suite.provokes('a number that no QP has', async (bench) => {
    const { a, b } = bench.pair({ connected: false });
    bringTo(QpState.RTR, b.qp, a.qp);
    bringTo(QpState.RTS, a.qp, b.qp, { ...IMPATIENT, destQpNum: 0xfffffe });
    await expectNoAnswer(bench, a, b);
  });

  suite.provokes('a QP that is connected to another one', async (bench) => {
    const { a, b } = bench.pair({ connected: false });
    const third = bench.side();
    connect(b.qp, third.qp);
    b.qp.postRecv({ wrId: 9, sgList: [b.sge(0, 8)] });
    // A request does not carry the number of the QP that it comes from, so it is the sequence numbers that tell them apart.
    bringTo(QpState.RTS, a.qp, b.qp, { ...IMPATIENT, sqPsn: 0x654321 });
    await expectNoAnswer(bench, a, b);
    // The connection that was there is as good as before.
    third.qp.postSend(send(5, [third.sge(0, 8)]));
    await expectCompletions(b.recvCq, { wrId: 9, opcode: WcOpcode.RECV, byteLen: 8 });
  });

  suite.provokes('a new QP that has the number of the peer that is gone', async (bench) => {
    const { a, b } = bench.pair({ connection: IMPATIENT });
    b.qp.destroy();
    // Whatever numbers these get, none of them is what `a` was connected to.
    const others = Array.from({ length: 8 }, () => b.createQp());
    for (const qp of others) bringTo(QpState.INIT, qp, qp);
    await expectNoAnswer(bench, a, b);
  });

  suite.provokes('sequence numbers that do not fit', async (bench) => {
    const { a, b } = bench.pair({ connected: false });
    bringTo(QpState.RTR, b.qp, a.qp, { rqPsn: 0x100 });
    // Far ahead of what the peer expects: a gap that no repetition fills.
    bringTo(QpState.RTS, a.qp, b.qp, { ...IMPATIENT, sqPsn: 0x200 });
    await expectNoAnswer(bench, a, b);
    expect(b.qp.query().attr.qpState, 'the peer').to.equal(QpState.RTR);
  });

  suite.provokes('reads have no answer either', ['rdmaRead'], async (bench) => {
    const { a, b } = bench.pair({ connection: IMPATIENT });
    b.qp.destroy();
    fillPattern(a.bytes, 1);
    const memory = snapshot(a.bytes, 'memory here');
    a.qp.postSend(read(1, [a.sge(0, 8)], b));
    await expectCompletions(a.sendCq, { wrId: 1, status: WcStatus.RETRY_EXC_ERR });
    memory.expectUnchanged();
  });

  suite.works('a peer that becomes ready while there are retries left', async (bench) => {
    const { a, b } = bench.pair({ connected: false });
    bringTo(QpState.INIT, b.qp, a.qp);
    b.qp.postRecv([
      { wrId: 1, sgList: [b.sge(0, 8)] },
      { wrId: 2, sgList: [b.sge(8, 8)] },
    ]);
    bringTo(QpState.RTS, a.qp, b.qp, { timeout: 15, retryCnt: 7 });
    a.qp.postSend([send(1, [a.sge(0, 8)]), send(2, [a.sge(0, 8)])]);
    expectNoCompletion(a.sendCq);
    b.qp.modify(rtrAttr(b.qp, a.qp));
    await expectCompletions(a.sendCq, { wrId: 1 }, { wrId: 2 });
    await expectCompletions(b.recvCq, { wrId: 1, byteLen: 8 }, { wrId: 2, byteLen: 8 });
  });
});
