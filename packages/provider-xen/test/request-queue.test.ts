import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import type { Clock } from '@openverbs/machine';
import { Sge, VerbsError } from '@openverbs/verbs';
import type { QueuePair, SendWr } from '@openverbs/verbs';
import { postRefusal } from '../src/backend/handlers/post-refusal.ts';
import { RequestQueue } from '../src/backend/request-queue.ts';
import { Requests } from '../src/backend/requests.ts';
import { Scheduler } from '../src/backend/scheduler.ts';
import { countingQp, sendOf } from './support/saturated-guest.ts';

/** What a send is charged at least, in bytes. */
const LEAST = 64;
/** Sends that have gone and still have a place in the list, at most. */
const GONE_AT_MOST = 1024;
/** Sends that may wait for all queue pairs of a guest. */
const WAITING_MAX = 65536;

describe('the request queue of a guest', () => {
  it('posts in order, whatever the number', () => {
    const queue = new RequestQueue();
    const { qp, posted } = countingQp(5000);
    const ids = Array.from({ length: 3000 }, (_, n) => n);
    for (const id of ids) queue.push(qp, [sendOf(100, id)]);
    while (queue.length > 0) queue.postNext();
    expect(posted.map(Number)).to.deep.equal(ids);
    expect(queue.bytes).to.equal(300_000);
    expect(queue.holds(qp)).to.equal(false);
  });

  it('holds nothing of a send that has gone long ago, however many wait still', async () => {
    const queue = new RequestQueue();
    const { qp } = countingQp(5000);
    const push = (id: number): WeakRef<SendWr> => {
      const wr = sendOf(1, id);
      queue.push(qp, [wr]);
      return new WeakRef(wr);
    };
    const first = push(0);
    for (let id = 1; id < 3000; id++) push(id);
    for (let n = 0; n < GONE_AT_MOST; n++) queue.postNext();
    // What a reference has given stays until the end of this turn of the event loop.
    await setImmediate();
    collect();
    expect(first.deref()).to.equal(undefined);
    expect(queue.length).to.equal(3000 - GONE_AT_MOST);
  });

  it('holds nothing of the last send when that has gone', async () => {
    const queue = new RequestQueue();
    const { qp } = countingQp();
    const push = (): WeakRef<SendWr> => {
      const wr = sendOf(1);
      queue.push(qp, [wr]);
      return new WeakRef(wr);
    };
    const last = push();
    queue.postNext();
    await setImmediate();
    collect();
    expect(last.deref()).to.equal(undefined);
    expect(queue.length).to.equal(0);
  });

  it('refuses more than the QP has room for, and names the one', () => {
    const queue = new RequestQueue();
    const { qp } = countingQp(2);
    let error: unknown;
    try {
      queue.push(qp, [sendOf(1), sendOf(1), sendOf(1)]);
    } catch (thrown) {
      error = thrown;
    }
    expect(VerbsError.is(error) && [error.code, error.details?.['badWrIndex']]).to.deep.equal(['ENOMEM', 2]);
    expect(queue.length).to.equal(2);
    queue.postNext();
    queue.push(qp, [sendOf(1)]);
  });

  it('refuses more than wait for a guest, however many QPs it has, and names the one', () => {
    const queue = new RequestQueue();
    const [first, second] = [countingQp(WAITING_MAX), countingQp(WAITING_MAX)];
    queue.push(
      first.qp,
      Array.from({ length: WAITING_MAX - 1 }, () => sendOf(1)),
    );
    let error: unknown;
    try {
      queue.push(second.qp, [sendOf(1), sendOf(1)]);
    } catch (thrown) {
      error = thrown;
    }
    expect(VerbsError.is(error) && [error.code, error.details?.['badWrIndex']]).to.deep.equal(['ENOMEM', 1]);
    expect(queue.length).to.equal(WAITING_MAX);
    queue.postNext();
    queue.push(second.qp, [sendOf(1)]);
  });

  it('takes nothing that its QP has no place for, and names the one', () => {
    const queue = new RequestQueue();
    const { qp } = countingQp(8);
    const refusal = (wr: SendWr): unknown =>
      postRefusal(() => {
        queue.push(qp, [sendOf(1), wr]);
      });
    const many = sendOf(1);
    many.sgList = Array.from({ length: qp.cap.maxSendSge + 1 }, () => new Sge());
    const long = sendOf(1);
    long.inlineData = new Uint8Array(qp.cap.maxInlineData + 1);
    for (const wr of [many, long]) expect(refusal(wr)).to.deep.equal({ errno: 22, badWrIndex: 1 });
    expect(queue.length).to.equal(2);
  });

  it('flushes and drops those of one QP alone', () => {
    const queue = new RequestQueue();
    const [a, b] = [countingQp(), countingQp()];
    for (let id = 0; id < 4; id++) {
      queue.push(a.qp, [sendOf(1, id)]);
      queue.push(b.qp, [sendOf(1, id)]);
    }
    queue.postNext();
    queue.flush(a.qp);
    expect(a.posted).to.have.lengthOf(4);
    expect([queue.length, queue.holds(a.qp), queue.holds(b.qp)]).to.deep.equal([4, false, true]);
    queue.drop(b.qp);
    expect([queue.length, b.posted.length, queue.holds(b.qp)]).to.deep.equal([0, 0, false]);
    queue.push(b.qp, [sendOf(1, 9)]);
    expect(queue.length).to.equal(1);
  });

  it('counts what the device refuses, and goes on', () => {
    const queue = new RequestQueue();
    const counting = countingQp();
    queue.push(counting.qp, [sendOf(1), sendOf(1)]);
    counting.refuses = true;
    queue.postNext();
    counting.refuses = false;
    queue.postNext();
    expect([queue.refused, counting.posted.length]).to.deep.equal([1, 1]);
  });

  it('charges nothing for what it flushes', () => {
    const queue = new RequestQueue();
    const { qp, posted } = countingQp();
    queue.push(qp, [sendOf(1000), sendOf(1000)]);
    queue.flush(qp);
    expect([posted.length, queue.bytes]).to.deep.equal([2, 0]);
  });

  it('charges the least for what the device refuses, for what is longer than any message, and for what is less', () => {
    const queue = new RequestQueue();
    const counting = countingQp();
    queue.push(counting.qp, [sendOf(4096), sendOf(4097), sendOf(LEAST - 1), sendOf(4096)], 4096);
    queue.postNext();
    expect(queue.bytes).to.equal(4096);
    queue.postNext();
    expect(queue.bytes).to.equal(4096 + LEAST);
    queue.postNext();
    expect(queue.bytes).to.equal(4096 + 2 * LEAST);
    counting.refuses = true;
    queue.postNext();
    expect(queue.bytes).to.equal(4096 + 3 * LEAST);
  });

  it('holds nothing when its guest goes', () => {
    const queue = new RequestQueue();
    const { qp } = countingQp();
    const requests = new Requests(queue, new Scheduler(), { nowNs: () => 0 } as Clock);
    queue.push(qp, [sendOf(1)]);
    requests.close();
    expect([queue.length, queue.holds(qp)]).to.deep.equal([0, false]);
  });

  describe('when nobody waits', () => {
    /** Posts at once, and tells what was charged and what waits. */
    function post(lengths: readonly number[], badWrIndex: number, rateBytesPerS = 0): readonly number[] {
      const scheduler = new Scheduler();
      scheduler.link.set(rateBytesPerS, 1000, 0);
      // It is full by then.
      scheduler.link.ready(1e9);
      const queue = new RequestQueue(scheduler.link);
      const requests = new Requests(queue, scheduler, { nowNs: () => 1e9 } as Clock);
      const { qp } = pickyQp(badWrIndex);
      const wrs = lengths.map((length, n) => sendOf(length, n));
      const refused = postRefusal(() => {
        requests.post(qp, wrs, 4096);
      });
      return [refused.errno === 0 ? -1 : refused.badWrIndex, queue.bytes, queue.length];
    }

    it('charges those before the one that the device refuses, and the least for that', () => {
      expect(post([1000, 2000, 4000, 500], 2)).to.deep.equal([2, 3000 + LEAST, 0]);
      expect(post([4000], 0)).to.deep.equal([0, LEAST, 0]);
      expect(post([1000, 2000], 9)).to.deep.equal([-1, 3000, 0]);
    });

    it('charges the least for what is longer than any message', () => {
      expect(post([1000, 4097, 2 ** 32 - 1], 9)).to.deep.equal([-1, 1000 + 2 * LEAST, 0]);
    });

    it('posts of a list no more than there are tokens for; the rest waits', () => {
      expect(post([900, 4000, 4000, 4000], 9, 1e6)).to.deep.equal([-1, 4900, 2]);
      expect(post([900, 4000, 4000, 4000], 1, 1e6)).to.deep.equal([1, 900 + LEAST, 0]);
    });

    it('names the one for which there is no room, counted from the first of the list', () => {
      expect(post(new Array<number>(7).fill(4000), 9, 1e6)).to.deep.equal([5, 4000, 4]);
    });
  });
});

/** Collects all garbage. */
function collect(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  setFlagsFromString('--no-expose-gc');
}

/** Room of a lower QP that is picky. */
const ROOM = 4;

/** A lower QP that refuses a work request by its number; those before it in the list are posted. */
function pickyQp(badWrId: number): { readonly qp: QueuePair } {
  const qp = {
    label: 'QP 1',
    cap: { maxSendWr: ROOM },
    postSend: (wrs: SendWr | readonly SendWr[]) => {
      const badWrIndex = [wrs].flat().findIndex(({ wrId }) => Number(wrId) === badWrId);
      if (badWrIndex >= 0) throw new VerbsError({ code: 'EINVAL', message: 'wrong', details: { badWrIndex } });
    },
  };
  return { qp: qp as unknown as QueuePair };
}
