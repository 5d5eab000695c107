/** A CQ that overruns: the event, an end for what uses it, and no harm to anybody else (ibv_poll_cq, IBTA 10.2.2.3, 11.6.3.2). */
import { expect } from 'chai';
import { QpState } from '@openverbs/verbs';
import { expectOverrun } from '../bench/async-events.ts';
import { completions, expectCompletions } from '../bench/completions.ts';
import { IMPATIENT } from '../bench/connect.ts';
import { snapshot } from '../bench/payload.ts';
import { send, write } from '../bench/requests.ts';
import { eventually } from '../bench/wait.ts';
import { defineSuite } from '../define-suite.ts';

export const cqOverrunSuite = defineSuite('cq-overrun', ['rc', 'asyncEvents'], (suite) => {
  suite.provokes('by send completions', async (bench) => {
    const { a, b } = bench.pair({ cap: { maxSendWr: 128, maxRecvWr: 128 }, a: { sendCqe: 4 } });
    const messages = a.sendCq.cqe + 4;
    expect(messages, 'the QP can overrun its CQ').to.be.at.most(128);
    for (let wrId = 0; wrId < messages; wrId++) b.qp.postRecv({ wrId });
    for (let wrId = 0; wrId < messages; wrId++) a.qp.postSend(send(wrId, []));
    await expectOverrun(a.context, a.sendCq);
    // What was sent before is not undone.
    await completions(b.recvCq, a.sendCq.cqe);
    expect(b.qp.query().attr.qpState, 'the peer').to.equal(QpState.RTS);
  });

  suite.provokes('by receive completions', async (bench) => {
    const connection = IMPATIENT;
    const { a, b } = bench.pair({ cap: { maxSendWr: 128, maxRecvWr: 128 }, b: { recvCqe: 4 }, connection });
    const messages = b.recvCq.cqe + 4;
    for (let wrId = 0; wrId < messages; wrId++) b.qp.postRecv({ wrId });
    for (let wrId = 0; wrId < messages; wrId++) a.qp.postSend(send(wrId, []));
    await expectOverrun(b.context, b.recvCq);
    // As many as fitted are complete at the sender too; the others end in some error, but they end.
    const found = await completions(a.sendCq, messages);
    expect(found.map(({ wrId }) => wrId)).to.deep.equal(Array.from({ length: messages }, (_, wrId) => wrId));
  });

  suite.provokes('other CQs and QPs of the same context go on', async (bench) => {
    const context = bench.open();
    const broken = bench.pair({ a: { context, sendCqe: 1 }, cap: { maxSendWr: 64, maxRecvWr: 64 } });
    const sound = bench.pair({ a: { context } });
    const memory = snapshot(sound.b.bytes, 'memory of the others');
    const messages = broken.a.sendCq.cqe + 2;
    for (let wrId = 0; wrId < messages; wrId++) broken.b.qp.postRecv({ wrId });
    for (let wrId = 0; wrId < messages; wrId++) broken.a.qp.postSend(send(wrId, []));
    await expectOverrun(context, broken.a.sendCq);
    memory.expectUnchanged();
    for (let wrId = 0; wrId < 20; wrId++) {
      sound.b.qp.postRecv({ wrId });
      sound.a.qp.postSend(send(wrId, []));
      await expectCompletions(sound.b.recvCq, { wrId });
      await expectCompletions(sound.a.sendCq, { wrId });
    }
  });

  suite.provokes('everything of it can be destroyed', async (bench) => {
    const { a, b } = bench.pair({ a: { sendCqe: 1 }, cap: { maxSendWr: 64, maxRecvWr: 64 } });
    const messages = a.sendCq.cqe + 2;
    for (let wrId = 0; wrId < messages; wrId++) b.qp.postRecv({ wrId });
    for (let wrId = 0; wrId < messages; wrId++) a.qp.postSend(send(wrId, []));
    await expectOverrun(a.context, a.sendCq);
    for (let event = a.context.tryGetAsyncEvent(); event !== null; event = a.context.tryGetAsyncEvent()) {
      a.context.ackAsyncEvent(event);
    }
    a.qp.destroy();
    a.sendCq.destroy();
    a.recvCq.destroy();
  });

  suite.works('a CQ that is just full does not overrun', ['rdmaWrite'], async (bench) => {
    const { a, b } = bench.pair({ a: { sendCqe: 4 }, cap: { maxSendWr: 64 } });
    const { cqe } = a.sendCq;
    for (let round = 0; round < 5; round++) {
      a.bytes[0] = round + 1;
      for (let wrId = 0; wrId < cqe; wrId++) a.qp.postSend(write(wrId, [a.sge(0, 1)], b, wrId));
      // The last one shows in memory without a poll, so the CQ is full then.
      await eventually('the last write', () => b.bytes[cqe - 1] === round + 1);
      const found = await completions(a.sendCq, cqe);
      expect(found.map(({ wrId }) => wrId)).to.deep.equal(Array.from({ length: cqe }, (_, wrId) => wrId));
    }
    expect(a.context.tryGetAsyncEvent()).to.equal(null);
  });
});
