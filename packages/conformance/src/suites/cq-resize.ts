/** Resizing CQs (ibv_resize_cq). */
import { expect } from 'chai';
import type { Bench } from '../bench/bench.ts';
import { completions, completionsNow, expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import { expectCqEvent } from '../bench/cq-events.ts';
import { expectError } from '../bench/errors.ts';
import { send } from '../bench/requests.ts';
import type { Side } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';

/** Leaves `count` completions in the receive CQ of `b`, with wrIds from `first` on. */
async function fill(a: Side, b: Side, first: number, count: number): Promise<void> {
  for (let wrId = first; wrId < first + count; wrId++) {
    b.qp.postRecv({ wrId });
    a.qp.postSend(send(wrId, []));
  }
  // A send completes when its receive has: once these are there, so are the others.
  await completions(a.sendCq, count);
}

async function expectWrIds(side: Side, from: number, to: number): Promise<void> {
  const found = await completions(side.recvCq, to - from);
  expect(found.map(({ wrId }) => wrId)).to.deep.equal(Array.from({ length: to - from }, (_, index) => from + index));
  expectNoCompletion(side.recvCq);
}

function pair(bench: Bench, recvCqe: number): { a: Side; b: Side } {
  return bench.pair({ cap: { maxSendWr: 200, maxRecvWr: 200 }, recvCqe });
}

export const cqResizeSuite = defineSuite('cq-resize', ['rc', 'resizeCq'], (suite) => {
  suite.works('grows and shrinks', (bench) => {
    const cq = bench.open().createCq({ cqe: 8 });
    for (const cqe of [9, 100, 1000, 50, 1, 300]) {
      cq.resize(cqe);
      expect(cq.cqe).to.be.at.least(cqe);
      expectNoCompletion(cq);
    }
  });

  suite.works('keeps completions that were not polled, in their order, wherever the ring stands', async (bench) => {
    for (const polledBefore of [0, 1, 5, 30, 61]) {
      const { a, b } = pair(bench, 16);
      for (let wrId = 0; wrId < polledBefore; wrId++) {
        await fill(a, b, wrId, 1);
        await expectWrIds(b, wrId, wrId + 1);
      }
      await fill(a, b, 1000, 10);
      b.recvCq.resize(100);
      await fill(a, b, 1010, 50);
      await expectWrIds(b, 1000, 1060);
      b.recvCq.resize(16);
      await fill(a, b, 2000, 10);
      await expectWrIds(b, 2000, 2010);
    }
  });

  suite.works('has the room that it says', async (bench) => {
    const { a, b } = pair(bench, 4);
    b.recvCq.resize(150);
    await fill(a, b, 0, 150);
    await expectWrIds(b, 0, 150);
  });

  suite.works('stays armed', ['completionEvents'], async (bench) => {
    const { a, b } = bench.pair({ recvCqe: 8, withChannels: true });
    b.recvCq.reqNotify();
    b.recvCq.resize(64);
    await fill(a, b, 0, 1);
    await expectCqEvent(b.recvCq);
    await expectWrIds(b, 0, 1);
  });

  suite.works('while traffic goes on', async (bench) => {
    const { a, b } = pair(bench, 200);
    const sizes = [250, 300, 220, 1000, 200];
    let received = 0;
    for (let round = 0; round < 40; round++) {
      for (let index = 0; index < 10; index++) {
        b.qp.postRecv({ wrId: round * 10 + index });
        a.qp.postSend(send(round * 10 + index, []));
      }
      // In the middle of it, with completions on their way if the device is another thread.
      b.recvCq.resize(sizes[round % sizes.length]);
      for (const { wrId } of completionsNow(b.recvCq)) expect(wrId).to.equal(received++);
      await completions(a.sendCq, 10);
    }
    for (const { wrId } of completionsNow(b.recvCq)) expect(wrId).to.equal(received++);
    expect(received).to.equal(400);
  });

  suite.provokes('refuses sizes that it can’t have', async (bench) => {
    const { a, b } = pair(bench, 16);
    const { maxCqe } = a.context.queryDevice();
    const { cqe } = b.recvCq;
    await fill(a, b, 0, 10);
    for (const wrong of [0, -1, 0.5, NaN, maxCqe + 1]) {
      expectError('EINVAL', () => {
        b.recvCq.resize(wrong);
      });
      expect(b.recvCq.cqe).to.equal(cqe);
    }
    await expectWrIds(b, 0, 10);
  });

  suite.provokes('refuses to become smaller than what is in it', async (bench) => {
    const { a, b } = pair(bench, 64);
    await fill(a, b, 0, 40);
    // It may stay larger than asked for; then there is nothing to refuse.
    try {
      b.recvCq.resize(3);
      expect(b.recvCq.cqe).to.be.at.least(40);
    } catch (error) {
      expectError('EINVAL', () => {
        throw error;
      });
    }
    await expectWrIds(b, 0, 40);
    a.qp.postSend(send(99, []));
    b.qp.postRecv({ wrId: 99 });
    await expectCompletions(b.recvCq, { wrId: 99 });
  });
});
