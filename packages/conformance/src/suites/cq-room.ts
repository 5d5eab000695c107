/**
 * Places in a CQ: a completion has one until it was polled, and none after that, however polls fetch them. So a CQ overruns with the
 * first completion that it has no place for, neither sooner nor later (ibv_poll_cq, ibv_resize_cq; IBTA 10.2.2.3).
 */
import { expect } from 'chai';
import { QpState, WcStatus, type CompletionQueue } from '@openverbs/verbs';
import { expectNoAsyncEvent, expectOverrun } from '../bench/async-events.ts';
import type { Bench } from '../bench/bench.ts';
import { completions, expectNoCompletion } from '../bench/completions.ts';
import { expectError } from '../bench/errors.ts';
import { send, write } from '../bench/requests.ts';
import type { Side, SideOptions } from '../bench/side.ts';
import { eventually } from '../bench/wait.ts';
import { defineSuite } from '../define-suite.ts';

const cap = { maxSendWr: 128, maxRecvWr: 128 };
const ROUNDS = 3;

/** Two ends, of which `b` receives into a small CQ. */
function smallReceiver(bench: Bench, b: SideOptions = {}): { a: Side; b: Side; cq: CompletionQueue; cqe: number } {
  const pair = bench.pair({ cap, b: { recvCqe: 4, ...b } });
  const cq = pair.b.recvCq;
  expect(cq.cqe, 'the test fills it').to.be.within(4, 32);
  return { ...pair, cq, cqe: cq.cqe };
}

/** Sends messages; once their sends are complete, so are their receives. */
async function deliver(from: Side, count: number): Promise<void> {
  for (let wrId = 0; wrId < count; wrId++) from.qp.postSend(send(wrId, []));
  await completions(from.sendCq, count);
}

function postReceives(to: { postRecv(wr: { readonly wrId: number }): void }, first: number, count: number): void {
  for (let wrId = first; wrId < first + count; wrId++) to.postRecv({ wrId });
}

/** Polls one at a time, and says which they have to be. */
async function pollOneByOne(cq: CompletionQueue, first: number, count: number): Promise<void> {
  for (let wrId = first; wrId < first + count; wrId++) {
    const [wc] = await completions(cq, 1);
    expect(wc.wrId).to.equal(wrId);
  }
}

/** The CQ is full, and one of its completions was polled: `cqe - 1` wait, of which the first has wrId 1. */
async function fullButOne(bench: Bench, b: SideOptions = {}): Promise<ReturnType<typeof smallReceiver>> {
  const receiver = smallReceiver(bench, b);
  postReceives(receiver.b.qp, 0, receiver.cqe);
  await deliver(receiver.a, receiver.cqe);
  await pollOneByOne(receiver.cq, 0, 1);
  return receiver;
}

export const cqRoomSuite = defineSuite('cq-room', ['rc', 'asyncEvents'], (suite) => {
  suite.works('each poll makes room for one more', ['rdmaWrite'], async (bench) => {
    const { a, b } = bench.pair({ cap, a: { sendCqe: 4 } });
    const { cqe } = a.sendCq;
    const writeNext = async (wrId: number): Promise<void> => {
      a.bytes[0] = (wrId % 250) + 1;
      a.qp.postSend(write(wrId, [a.sge(0, 1)], b, 0));
      await eventually('the write', () => b.bytes[0] === a.bytes[0]);
    };
    for (let wrId = 0; wrId < cqe; wrId++) await writeNext(wrId);
    for (let wrId = 0; wrId < ROUNDS * cqe; wrId++) {
      await pollOneByOne(a.sendCq, wrId, 1);
      await writeNext(cqe + wrId);
    }
    await pollOneByOne(a.sendCq, ROUNDS * cqe, cqe);
    expectNoAsyncEvent(a.context);
  });

  suite.provokes('sends: what was not polled has its place, and one too many overruns', async (bench) => {
    const { a, b } = bench.pair({ cap, a: { sendCqe: 4 } });
    const { cqe } = a.sendCq;
    postReceives(b.qp, 0, cqe + 2);
    for (let wrId = 0; wrId < cqe; wrId++) a.qp.postSend(send(wrId, []));
    await completions(b.recvCq, cqe);
    await pollOneByOne(a.sendCq, 0, 1);
    a.qp.postSend(send(cqe, []));
    a.qp.postSend(send(cqe + 1, []));
    await expectOverrun(a.context, a.sendCq);
  });

  suite.works('more receives than places, for a program that polls in time', async (bench) => {
    const { a, b, cq, cqe } = smallReceiver(bench);
    postReceives(b.qp, 0, ROUNDS * cqe);
    for (let round = 0; round < ROUNDS; round++) {
      await deliver(a, cqe);
      await pollOneByOne(cq, round * cqe, cqe);
    }
    expectNoAsyncEvent(b.context);
  });

  suite.provokes('more receives than places: two polled make room for two, the third overruns', async (bench) => {
    const { a, b, cq, cqe } = smallReceiver(bench);
    postReceives(b.qp, 0, 2 * cqe);
    await deliver(a, cqe);
    await pollOneByOne(cq, 0, 2);
    await deliver(a, 2);
    expectNoAsyncEvent(b.context);
    a.qp.postSend(send(9, []));
    await expectOverrun(b.context, cq);
  });

  suite.works('receives of an SRQ, more than places, for a program that polls in time', ['srq'], async (bench) => {
    const context = bench.open();
    const pd = context.allocPd();
    const srq = pd.createSrq({ attr: { maxWr: 128 } });
    const { a, cq, cqe } = smallReceiver(bench, { context, pd, srq });
    postReceives(srq, 0, 2 * cqe);
    for (let round = 0; round < ROUNDS; round++) {
      await deliver(a, cqe);
      // The room of what was polled is there before more can come.
      await pollOneByOne(cq, round * cqe, cqe - 1);
      postReceives(srq, (round + 2) * cqe, cqe);
      await pollOneByOne(cq, (round + 1) * cqe - 1, 1);
    }
    expectNoAsyncEvent(context);
  });

  suite.provokes('receives of an SRQ: one too many overruns', ['srq'], async (bench) => {
    const context = bench.open();
    const pd = context.allocPd();
    const srq = pd.createSrq({ attr: { maxWr: 128 } });
    const { a, cq, cqe } = smallReceiver(bench, { context, pd, srq });
    postReceives(srq, 0, cqe);
    await deliver(a, cqe);
    await pollOneByOne(cq, 0, 1);
    postReceives(srq, cqe, 2);
    await deliver(a, 1);
    expectNoAsyncEvent(context);
    a.qp.postSend(send(9, []));
    await expectOverrun(context, cq);
  });

  for (const [end, ending] of [
    ['destroyed', (side: Side) => side.qp.destroy()],
    ['reset', (side: Side) => side.qp.modify({ qpState: QpState.RESET })],
  ] as const) {
    suite.works(`completions of a QP that is ${end} have no places`, async (bench) => {
      const { a, b, cq, cqe } = await fullButOne(bench);
      const other = bench.pair({ cap, b: { context: b.context, cq } });
      postReceives(other.b.qp, 100, cqe);
      ending(b);
      await deliver(other.a, cqe);
      expectNoAsyncEvent(b.context);
      await pollOneByOne(cq, 100, cqe);
      expectNoCompletion(cq);
      expect(a.qp.qpNum, 'its peer is still there').to.be.above(0);
    });

    suite.provokes(`beside a QP that is ${end}, the completions of others have theirs`, async (bench) => {
      const { b, cq, cqe } = await fullButOne(bench);
      const other = bench.pair({ cap, b: { context: b.context, cq } });
      postReceives(other.b.qp, 100, cqe + 2);
      await deliver(other.a, 1);
      ending(b);
      await deliver(other.a, cqe - 1);
      expectNoAsyncEvent(b.context);
      await pollOneByOne(cq, 100, 1);
      await deliver(other.a, 1);
      other.a.qp.postSend(send(9, []));
      await expectOverrun(b.context, cq);
    });
  }

  suite.provokes('a resize counts what was not polled', ['resizeCq'], async (bench) => {
    const { a, b, cq, cqe } = await fullButOne(bench);
    expectError('EINVAL', () => {
      cq.resize(1);
    });
    expect(cq.cqe).to.equal(cqe);
    cq.resize(cqe + 1);
    const more = cq.cqe - (cqe - 1);
    postReceives(b.qp, cqe, more + 1);
    await deliver(a, more);
    expectNoAsyncEvent(b.context);
    await pollOneByOne(cq, 1, 1);
    await deliver(a, 1);
    expectNoAsyncEvent(b.context);
    postReceives(b.qp, 99, 1);
    a.qp.postSend(send(9, []));
    await expectOverrun(b.context, cq);
  });

  suite.works('a flush that just fits does not overrun', async (bench) => {
    const { b, cq, cqe } = await fullButOne(bench);
    postReceives(b.qp, cqe, 1);
    b.qp.modify({ qpState: QpState.ERR });
    const found = await completions(cq, cqe);
    expect(found.map(({ wrId }) => wrId)).to.deep.equal(Array.from({ length: cqe }, (_, index) => index + 1));
    expect(found[cqe - 1].status).to.equal(WcStatus.WR_FLUSH_ERR);
    expectNoAsyncEvent(b.context);
  });

  suite.provokes('a flush that does not fit overruns', async (bench) => {
    const { b, cq, cqe } = await fullButOne(bench);
    postReceives(b.qp, cqe, 2);
    b.qp.modify({ qpState: QpState.ERR });
    await expectOverrun(b.context, cq);
  });
});
