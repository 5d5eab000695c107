/** Asynchronous events as such (ibv_get_async_event, ibv_ack_async_event); which error raises which is tested with the errors. */
import { expect } from 'chai';
import { EventType, QpState, WcStatus } from '@openverbs/verbs';
import type { Bench } from '../bench/bench.ts';
import { expectAsyncEvent, expectNoAsyncEvent, nextAsyncEvent } from '../bench/async-events.ts';
import { expectCompletions } from '../bench/completions.ts';
import { bringTo, connect, rtsAttr } from '../bench/connect.ts';
import { expectError, expectRejection } from '../bench/errors.ts';
import { send, write } from '../bench/requests.ts';
import type { Side } from '../bench/side.ts';
import { inTime } from '../bench/wait.ts';
import { defineSuite } from '../define-suite.ts';

/** Makes the peer's QP report an access error. */
async function provokeAccessError(a: Side, b: Side): Promise<void> {
  a.qp.postSend(write(1, [a.sge(0, 8)], b, 0, { rkey: 0 }));
  await expectCompletions(a.sendCq, { wrId: 1, status: WcStatus.REM_ACCESS_ERR });
}

/** A pair of which `b` has an event. */
async function pairWithEvent(bench: Bench): Promise<{ a: Side; b: Side }> {
  const pair = bench.pair();
  await provokeAccessError(pair.a, pair.b);
  return pair;
}

export const asyncEventsSuite = defineSuite('async-events', ['rc', 'asyncEvents', 'rdmaWrite'], (suite) => {
  suite.works('there is none without a reason', async (bench) => {
    const { a, b } = bench.pair();
    b.qp.postRecv({ wrId: 1 });
    a.qp.postSend([send(1, []), write(2, [a.sge(0, 8)], b)]);
    await expectCompletions(a.sendCq, { wrId: 1 }, { wrId: 2 });
    for (const side of [a, b]) side.qp.modify({ qpState: QpState.ERR });
    for (const side of [a, b]) expectNoAsyncEvent(side.context);
  });

  suite.works('COMM_EST: a QP in RTR has its first message', async (bench) => {
    const { a, b } = bench.pair({ connected: false });
    bringTo(QpState.RTR, b.qp, a.qp);
    b.qp.postRecv([{ wrId: 1 }, { wrId: 2 }]);
    bringTo(QpState.RTS, a.qp, b.qp);
    a.qp.postSend([send(1, []), send(2, [])]);
    await expectCompletions(b.recvCq, { wrId: 1 }, { wrId: 2 });
    await expectAsyncEvent(b.context, EventType.COMM_EST, b.qp);
    expectNoAsyncEvent(b.context);
    expect(b.qp.query().attr.qpState).to.equal(QpState.RTR);
    b.qp.modify(rtsAttr(b.qp));
    a.qp.postRecv({ wrId: 3 });
    b.qp.postSend(send(3, []));
    await expectCompletions(a.recvCq, { wrId: 3 });
    // The other side was in RTS when it got its first message.
    expectNoAsyncEvent(a.context);
  });

  suite.provokes('an event of a QP keeps it until the event is acknowledged', async (bench) => {
    const { b } = await pairWithEvent(bench);
    const event = await nextAsyncEvent(b.context);
    expect(event.type).to.equal(EventType.QP_ACCESS_ERR);
    expect(event.qp).to.equal(b.qp);
    expectError('EBUSY', () => {
      b.qp.destroy();
    });
    b.context.ackAsyncEvent(event);
    b.qp.destroy();
  });

  suite.provokes('an event is acknowledged once, where it came from', async (bench) => {
    const { a, b } = await pairWithEvent(bench);
    const event = await nextAsyncEvent(b.context);
    expectError('EINVAL', () => {
      a.context.ackAsyncEvent(event);
    });
    b.context.ackAsyncEvent(event);
    expectError('EINVAL', () => {
      b.context.ackAsyncEvent(event);
    });
  });

  suite.provokes('the events of a QP go with it', async (bench) => {
    const { a, b } = await pairWithEvent(bench);
    b.qp.destroy();
    expectNoAsyncEvent(b.context);
    // Nor does a later QP, of whatever number, get them.
    const next = b.createQp();
    a.qp.modify({ qpState: QpState.RESET });
    connect(a.qp, next);
    a.qp.postSend(write(1, [a.sge(0, 8)], b));
    await expectCompletions(a.sendCq, { wrId: 1 });
    expectNoAsyncEvent(b.context);
  });

  suite.provokes('a wait that began before the event resolves', async (bench) => {
    const { a, b } = bench.pair();
    const waiting = b.context.getAsyncEvent();
    await provokeAccessError(a, b);
    const event = await inTime('the event', waiting);
    expect([event.type, event.qp]).to.deep.equal([EventType.QP_ACCESS_ERR, b.qp]);
    b.context.ackAsyncEvent(event);
  });

  suite.provokes('no event is lost to an aborted wait', async (bench) => {
    const { a, b } = bench.pair();
    const reason = new Error('changed my mind');
    const aborter = new AbortController();
    const aborted = b.context.getAsyncEvent({ signal: aborter.signal });
    aborter.abort(reason);
    expect(await inTime('the abort', aborted).catch((error: unknown) => error)).to.equal(reason);
    const already = b.context.getAsyncEvent({ signal: AbortSignal.abort(reason) });
    expect(await inTime('the abort', already).catch((error: unknown) => error)).to.equal(reason);
    await provokeAccessError(a, b);
    await expectAsyncEvent(b.context, EventType.QP_ACCESS_ERR, b.qp);
  });

  suite.provokes('a wait ends when its context does', async (bench) => {
    const context = bench.open();
    const waiting = context.getAsyncEvent();
    context.close();
    await expectRejection('ECANCELED', inTime('the end of the wait', waiting));
  });

  suite.provokes('the iterator acknowledges after the body', async (bench) => {
    const context = bench.open(bench.peerDevice);
    const pairs = [1, 2, 3].map(() => bench.pair({ b: { context } }));
    for (const { a, b } of pairs) await provokeAccessError(a, b);
    const seen: unknown[] = [];
    for await (const event of context.asyncEvents()) {
      seen.push(event.qp);
      if (seen.length === pairs.length) break;
    }
    expect(seen).to.deep.equal(pairs.map(({ b }) => b.qp));
    for (const { b } of pairs) b.qp.destroy();
  });

  suite.provokes('each context has its own', async (bench) => {
    const { a, b } = bench.pair();
    const bystander = bench.open(bench.peerDevice);
    await provokeAccessError(a, b);
    expectNoAsyncEvent(bystander);
    expectNoAsyncEvent(a.context);
    await expectAsyncEvent(b.context, EventType.QP_ACCESS_ERR, b.qp);
  });
});
