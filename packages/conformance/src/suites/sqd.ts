/** The send queue drained state, SQD (IBTA 10.3.1.5). */
import { expect } from 'chai';
import { EventType, QpState, WcStatus } from '@openverbs/verbs';
import { expectAsyncEvent, expectNoAsyncEvent } from '../bench/async-events.ts';
import { Bystander } from '../bench/bystander.ts';
import { completions, completionsNow, expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import { expectBytes, fillPattern, pattern, snapshot } from '../bench/payload.ts';
import { send, write } from '../bench/requests.ts';
import { defineSuite } from '../define-suite.ts';

export const sqdSuite = defineSuite('sqd', ['rc', 'sqDrain'], (suite) => {
  suite.works('what was begun is finished, and then there is the event', ['asyncEvents'], async (bench) => {
    const { a, b } = bench.pair();
    for (let wrId = 0; wrId < 16; wrId++) b.qp.postRecv({ wrId });
    for (let wrId = 0; wrId < 16; wrId++) a.qp.postSend(send(wrId, []));
    a.qp.modify({ qpState: QpState.SQD, enSqdAsyncNotify: true });
    await expectAsyncEvent(a.context, EventType.SQ_DRAINED, a.qp);
    expect(a.qp.query().attr).to.deep.include({ qpState: QpState.SQD, sqDraining: false });
    // Whatever was begun before is complete now; the rest is not begun.
    const done = completionsNow(a.sendCq);
    a.qp.modify({ qpState: QpState.RTS });
    const rest = await completions(a.sendCq, 16 - done.length);
    expect([...done, ...rest].map(({ wrId }) => wrId)).to.deep.equal(Array.from({ length: 16 }, (_, wrId) => wrId));
    expectNoAsyncEvent(a.context);
  });

  suite.works('there is no event unless it was asked for', ['asyncEvents'], async (bench) => {
    const { a } = bench.pair();
    const bystander = new Bystander(bench);
    for (const attr of [{}, { enSqdAsyncNotify: false }]) {
      a.qp.modify({ qpState: QpState.SQD, ...attr });
      await bystander.verify();
      expectNoAsyncEvent(a.context);
      a.qp.modify({ qpState: QpState.RTS });
    }
    // Asking lasts for one draining.
    a.qp.modify({ qpState: QpState.SQD, enSqdAsyncNotify: true });
    await expectAsyncEvent(a.context, EventType.SQ_DRAINED, a.qp);
    a.qp.modify({ qpState: QpState.RTS });
    a.qp.modify({ qpState: QpState.SQD });
    await bystander.verify();
    expectNoAsyncEvent(a.context);
  });

  suite.works('posts are taken and held until RTS', async (bench) => {
    const { a, b } = bench.pair();
    const bystander = new Bystander(bench);
    fillPattern(a.bytes.subarray(0, 64), 3);
    a.qp.modify({ qpState: QpState.SQD });
    const memory = snapshot(b.bytes, 'the peer’s memory while the queue is drained');
    const request = bench.supports('rdmaWrite') ? write(1, [a.sge(0, 64)], b) : send(1, [a.sge(0, 64)]);
    b.qp.postRecv([{ wrId: 7, sgList: [b.sge(0, 64)] }, { wrId: 8 }]);
    a.qp.postSend([request, send(2, [])]);
    for (let round = 0; round < 10; round++) await bystander.verify();
    expectNoCompletion(a.sendCq);
    memory.expectUnchanged();
    a.qp.modify({ qpState: QpState.RTS });
    await expectCompletions(a.sendCq, { wrId: 1 }, { wrId: 2 });
    expectBytes(b.bytes.subarray(0, 64), pattern(3, 64), 'what arrived then');
  });

  suite.works('receiving goes on', async (bench) => {
    const { a, b } = bench.pair();
    a.qp.modify({ qpState: QpState.SQD });
    a.qp.postRecv({ wrId: 1, sgList: [a.sge(0, 8)] });
    b.qp.postSend(send(2, [b.sge(0, 8)]));
    await expectCompletions(a.recvCq, { wrId: 1, byteLen: 8 });
    await expectCompletions(b.sendCq, { wrId: 2 });
    if (!bench.supports('rdmaWrite')) return;
    b.qp.postSend(write(3, [b.sge(0, 8)], a));
    await expectCompletions(b.sendCq, { wrId: 3 });
  });

  suite.works('attributes of the running QP can change there', ['rdmaWrite'], async (bench) => {
    const { a, b } = bench.pair();
    a.qp.modify({ qpState: QpState.SQD });
    a.qp.modify({ qpState: QpState.SQD, timeout: 9, retryCnt: 2, rnrRetry: 1, maxRdAtomic: 1 });
    expect(a.qp.query().attr).to.deep.include({ timeout: 9, retryCnt: 2, rnrRetry: 1, maxRdAtomic: 1 });
    a.qp.modify({ qpState: QpState.RTS });
    a.qp.postSend(write(1, [a.sge(0, 8)], b));
    await expectCompletions(a.sendCq, { wrId: 1 });
  });

  suite.works('a message that waits for its receive is still finished', ['asyncEvents'], async (bench) => {
    const { a, b } = bench.pair();
    const bystander = new Bystander(bench);
    // It was begun: the peer has said that it is not ready.
    a.qp.postSend(send(1, [a.sge(0, 8)]));
    await bystander.verify();
    a.qp.modify({ qpState: QpState.SQD, enSqdAsyncNotify: true });
    await bystander.verify();
    b.qp.postRecv({ wrId: 2, sgList: [b.sge(0, 8)] });
    await expectCompletions(b.recvCq, { wrId: 2, byteLen: 8 });
    await expectCompletions(a.sendCq, { wrId: 1 });
    await expectAsyncEvent(a.context, EventType.SQ_DRAINED, a.qp);
  });

  suite.provokes('held work is flushed in the error state, and forgotten in RESET', async (bench) => {
    const { a, b } = bench.pair();
    const other = bench.pair();
    for (const side of [a, other.a]) {
      side.qp.modify({ qpState: QpState.SQD });
      side.qp.postSend([send(1, []), send(2, [])]);
    }
    a.qp.modify({ qpState: QpState.ERR });
    const status = WcStatus.WR_FLUSH_ERR;
    await expectCompletions(a.sendCq, { wrId: 1, status }, { wrId: 2, status });
    other.a.qp.modify({ qpState: QpState.RESET });
    expectNoCompletion(other.a.sendCq);
    expect(b.qp.query().attr.qpState, 'the peer').to.equal(QpState.RTS);
  });
});
