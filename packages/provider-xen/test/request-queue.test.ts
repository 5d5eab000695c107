import { expect } from 'chai';
import { VerbsError } from '@openverbs/verbs';
import { RequestQueue } from '../src/backend/request-queue.ts';
import { countingQp, sendOf } from './support/saturated-guest.ts';

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
    expect([queue.length, b.posted.length]).to.deep.equal([0, 0]);
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
});
