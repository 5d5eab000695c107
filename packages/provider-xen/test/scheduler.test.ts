import { expect } from 'chai';
import { BoundedScheduler } from './support/bounded-scheduler.ts';
import { SaturatedGuest } from './support/saturated-guest.ts';

const MIB = 2 ** 20;
const MS_NS = 1e6;
const TOLERANCE = 0.05;
/** Runs after which nothing goes any more. */
const RUNS_MAX = 100_000;

/** Guests that never run dry, below one scheduler, and time that a test moves. */
class World {
  readonly scheduler = new BoundedScheduler();
  readonly guests: SaturatedGuest[] = [];
  nowNs = 0;

  add(bytes: number, weight = 1): SaturatedGuest {
    const guest = new SaturatedGuest(this.scheduler.link, bytes, weight);
    this.scheduler.add(guest.queue);
    this.guests.push(guest);
    return guest;
  }

  /** Lets `bytes` of all guests go, and tells how many of each went. */
  send(bytes: number): number[] {
    return this.#during(() => {
      const start = this.#total;
      for (let runs = 0; this.#total - start < bytes; runs++) {
        expect(runs, 'runs').to.be.below(RUNS_MAX);
        this.#run();
      }
    });
  }

  /** Lets time pass, and tells how many bytes of each guest went. */
  pass(ms: number, runsPerMs = 1): number[] {
    return this.#during(() => {
      for (let at = 0; at < ms; at++) {
        this.nowNs += MS_NS;
        for (let n = 0; n < runsPerMs; n++) this.#run();
      }
    });
  }

  get #total(): number {
    return this.guests.reduce((sum, { queue }) => sum + queue.bytes, 0);
  }

  #run(): void {
    for (const guest of this.guests) guest.fill();
    this.scheduler.run(this.nowNs);
  }

  #during(body: () => void): number[] {
    const before = this.guests.map(({ queue }) => queue.bytes);
    body();
    return this.guests.map(({ queue }, n) => queue.bytes - before[n]);
  }
}

function expectShares(went: readonly number[], weights: readonly number[]): void {
  const total = went.reduce((sum, each) => sum + each, 0);
  const ofWeights = weights.reduce((sum, each) => sum + each, 0);
  went.forEach((bytes, n) => {
    const fair = (total * weights[n]) / ofWeights;
    expect(bytes, `guest ${n} of weight ${weights[n]}`).to.be.within(fair * (1 - TOLERANCE), fair * (1 + TOLERANCE));
  });
}

describe('the scheduler', () => {
  for (const count of [2, 3, 8, 16]) {
    it(`gives ${count} guests of equal weights equal shares, whatever the size of their messages`, () => {
      const world = new World();
      for (let n = 0; n < count; n++) world.add(4096 << (n % 9));
      const went = world.send(count * 48 * MIB);
      expectShares(went, new Array<number>(count).fill(1));
    });
  }

  it('gives shares by weight', () => {
    const world = new World();
    const weights = [1, 2, 3, 8, 16];
    weights.forEach((weight, n) => world.add(8192 << n, weight));
    expectShares(world.send(1024 * MIB), weights);
  });

  it('takes new weights while guests send', () => {
    const world = new World();
    world.add(16384);
    const second = world.add(65536, 3);
    expectShares(world.send(256 * MIB), [1, 3]);
    second.queue.weight = 7;
    expectShares(world.send(256 * MIB), [1, 7]);
  });

  it('shares out what the link takes, by weight, and sends no more than that', () => {
    const world = new World();
    const weights = [1, 1, 2, 4];
    for (const weight of weights) world.add(16384, weight);
    world.scheduler.link.set(400e6, 0, 0);
    const went = world.pass(1000);
    expectShares(went, weights);
    const total = went.reduce((sum, each) => sum + each, 0);
    expect(total).to.be.within(400e6 * (1 - TOLERANCE), 400e6 * (1 + TOLERANCE));
  });

  for (const rate of [4e6, 30e6, 500e6]) {
    it(`keeps a guest to ${rate / 1e6} MB/s, and holds nobody else back`, () => {
      const world = new World();
      const limited = world.add(16384);
      world.add(65536);
      limited.queue.bucket.set(rate, 0, 0);
      const [ofLimited, ofOther] = world.pass(500, 4);
      expect(ofLimited).to.be.within((rate / 2) * (1 - TOLERANCE), (rate / 2) * (1 + TOLERANCE));
      expect(ofOther).to.be.above(1e9);
    });
  }

  it('takes a new rate while the guest sends', () => {
    const world = new World();
    const { queue } = world.add(4096);
    queue.bucket.set(10e6, 0, 0);
    const [slow] = world.pass(1000);
    queue.bucket.set(40e6, 0, world.nowNs);
    const [fast] = world.pass(1000);
    expect(slow).to.be.within(9.5e6, 10.5e6);
    expect(fast).to.be.within(38e6, 42e6);
  });

  it('lets a guest that was held to a rate save up nothing for later', () => {
    const world = new World();
    const limited = world.add(16384);
    world.add(16384);
    limited.queue.bucket.set(1e5, 0, 0);
    world.pass(500, 4);
    limited.queue.bucket.set(0, 0, world.nowNs);
    expectShares(world.send(32 * MIB), [1, 1]);
  });

  it('says when the next may go', () => {
    const world = new World();
    const { queue } = world.add(65536);
    expect(world.scheduler.nextNs(0)).to.equal(Infinity);
    queue.bucket.set(1e6, 1000, 0);
    world.pass(10);
    const nextNs = world.scheduler.nextNs(world.nowNs);
    expect(nextNs).to.be.above(world.nowNs);
    const before = queue.bytes;
    expect(world.scheduler.run(nextNs - 2000)).to.equal(false);
    expect(world.scheduler.run(nextNs)).to.equal(true);
    expect(queue.bytes).to.equal(before + 65536);
  });

  it('says when the first of several may go, and none before the link takes it', () => {
    const world = new World();
    const { scheduler } = world;
    const rates = [4e6, 1e6, 2e6];
    for (const rate of rates) {
      const guest = world.add(65536);
      guest.fill();
      guest.queue.bucket.set(rate, 1000, 0);
    }
    const firstNs = Math.min(...world.guests.map(({ queue }) => queue.bucket.readyAtNs(0)));
    expect(firstNs).to.be.above(0);
    expect(scheduler.nextNs(0)).to.equal(firstNs);
    scheduler.link.set(1e3, 1000, 0);
    expect(scheduler.nextNs(0)).to.equal(scheduler.link.readyAtNs(0)).and.above(firstNs);
  });

  it('goes on with the others when a guest leaves in its turn', () => {
    const world = new World();
    const first = world.add(65536);
    world.add(65536);
    world.add(65536);
    world.send(MIB);
    world.scheduler.remove(first.queue);
    const left = first.queue.bytes;
    const went = world.send(64 * MIB);
    expect(first.queue.bytes).to.equal(left);
    expectShares(went.slice(1), [1, 1]);
  });

  it('lets a guest post at once only when nobody waits, and it and the link may send', () => {
    const world = new World();
    const [first, second] = [world.add(4096), world.add(4096)];
    const { scheduler } = world;
    expect(scheduler.isIdle(first.queue, 0)).to.equal(true);
    second.fill();
    expect(scheduler.isIdle(first.queue, 0)).to.equal(false);
    while (scheduler.run(0));
    expect(scheduler.isIdle(first.queue, 0)).to.equal(true);
    first.queue.bucket.set(1e6, 0, 0);
    expect([first, second].map(({ queue }) => scheduler.isIdle(queue, 0))).to.deep.equal([false, true]);
    scheduler.link.set(1e6, 0, 0);
    expect(scheduler.isIdle(second.queue, 0)).to.equal(false);
  });
});
