/** Work requests that fail at the side that posted them (IBTA 10.10.2, 11.6.2): LOC_PROT_ERR, LOC_LEN_ERR, LOC_QP_OP_ERR. */
import { expect } from 'chai';
import { QpState, WcStatus, type SendWrInit, type WcStatus as Status } from '@openverbs/verbs';
import type { Bench } from '../bench/bench.ts';
import { expectNoAsyncEvent } from '../bench/async-events.ts';
import { expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import { fillPattern, snapshot } from '../bench/payload.ts';
import { read, send } from '../bench/requests.ts';
import type { Side } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';
import { faultsOf } from './faults.ts';
import { operations } from './operations.ts';

/**
 * Posts a good request, the bad one and two good ones behind it. The first is done, the bad one fails, the others and the
 * receives are flushed in order; the peer notices nothing and nothing is written.
 */
export async function expectLocalFailure(
  bench: Bench,
  pair: { a: Side; b: Side },
  bad: (wrId: number) => SendWrInit,
  status: Status,
): Promise<void> {
  const { a, b } = pair;
  fillPattern(a.bytes, 1);
  fillPattern(b.bytes, 2);
  const memory = [snapshot(a.bytes, 'memory here'), snapshot(b.bytes, 'memory there')];
  a.qp.postRecv([{ wrId: 101 }, { wrId: 102 }]);
  b.qp.postRecv([{ wrId: 201 }, { wrId: 202 }]);
  a.qp.postSend([send(1, []), bad(2), send(3, []), send(4, [])]);
  await expectCompletions(
    a.sendCq,
    { wrId: 1 },
    { wrId: 2, status, qp: a.qp },
    { wrId: 3, status: WcStatus.WR_FLUSH_ERR, qp: a.qp },
    { wrId: 4, status: WcStatus.WR_FLUSH_ERR, qp: a.qp },
  );
  await expectCompletions(
    a.recvCq,
    { wrId: 101, status: WcStatus.WR_FLUSH_ERR },
    { wrId: 102, status: WcStatus.WR_FLUSH_ERR },
  );
  expect(a.qp.query().attr.qpState, 'the side that failed').to.equal(QpState.ERR);
  // The good send took one receive; the other one still waits, and the peer is none the wiser.
  await expectCompletions(b.recvCq, { wrId: 201 });
  expectNoCompletion(b.recvCq);
  expect(b.qp.query().attr.qpState, 'the peer').to.equal(QpState.RTS);
  if (bench.supports('asyncEvents')) expectNoAsyncEvent(b.context);
  for (const part of memory) part.expectUnchanged();
}

export const localErrorsSuite = defineSuite('local-errors', ['rc'], (suite) => {
  for (const operation of operations) {
    for (const fault of faultsOf('lkey')) {
      suite.provokes(`${operation.name} with an lkey ${fault.title}`, operation.needs, async (bench) => {
        const pair = bench.pair();
        const { key, addr, length } = fault.place(pair.a);
        const sgList = [{ addr: Number(addr), length, lkey: key }];
        const bad = (wrId: number): SendWrInit => operation.request(wrId, sgList, pair.b);
        await expectLocalFailure(bench, pair, bad, WcStatus.LOC_PROT_ERR);
      });
    }

    if (operation.writesHere) {
      suite.provokes(`${operation.name} into a region without LOCAL_WRITE`, operation.needs, async (bench) => {
        const pair = bench.pair();
        const readOnly = pair.a.pd.regMr(pair.a.bytes, 0);
        const bad = (wrId: number): SendWrInit => operation.request(wrId, [readOnly.sge(0, 8)], pair.b);
        await expectLocalFailure(bench, pair, bad, WcStatus.LOC_PROT_ERR);
      });
    }
  }

  suite.provokes('an lkey of another context', async (bench) => {
    const pair = bench.pair();
    const foreign = bench.side();
    const sgList = [{ addr: foreign.mr.addr, length: 8, lkey: foreign.mr.lkey }];
    await expectLocalFailure(bench, pair, (wrId) => send(wrId, sgList), WcStatus.LOC_PROT_ERR);
  });

  suite.provokes('the second piece of a list is the bad one', async (bench) => {
    const pair = bench.pair();
    const sgList = [pair.a.sge(0, 8), { ...pair.a.sge(0, 8), lkey: 0xdeadbeef }];
    await expectLocalFailure(bench, pair, (wrId) => send(wrId, sgList), WcStatus.LOC_PROT_ERR);
  });

  suite.provokes('a read scatters nothing when its second piece is bad', ['rdmaRead'], async (bench) => {
    const pair = bench.pair();
    const sgList = [pair.a.sge(0, 8), { ...pair.a.sge(8, 8), lkey: 0xdeadbeef }];
    await expectLocalFailure(bench, pair, (wrId) => read(wrId, sgList, pair.b), WcStatus.LOC_PROT_ERR);
  });

  suite.provokes('a length that reaches far beyond the region', async (bench) => {
    const { maxMsgSz } = bench.open().queryPort(1);
    for (const length of [2 ** 20, 2 ** 30, 2 ** 31 - 1, 2 ** 31]) {
      const pair = bench.pair();
      const sgList = [{ ...pair.a.sge(0, 8), length }];
      const status = length > maxMsgSz ? WcStatus.LOC_LEN_ERR : WcStatus.LOC_PROT_ERR;
      await expectLocalFailure(bench, pair, (wrId) => send(wrId, sgList), status);
    }
  });

  suite.provokes('a message longer than 2^31 bytes', async (bench) => {
    const pair = bench.pair();
    // Larger than any message may be (IBTA 9.7.7.1), whatever memory is behind it.
    const sgList = [{ ...pair.a.sge(0, 8), length: 2 ** 32 - 1 }];
    await expectLocalFailure(bench, pair, (wrId) => send(wrId, sgList), WcStatus.LOC_LEN_ERR);
  });

  suite.provokes('a read where no reads may be outstanding', ['rdmaRead'], async (bench) => {
    const pair = bench.pair({ connectionOfA: { maxRdAtomic: 0 } });
    const { a, b } = pair;
    await expectLocalFailure(bench, pair, (wrId) => read(wrId, [a.sge(0, 8)], b), WcStatus.LOC_QP_OP_ERR);
  });

  suite.provokes('a failed request makes a completion though it is not signaled', async (bench) => {
    const pair = bench.pair();
    const sgList = [{ ...pair.a.sge(0, 8), lkey: 0 }];
    await expectLocalFailure(bench, pair, (wrId) => send(wrId, sgList, { sendFlags: 0 }), WcStatus.LOC_PROT_ERR);
  });

  suite.provokes('of two bad requests the second is flushed', async (bench) => {
    const { a, b } = bench.pair();
    const bad = { ...a.sge(0, 8), lkey: 0xdeadbeef };
    b.qp.postRecv([{ wrId: 1 }, { wrId: 2 }]);
    a.qp.postSend([send(1, [bad], { sendFlags: 0 }), send(2, [bad], { sendFlags: 0 })]);
    await expectCompletions(
      a.sendCq,
      { wrId: 1, status: WcStatus.LOC_PROT_ERR },
      { wrId: 2, status: WcStatus.WR_FLUSH_ERR },
    );
    expectNoCompletion(a.sendCq);
  });
});
