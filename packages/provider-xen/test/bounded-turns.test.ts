/** A run of the scheduler ends, and what keeps it from going round for ever. Turns are counted: one that does not end fails here, and hangs nothing. */
import { expect } from 'chai';
import { RequestQueue } from '../src/backend/request-queue.ts';
import { POSTS_PER_RUN, QUANTUM_BYTES } from '../src/backend/scheduler.ts';
import type { Scheduler } from '../src/backend/scheduler.ts';
import { BoundedScheduler } from './support/bounded-scheduler.ts';
import { countingQp, sendOf } from './support/saturated-guest.ts';

/** Looks in one run, which has a few for each turn and one for each send. */
const LOOKS_MAX = 1000;

describe('a run of the scheduler', () => {
  let scheduler: Scheduler;

  beforeEach(() => {
    scheduler = new BoundedScheduler(LOOKS_MAX);
  });

  /** A guest with so many sends that wait. */
  function add(sends: number, bytes: number): { readonly queue: RequestQueue; readonly posted: readonly bigint[] } {
    const { qp, posted } = countingQp(POSTS_PER_RUN * 4);
    const queue = new RequestQueue(scheduler.link);
    for (let n = 0; n < sends; n++) queue.push(qp, [sendOf(bytes, n)]);
    scheduler.add(queue);
    return { queue, posted };
  }

  it('ends when no guest has anything', () => {
    add(0, 0);
    add(0, 0);
    expect(scheduler.run(0)).to.equal(false);
  });

  it('ends when those that have something wait for their own tokens', () => {
    const { queue, posted } = add(2, QUANTUM_BYTES);
    queue.bucket.set(1, 1, 0);
    expect(scheduler.run(0)).to.equal(false);
    expect(posted).to.have.length(0);
  });

  it('ends when the link takes no more', () => {
    const { posted } = add(2, QUANTUM_BYTES);
    scheduler.link.set(1, 1, 0);
    expect(scheduler.run(0)).to.equal(false);
    expect(posted).to.have.length(0);
  });

  it('ends after so many sends, although more wait', () => {
    const { posted } = add(POSTS_PER_RUN * 2, 64);
    expect(scheduler.run(0)).to.equal(true);
    expect(posted).to.have.length(POSTS_PER_RUN);
  });

  it('gives a guest a quantum in each of its turns, until its send may go', () => {
    const { posted } = add(1, 3 * QUANTUM_BYTES);
    expect(scheduler.run(0)).to.equal(true);
    expect(posted).to.have.length(1);
  });

  it('goes on to the next guest when the quantum of one is used up', () => {
    const guests = [add(2, QUANTUM_BYTES), add(2, QUANTUM_BYTES)];
    expect(scheduler.run(0)).to.equal(true);
    expect(guests.map(({ posted }) => posted.length)).to.deep.equal([2, 2]);
  });
});
