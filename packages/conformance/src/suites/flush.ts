/** The error state: everything that is posted completes with WR_FLUSH_ERR, in order (IBTA 10.3.1.7). */
import { expect } from 'chai';
import { EventType, QpState, SendFlags, WcStatus } from '@openverbs/verbs';
import { expectAsyncEvent } from '../bench/async-events.ts';
import { completions, expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import { connect } from '../bench/connect.ts';
import { fillPattern, snapshot } from '../bench/payload.ts';
import { send, write } from '../bench/requests.ts';
import { defineSuite } from '../define-suite.ts';

const status = WcStatus.WR_FLUSH_ERR;

export const flushSuite = defineSuite('flush', ['rc'], (suite) => {
  // A provider whose QPs tell their state only to a query has this as a deviation.
  suite.provokes(
    'the QPs tell that they are in the error state before they are queried',
    ['rdmaWrite'],
    async (bench) => {
      const { a, b } = bench.pair();
      a.qp.postSend(write(1, [a.sge(0, 8)], b, 0, { rkey: 0 }));
      await expectCompletions(a.sendCq, { wrId: 1, status: WcStatus.REM_ACCESS_ERR });
      expect(a.qp.state, `state of ${a.qp.label}`).to.equal(QpState.ERR);
      if (bench.supports('asyncEvents')) {
        await expectAsyncEvent(b.context, EventType.QP_ACCESS_ERR, b.qp);
        expect(b.qp.state, `state of ${b.qp.label}`).to.equal(QpState.ERR);
      }
      for (const { qp } of [a, b]) {
        qp.modify({ qpState: QpState.RESET });
        expect(qp.state, `state of ${qp.label}`).to.equal(QpState.RESET);
      }
      connect(a.qp, b.qp);
      for (const { qp } of [a, b]) expect(qp.state, `state of ${qp.label}`).to.equal(QpState.RTS);
      a.qp.postSend(write(2, [a.sge(0, 8)], b));
      await expectCompletions(a.sendCq, { wrId: 2 });
    },
  );

  suite.provokes('what is posted when the QP goes to the error state', async (bench) => {
    const { a, b } = bench.pair();
    a.qp.postRecv([{ wrId: 11 }, { wrId: 12 }, { wrId: 13 }]);
    // Nothing is posted there, so these wait.
    a.qp.postSend([send(1, []), send(2, [], { sendFlags: 0 }), send(3, [])]);
    a.qp.modify({ qpState: QpState.ERR });
    // Also the one that is not signaled: a flushed request always completes.
    await expectCompletions(a.sendCq, { wrId: 1, status }, { wrId: 2, status }, { wrId: 3, status });
    await expectCompletions(a.recvCq, { wrId: 11, status }, { wrId: 12, status }, { wrId: 13, status });
    expect(b.qp.query().attr.qpState, 'the peer').to.equal(QpState.RTS);
    for (const side of [a, b]) {
      expectNoCompletion(side.sendCq);
      expectNoCompletion(side.recvCq);
    }
  });

  suite.provokes('what is posted in the error state', async (bench) => {
    const { a } = bench.pair();
    a.qp.modify({ qpState: QpState.ERR });
    for (let wrId = 0; wrId < 100; wrId++) {
      a.qp.postSend(send(wrId, [], { sendFlags: wrId % 2 === 0 ? SendFlags.SIGNALED : 0 }));
      a.qp.postRecv({ wrId: 1000 + wrId });
      await expectCompletions(a.sendCq, { wrId, status, qp: a.qp });
      await expectCompletions(a.recvCq, { wrId: 1000 + wrId, status, qp: a.qp });
    }
  });

  suite.provokes('nothing is carried out any more', ['rdmaWrite'], async (bench) => {
    const { a, b } = bench.pair();
    fillPattern(b.bytes, 1);
    const memory = snapshot(b.bytes, 'the peer’s memory');
    a.qp.modify({ qpState: QpState.ERR });
    a.qp.postSend(write(1, [a.sge(0, 8)], b));
    await expectCompletions(a.sendCq, { wrId: 1, status });
    memory.expectUnchanged();
  });

  suite.provokes('completions of before come first', async (bench) => {
    const { a, b } = bench.pair();
    b.qp.postRecv([{ wrId: 1 }, { wrId: 2 }, { wrId: 3 }]);
    a.qp.postSend([send(1, []), send(2, [])]);
    await completions(a.sendCq, 2);
    a.qp.postSend(send(3, []));
    await expectCompletions(a.sendCq, { wrId: 3 });
    // Done, and not polled yet.
    b.qp.postRecv([{ wrId: 4 }, { wrId: 5 }]);
    b.qp.modify({ qpState: QpState.ERR });
    await expectCompletions(b.recvCq, { wrId: 1 }, { wrId: 2 }, { wrId: 3 }, { wrId: 4, status }, { wrId: 5, status });
  });

  suite.provokes('full queues, many QPs', async (bench) => {
    const context = bench.open();
    const cq = context.createCq({ cqe: 1024 });
    const sides = Array.from({ length: 8 }, () => bench.pair({ a: { context, cq } }).a);
    for (const [index, { qp }] of sides.entries()) {
      for (let n = 0; n < 20; n++) {
        qp.postRecv({ wrId: index * 1000 + n });
        qp.postSend(send(index * 1000 + 500 + n, []));
      }
    }
    for (const { qp } of sides) qp.modify({ qpState: QpState.ERR });
    const found = await completions(cq, 8 * 40);
    for (const [index, { qp }] of sides.entries()) {
      const own = found.filter(({ qpNum }) => qpNum === qp.qpNum);
      expect(
        own.every((wc) => wc.status === status),
        'all are flushed',
      ).to.equal(true);
      const ids = own.map(({ wrId }) => wrId - index * 1000);
      expect(ids.filter((id) => id < 500)).to.deep.equal(Array.from({ length: 20 }, (_, n) => n));
      expect(ids.filter((id) => id >= 500)).to.deep.equal(Array.from({ length: 20 }, (_, n) => 500 + n));
    }
  });

  suite.provokes('a second move to the error state changes nothing', async (bench) => {
    const { a } = bench.pair();
    a.qp.postRecv({ wrId: 1 });
    a.qp.modify({ qpState: QpState.ERR });
    a.qp.modify({ qpState: QpState.ERR });
    await expectCompletions(a.recvCq, { wrId: 1, status });
    expectNoCompletion(a.recvCq);
  });
});
