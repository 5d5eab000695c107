import { expect } from 'chai';
import { POSTS_PER_RUN, QUANTUM_BYTES } from '../src/backend/scheduler.ts';
import { RequestQueue } from '../src/backend/request-queue.ts';
import { BoundedScheduler } from './support/bounded-scheduler.ts';
import { countingQp, sendOf } from './support/saturated-guest.ts';

const SENDS = 8;

/** Guests below one scheduler, whose link takes one send and no more until time passes. */
class World {
  readonly scheduler = new BoundedScheduler();
  #nowNs = 0;

  constructor() {
    this.scheduler.link.set(1, 1, 0);
  }

  /** A guest with sends of so many bytes. */
  add(bytes: number): { readonly queue: RequestQueue; readonly posted: readonly bigint[] } {
    const { qp, posted } = countingQp(SENDS);
    const queue = new RequestQueue(this.scheduler.link);
    for (let n = 0; n < SENDS; n++) queue.push(qp, [sendOf(bytes, n)]);
    this.scheduler.add(queue);
    return { queue, posted };
  }

  /** Lets the link take one send more. */
  run(): void {
    this.#nowNs += QUANTUM_BYTES * 2e9;
    this.scheduler.run(this.#nowNs);
  }
}

describe('turns of guests', () => {
  function three(): { world: World; guests: ReturnType<World['add']>[]; went: () => number[] } {
    const world = new World();
    const guests = [1, 2, 3].map(() => world.add(QUANTUM_BYTES));
    return { world, guests, went: () => guests.map(({ posted }) => posted.length) };
  }

  it('end when the link takes no more, in the middle of what a guest may send', () => {
    const world = new World();
    const { posted } = world.add(64);
    world.run();
    expect(posted).to.have.length(1);
  });

  it('go on where they were when a run has posted so many', () => {
    const scheduler = new BoundedScheduler();
    const guests = [1, 2].map(() => {
      const { qp, posted } = countingQp(3 * POSTS_PER_RUN);
      const queue = new RequestQueue();
      for (let n = 0; n < 3 * POSTS_PER_RUN; n++) queue.push(qp, [sendOf(64, n)]);
      scheduler.add(queue);
      return posted;
    });
    for (const runs of [1, 2]) {
      scheduler.run(0);
      expect(guests.map(({ length }) => length)).to.deep.equal([runs * POSTS_PER_RUN, 0]);
    }
  });

  it('leave a guest that has nothing more to send none of its quantum for later', () => {
    const world = new World();
    const { queue } = world.add(64);
    for (let n = 0; n < SENDS + 1; n++) world.run();
    expect([queue.length, queue.deficit]).to.deep.equal([0, 0]);
  });

  it('come one after the other', () => {
    const { world, went } = three();
    world.run();
    expect(went()).to.deep.equal([1, 0, 0]);
    world.run();
    expect(went()).to.deep.equal([1, 1, 0]);
    world.run();
    world.run();
    expect(went()).to.deep.equal([2, 1, 1]);
  });

  it('go on with the next when a guest before it leaves', () => {
    const { world, guests, went } = three();
    world.run();
    world.run();
    world.scheduler.remove(guests[0].queue);
    world.run();
    expect(went()).to.deep.equal([1, 1, 1]);
  });

  it('go on with the next when the guest leaves whose turn it is', () => {
    const { world, guests, went } = three();
    world.run();
    world.scheduler.remove(guests[0].queue);
    world.run();
    expect(went()).to.deep.equal([1, 1, 0]);
  });

  it('begin anew with the first when the last leaves in its turn', () => {
    const { world, guests, went } = three();
    for (let n = 0; n < 3; n++) world.run();
    world.scheduler.remove(guests[2].queue);
    world.run();
    expect(went()).to.deep.equal([2, 1, 1]);
  });

  it('are as they were when one leaves that is not there', () => {
    const { world, guests, went } = three();
    world.scheduler.remove(guests[1].queue);
    world.scheduler.remove(guests[1].queue);
    world.run();
    world.run();
    expect(went()).to.deep.equal([1, 0, 1]);
  });
});
