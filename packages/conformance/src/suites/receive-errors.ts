/** Receives that can't take the message (IBTA 9.9.3, 11.6.2): too small, or of memory that they may not write. */
import { expect } from 'chai';
import { QpState, WcStatus, type RecvWrInit, type WcStatus as Status } from '@openverbs/verbs';
import type { Bench } from '../bench/bench.ts';
import { expectNoAsyncEvent } from '../bench/async-events.ts';
import { expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import { fillPattern, snapshot } from '../bench/payload.ts';
import { send } from '../bench/requests.ts';
import type { Side } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';
import { faultsOf } from './faults.ts';

const MESSAGE_BYTES = 8;

/**
 * Sends a message into the bad receive. Its completion says what is wrong with it, the sender's what the other side answered;
 * both QPs end in the error state and flush; no event repeats what a completion has said.
 */
async function expectReceiveFailure(
  bench: Bench,
  pair: { a: Side; b: Side },
  sgList: NonNullable<RecvWrInit['sgList']>,
  statusThere: Status,
  statusHere: Status,
): Promise<void> {
  const { a, b } = pair;
  b.qp.postRecv([{ wrId: 201 }, { wrId: 202, sgList }, { wrId: 203 }]);
  a.qp.postSend([send(1, []), send(2, [a.sge(0, MESSAGE_BYTES)]), send(3, [])]);
  await expectCompletions(
    b.recvCq,
    { wrId: 201 },
    { wrId: 202, status: statusThere, qp: b.qp },
    { wrId: 203, status: WcStatus.WR_FLUSH_ERR, qp: b.qp },
  );
  await expectCompletions(
    a.sendCq,
    { wrId: 1 },
    { wrId: 2, status: statusHere, qp: a.qp },
    { wrId: 3, status: WcStatus.WR_FLUSH_ERR, qp: a.qp },
  );
  for (const { qp, sendCq, recvCq, context } of [a, b]) {
    expect(qp.query().attr.qpState, `state of ${qp.label}`).to.equal(QpState.ERR);
    expectNoCompletion(sendCq);
    expectNoCompletion(recvCq);
    if (bench.supports('asyncEvents')) expectNoAsyncEvent(context);
  }
}

export const receiveErrorsSuite = defineSuite('receive-errors', ['rc'], (suite) => {
  suite.provokes('a receive that is too small', async (bench) => {
    for (const pieces of [[], [0], [1], [MESSAGE_BYTES - 1], [3, 4]]) {
      const pair = bench.pair();
      fillPattern(pair.b.bytes, 1);
      const beyond = snapshot(pair.b.bytes.subarray(MESSAGE_BYTES), 'memory behind the receive');
      let offset = 0;
      const sgList = pieces.map((length) => pair.b.sge((offset += length) - length, length));
      await expectReceiveFailure(bench, pair, sgList, WcStatus.LOC_LEN_ERR, WcStatus.REM_INV_REQ_ERR);
      beyond.expectUnchanged();
    }
  });

  for (const fault of faultsOf('lkey')) {
    suite.provokes(`an lkey ${fault.title}`, async (bench) => {
      const pair = bench.pair();
      const { key: lkey, addr, length } = fault.place(pair.b);
      fillPattern(pair.b.bytes, 1);
      const memory = snapshot(pair.b.bytes, 'memory');
      const sgList = [{ addr: Number(addr), length, lkey }];
      await expectReceiveFailure(bench, pair, sgList, WcStatus.LOC_PROT_ERR, WcStatus.REM_OP_ERR);
      memory.expectUnchanged();
    });
  }

  suite.provokes('a region without LOCAL_WRITE', async (bench) => {
    const pair = bench.pair();
    const readOnly = pair.b.pd.regMr(pair.b.bytes, 0);
    fillPattern(pair.b.bytes, 1);
    const memory = snapshot(pair.b.bytes, 'memory');
    await expectReceiveFailure(bench, pair, [readOnly.sge(0, 8)], WcStatus.LOC_PROT_ERR, WcStatus.REM_OP_ERR);
    memory.expectUnchanged();
  });

  suite.provokes('the second piece of a list is the bad one', async (bench) => {
    const pair = bench.pair();
    fillPattern(pair.b.bytes, 1);
    const rest = snapshot(pair.b.bytes.subarray(4), 'memory behind the first piece');
    const sgList = [pair.b.sge(0, 4), { ...pair.b.sge(4, 4), lkey: 0xdeadbeef }];
    await expectReceiveFailure(bench, pair, sgList, WcStatus.LOC_PROT_ERR, WcStatus.REM_OP_ERR);
    rest.expectUnchanged();
  });

  suite.provokes('a region that is gone when the message comes', async (bench) => {
    const { a, b } = bench.pair();
    const mr = b.pd.regMr(b.bytes, 1);
    b.qp.postRecv({ wrId: 1, sgList: [mr.sge(0, 8)] });
    mr.dereg();
    fillPattern(b.bytes, 1);
    const memory = snapshot(b.bytes, 'memory');
    a.qp.postSend(send(2, [a.sge(0, 8)]));
    await expectCompletions(b.recvCq, { wrId: 1, status: WcStatus.LOC_PROT_ERR });
    await expectCompletions(a.sendCq, { wrId: 2, status: WcStatus.REM_OP_ERR });
    memory.expectUnchanged();
  });

  suite.provokes('the sends of the side that failed are flushed too', async (bench) => {
    const { a, b } = bench.pair();
    // It waits for a receive that never comes, until its own QP fails as a receiver.
    b.qp.postSend([send(11, []), send(12, [])]);
    b.qp.postRecv({ wrId: 1 });
    a.qp.postSend(send(2, [a.sge(0, 1)]));
    await expectCompletions(a.sendCq, { wrId: 2, status: WcStatus.REM_INV_REQ_ERR });
    await expectCompletions(b.recvCq, { wrId: 1, status: WcStatus.LOC_LEN_ERR });
    const status = WcStatus.WR_FLUSH_ERR;
    await expectCompletions(b.sendCq, { wrId: 11, status }, { wrId: 12, status });
  });
});
