/** Receiver not ready: a message finds no receive (IBTA 9.7.5.2.8). */
import { expect } from 'chai';
import { QpState, WcOpcode, WcStatus } from '@openverbs/verbs';
import { Bystander } from '../bench/bystander.ts';
import { expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import { expectBytes, fillPattern, pattern, snapshot } from '../bench/payload.ts';
import { send, write, writeImm } from '../bench/requests.ts';
import { defineSuite } from '../define-suite.ts';

/** RNR timer code 1 is 10 us. */
const NO_RETRY = { rnrRetry: 0, minRnrTimer: 1 };
const FEW_RETRIES = { rnrRetry: 3, minRnrTimer: 1 };
const FOR_EVER = { rnrRetry: 7, minRnrTimer: 1 };

export const rnrSuite = defineSuite('rnr', ['rc'], (suite) => {
  for (const connection of [NO_RETRY, FEW_RETRIES]) {
    const { rnrRetry } = connection;
    suite.provokes(`no receive, and rnrRetry ${rnrRetry} is used up`, async (bench) => {
      const { a, b } = bench.pair({ connection });
      const memory = snapshot(b.bytes, 'the receiver’s memory');
      a.qp.postSend([send(1, [a.sge(0, 8)]), send(2, []), send(3, [])]);
      await expectCompletions(
        a.sendCq,
        { wrId: 1, status: WcStatus.RNR_RETRY_EXC_ERR },
        { wrId: 2, status: WcStatus.WR_FLUSH_ERR },
        { wrId: 3, status: WcStatus.WR_FLUSH_ERR },
      );
      expect(a.qp.query().attr.qpState, 'the sender').to.equal(QpState.ERR);
      expect(b.qp.query().attr.qpState, 'the receiver').to.equal(QpState.RTS);
      expectNoCompletion(b.recvCq);
      memory.expectUnchanged();
    });
  }

  suite.provokes(
    'immediate data needs a receive as well, and writes nothing without one',
    ['rdmaWrite'],
    async (bench) => {
      const { a, b } = bench.pair({ connection: NO_RETRY });
      a.qp.postSend(writeImm(1, [], b, 0, 5));
      await expectCompletions(a.sendCq, { wrId: 1, status: WcStatus.RNR_RETRY_EXC_ERR });
      expectNoCompletion(b.recvCq);
    },
  );

  suite.works('a write needs no receive', ['rdmaWrite'], async (bench) => {
    const { a, b } = bench.pair({ connection: NO_RETRY });
    a.qp.postSend(write(1, [a.sge(0, 8)], b));
    await expectCompletions(a.sendCq, { wrId: 1 });
  });

  suite.works('rnrRetry 7 waits for ever, and what waits behind keeps its order', async (bench) => {
    const { a, b } = bench.pair({ connection: FOR_EVER });
    const bystander = new Bystander(bench);
    fillPattern(a.bytes.subarray(0, 64), 1);
    a.qp.postSend([send(1, [a.sge(0, 64)]), send(2, [a.sge(0, 32)])]);
    // The device does other things meanwhile.
    for (let round = 0; round < 20; round++) await bystander.verify();
    expectNoCompletion(a.sendCq);
    b.qp.postRecv({ wrId: 11, sgList: [b.sge(0, 64)] });
    await expectCompletions(b.recvCq, { wrId: 11, opcode: WcOpcode.RECV, byteLen: 64 });
    await expectCompletions(a.sendCq, { wrId: 1 });
    expectBytes(b.bytes.subarray(0, 64), pattern(1, 64), 'message');
    for (let round = 0; round < 20; round++) await bystander.verify();
    b.qp.postRecv({ wrId: 12, sgList: [b.sge(0, 64)] });
    await expectCompletions(b.recvCq, { wrId: 12, byteLen: 32 });
    await expectCompletions(a.sendCq, { wrId: 2 });
  });

  suite.works('each message has all its retries', async (bench) => {
    // Timer code 24 is 41 ms, so 6 retries are a quarter of a second: plenty for one message, not for all of them together.
    const { a, b } = bench.pair({ connection: { rnrRetry: 6, minRnrTimer: 24 } });
    for (let wrId = 0; wrId < 8; wrId++) {
      a.qp.postSend(send(wrId, []));
      b.qp.postRecv({ wrId });
      await expectCompletions(b.recvCq, { wrId });
      await expectCompletions(a.sendCq, { wrId });
    }
  });

  suite.provokes('the queue behind waits: nothing overtakes', ['rdmaWrite'], async (bench) => {
    const { a, b } = bench.pair({ connection: FEW_RETRIES });
    const memory = snapshot(b.bytes, 'the memory that the write behind aims at');
    fillPattern(a.bytes.subarray(0, 8), 99);
    a.qp.postSend([send(1, []), write(2, [a.sge(0, 8)], b)]);
    await expectCompletions(
      a.sendCq,
      { wrId: 1, status: WcStatus.RNR_RETRY_EXC_ERR },
      { wrId: 2, status: WcStatus.WR_FLUSH_ERR },
    );
    memory.expectUnchanged();
  });
});
