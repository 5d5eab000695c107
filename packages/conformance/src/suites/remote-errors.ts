/** Work requests that the other side refuses (IBTA 9.9.3, 11.6.2): REM_ACCESS_ERR and REM_INV_REQ_ERR, and what the other side sees. */
import { expect } from 'chai';
import { AccessFlags, EventType, QpState, WcStatus, type SendWrInit, type WcStatus as Status } from '@openverbs/verbs';
import type { Bench } from '../bench/bench.ts';
import { expectAsyncEvent, expectNoAsyncEvent } from '../bench/async-events.ts';
import { expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import { connect } from '../bench/connect.ts';
import { fillPattern, pattern, expectBytes, snapshot } from '../bench/payload.ts';
import { read, send, write } from '../bench/requests.ts';
import { ACCESS_ALL, type Side } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';
import { faultsOf, faultsOfWideAddresses } from './faults.ts';
import { operations } from './operations.ts';

/** What the refused side's event is, by what the asking side's completion says. */
const EVENT_OF = {
  [WcStatus.REM_ACCESS_ERR]: EventType.QP_ACCESS_ERR,
  [WcStatus.REM_INV_REQ_ERR]: EventType.QP_REQ_ERR,
} as const;

/**
 * Posts a good request, the bad one and a good one behind it. The bad one fails here with `status`; both QPs go to the error
 * state, because the connection is of no more use, and flush; the other side has an event; no memory changes.
 */
export async function expectRemoteFailure(
  bench: Bench,
  pair: { a: Side; b: Side },
  bad: (wrId: number) => SendWrInit,
  status: keyof typeof EVENT_OF,
): Promise<void> {
  const { a, b } = pair;
  fillPattern(a.bytes, 1);
  fillPattern(b.bytes, 2);
  const memory = [snapshot(a.bytes, 'memory here'), snapshot(b.bytes, 'memory there')];
  b.qp.postRecv([{ wrId: 201 }, { wrId: 202 }, { wrId: 203 }]);
  a.qp.postSend([send(1, []), bad(2), send(3, [])]);
  await expectCompletions(
    a.sendCq,
    { wrId: 1 },
    { wrId: 2, status, qp: a.qp },
    { wrId: 3, status: WcStatus.WR_FLUSH_ERR, qp: a.qp },
  );
  // LOC_ACCESS_ERR is for the receive of a write with immediate data whose write failed, if it was taken already.
  const taken: Status[] = [WcStatus.WR_FLUSH_ERR, WcStatus.LOC_ACCESS_ERR];
  await expectCompletions(
    b.recvCq,
    { wrId: 201 },
    { wrId: 202, status: taken },
    { wrId: 203, status: WcStatus.WR_FLUSH_ERR },
  );
  for (const { qp } of [a, b]) expect(qp.query().attr.qpState, `state of ${qp.label}`).to.equal(QpState.ERR);
  if (bench.supports('asyncEvents')) {
    await expectAsyncEvent(b.context, EVENT_OF[status], b.qp);
    expectNoAsyncEvent(a.context);
    expectNoAsyncEvent(b.context);
  }
  for (const side of [a, b]) {
    side.qp.postSend(send(9, []));
    await expectCompletions(side.sendCq, { wrId: 9, status: WcStatus.WR_FLUSH_ERR });
    expectNoCompletion(side.recvCq);
  }
  for (const part of memory) part.expectUnchanged();
}

export const remoteErrorsSuite = defineSuite('remote-errors', ['rc'], (suite) => {
  for (const operation of operations.filter(({ remoteAccess }) => remoteAccess !== 0)) {
    for (const fault of [...faultsOf('rkey'), ...faultsOfWideAddresses()]) {
      suite.provokes(`${operation.name} with an rkey ${fault.title}`, operation.needs, async (bench) => {
        const pair = bench.pair();
        const { key: rkey, addr: remoteAddr } = fault.place(pair.b);
        const bad = (wrId: number): SendWrInit =>
          operation.request(wrId, [pair.a.sge(0, 8)], pair.b, { rkey, remoteAddr });
        // A fault that moves the address by one also misaligns it, and an atomic may be refused for that first.
        const misaligned = operation.remoteAccess === AccessFlags.REMOTE_ATOMIC && BigInt(remoteAddr) % 8n !== 0n;
        await expectRemoteFailure(bench, pair, bad, misaligned ? WcStatus.REM_INV_REQ_ERR : WcStatus.REM_ACCESS_ERR);
      });
    }

    suite.provokes(`${operation.name} to a region that does not allow it`, operation.needs, async (bench) => {
      const pair = bench.pair();
      const access = ACCESS_ALL & ~operation.remoteAccess;
      const { rkey, addr: remoteAddr } = pair.b.pd.regMr(pair.b.bytes, access);
      const bad = (wrId: number): SendWrInit =>
        operation.request(wrId, [pair.a.sge(0, 8)], pair.b, { rkey, remoteAddr });
      await expectRemoteFailure(bench, pair, bad, WcStatus.REM_ACCESS_ERR);
    });

    suite.provokes(`${operation.name} to a QP that does not allow it`, operation.needs, async (bench) => {
      const qpAccessFlags = ACCESS_ALL & ~operation.remoteAccess;
      const pair = bench.pair({ connectionOfB: { qpAccessFlags } });
      const bad = (wrId: number): SendWrInit => operation.request(wrId, [pair.a.sge(0, 8)], pair.b);
      await expectRemoteFailure(bench, pair, bad, WcStatus.REM_INV_REQ_ERR);
    });
  }

  suite.provokes('a length beyond the region', ['rdmaWrite'], async (bench) => {
    const pair = bench.pair();
    const { rkey, addr: remoteAddr } = pair.b.pd.regMr(pair.b.bytes.subarray(0, 100), ACCESS_ALL);
    const bad = (wrId: number): SendWrInit => write(wrId, [pair.a.sge(0, 101)], pair.b, 0, { rkey, remoteAddr });
    await expectRemoteFailure(bench, pair, bad, WcStatus.REM_ACCESS_ERR);
  });

  suite.provokes('the rkey of another context', ['rdmaWrite'], async (bench) => {
    const pair = bench.pair();
    const foreign = bench.side({ device: bench.peerDevice });
    const there = snapshot(foreign.bytes, 'memory of the other context');
    const bad = (wrId: number): SendWrInit => write(wrId, [pair.a.sge(0, 8)], foreign);
    await expectRemoteFailure(bench, pair, bad, WcStatus.REM_ACCESS_ERR);
    there.expectUnchanged();
  });

  suite.provokes('access that the QP lost while it was connected', ['rdmaWrite'], async (bench) => {
    const pair = bench.pair();
    pair.a.qp.postSend(write(1, [pair.a.sge(0, 8)], pair.b));
    await expectCompletions(pair.a.sendCq, { wrId: 1 });
    pair.b.qp.modify({ qpState: QpState.RTS, qpAccessFlags: AccessFlags.REMOTE_READ });
    const bad = (wrId: number): SendWrInit => write(wrId, [pair.a.sge(0, 8)], pair.b);
    await expectRemoteFailure(bench, pair, bad, WcStatus.REM_INV_REQ_ERR);
  });

  suite.provokes('a read where the responder serves none', ['rdmaRead'], async (bench) => {
    const pair = bench.pair({ connectionOfB: { maxDestRdAtomic: 0 } });
    const bad = (wrId: number): SendWrInit => read(wrId, [pair.a.sge(0, 8)], pair.b);
    await expectRemoteFailure(bench, pair, bad, WcStatus.REM_INV_REQ_ERR);
  });

  suite.provokes('what was written before the bad request stays', ['rdmaWrite'], async (bench) => {
    const { a, b } = bench.pair();
    fillPattern(a.bytes.subarray(0, 64), 5);
    a.qp.postSend([write(1, [a.sge(0, 64)], b, 0, { sendFlags: 0 }), write(2, [a.sge(0, 64)], b, 64, { rkey: 0 })]);
    await expectCompletions(a.sendCq, { wrId: 2, status: WcStatus.REM_ACCESS_ERR });
    expectBytes(b.bytes.subarray(0, 64), pattern(5, 64), 'the first write');
    expectBytes(b.bytes.subarray(64, 128), new Uint8Array(64), 'the second');
  });

  suite.provokes('other QPs of the same two protection domains go on', ['rdmaWrite'], async (bench) => {
    const { a, b } = bench.pair();
    const [here, there] = [a.createQp(), b.createQp()];
    connect(here, there);
    a.qp.postSend(write(1, [a.sge(0, 8)], b, 0, { rkey: 0 }));
    await expectCompletions(a.sendCq, { wrId: 1, status: WcStatus.REM_ACCESS_ERR });
    here.postSend(write(2, [a.sge(0, 8)], b));
    await expectCompletions(a.sendCq, { wrId: 2, qp: here });
  });
});
