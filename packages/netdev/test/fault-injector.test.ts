import { expect } from 'chai';
import { Machine, MachineError } from '@openverbs/machine';
import { FaultInjector, FrameQueue, FRAMES_MAX, NO_FAULTS, portId, REORDER_NS_MAX } from '../src/index.ts';
import type { Faults } from '../src/index.ts';

const MEMORY_BYTES = 32 * 2 ** 20;
const HERE = portId(0, 1);
const THERE = portId(1, 1);
const NS_PER_US = 1000;
/** Frames of which a share is counted. A share of p is then within 4 standard deviations but for one run of 16000, and each seed has the same. */
const FRAMES = 4000;

interface World {
  readonly machine: Machine;
  readonly frames: FrameQueue;
  readonly faults: FaultInjector;
}

/** A frame that has arrived. */
interface Arrival {
  readonly bytes: Uint8Array;
  readonly atNs: number;
}

function makeWorld(faults: Partial<Faults> = {}): World {
  const machine = Machine.create({ memoryBytes: MEMORY_BYTES });
  const frames = new FrameQueue(machine);
  const injector = new FaultInjector(machine, frames);
  injector.set(faults);
  return { machine, frames, faults: injector };
}

/** Sends a frame whose first word is `n`. */
function send({ machine, frames, faults }: World, n: number, nowNs: number, to = THERE, from = HERE): void {
  const frame = frames.alloc();
  machine.u8.fill(0, frame, frame + 64);
  machine.i32[frame >>> 2] = n;
  faults.send(frame, 64, from, to, nowNs);
}

/** Takes all frames, each when it arrives: as under the virtual clock, time goes from one to the next. */
function takeAll({ machine, frames }: World): Arrival[] {
  const arrivals: Arrival[] = [];
  for (let atNs = frames.earliestNs; atNs !== Infinity; atNs = frames.earliestNs) {
    const frame = frames.take(atNs);
    arrivals.push({ bytes: machine.u8.slice(frame, frame + frames.length(frame)), atNs });
    frames.free(frame);
  }
  return arrivals;
}

function numbers(arrivals: readonly Arrival[]): number[] {
  return arrivals.map(({ bytes }) => new Int32Array(bytes.slice(0, 4).buffer)[0]);
}

/** Sends {@link FRAMES} frames, one at a time; what has arrived of them. */
function sendMany(faults: Partial<Faults>): { world: World; arrivals: Arrival[] } {
  const world = makeWorld(faults);
  const arrivals: Arrival[] = [];
  for (let n = 0; n < FRAMES; n++) {
    send(world, n, 0);
    arrivals.push(...takeAll(world));
  }
  return { world, arrivals };
}

/** Four standard deviations of a share of {@link FRAMES}. */
function tolerance(share: number): number {
  return 4 * Math.sqrt((share * (1 - share)) / FRAMES);
}

describe('FaultInjector', () => {
  it('does nothing to frames unless it is told', () => {
    const { world, arrivals } = sendMany({});
    expect(numbers(arrivals)).to.deep.equal(Array.from({ length: FRAMES }, (_, n) => n));
    expect(world.faults.counters).to.deep.equal({
      sent: FRAMES,
      dropped: 0,
      duplicated: 0,
      reordered: 0,
      corrupted: 0,
      partitioned: 0,
    });
    expect(world.faults.faults).to.deep.equal(NO_FAULTS);
    expect(world.frames.available).to.equal(FRAMES_MAX);
  });

  const probabilities = ['drop', 'duplicate', 'reorder', 'corrupt'] as const;
  const counterOf = { drop: 'dropped', duplicate: 'duplicated', reorder: 'reordered', corrupt: 'corrupted' } as const;
  for (const name of probabilities) {
    for (const share of [0.01, 0.1, 0.5, 1]) {
      it(`${name} ${share} happens to that share of the frames, whatever the seed`, () => {
        const counts = [1, 2, 3].map((seed) => {
          const { world, arrivals } = sendMany({ seed, [name]: share });
          const { sent, ...counters } = world.faults.counters;
          expect(sent).to.equal(FRAMES);
          const count = counters[counterOf[name]];
          for (const other of probabilities) {
            if (other !== name) expect(counters[counterOf[other]], other).to.equal(0);
          }
          expect(arrivals.length).to.equal(FRAMES + { drop: -count, duplicate: count, reorder: 0, corrupt: 0 }[name]);
          expect(world.frames.available, 'no frame is kept').to.equal(FRAMES_MAX);
          return count;
        });
        for (const count of counts) expect(count / FRAMES).to.be.closeTo(share, tolerance(share));
        if (share < 1) expect(new Set(counts).size, 'seeds differ').to.be.above(1);
      });
    }
  }

  it('drops the same frames under the same seed, and others under another, all 53 bits of it', () => {
    const seeds = [0, 1, -1, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];
    const lost = (seed: number): string => numbers(sendMany({ seed, drop: 0.5 }).arrivals).join();
    const runs = seeds.map(lost);
    expect(new Set(runs).size).to.equal(seeds.length);
    expect(seeds.map(lost)).to.deep.equal(runs);
    for (const seed of seeds) expect(makeWorld({ seed }).faults.faults.seed).to.equal(seed);
  });

  it('a seed that is set again begins anew; other settings go on', () => {
    const world = makeWorld({ seed: 5, drop: 0.5 });
    const round = (): number[] => {
      for (let n = 0; n < 200; n++) send(world, n, 0);
      return numbers(takeAll(world));
    };
    const first = round();
    expect(round()).to.not.deep.equal(first);
    world.faults.set({ seed: 5 });
    expect(round()).to.deep.equal(first);
    world.faults.set({ seed: 5 });
    const half = [...first.slice(0, 10)];
    for (let n = 0; n < 100; n++) send(world, n, 0);
    world.faults.set({ duplicate: 0 });
    for (let n = 100; n < 200; n++) send(world, n, 0);
    expect(numbers(takeAll(world)).slice(0, 10)).to.deep.equal(half);
    world.faults.set({ seed: 5 });
    expect(round()).to.deep.equal(first);
  });

  it('corrupt turns one bit, any of them', () => {
    const { arrivals } = sendMany({ seed: 1, corrupt: 1 });
    const turned = new Set<number>();
    arrivals.forEach(({ bytes }, n) => {
      const before = new Uint8Array(64);
      new Int32Array(before.buffer)[0] = n;
      const bits: number[] = [];
      for (let bit = 0; bit < 64 * 8; bit++) {
        if (((bytes[bit >>> 3] ^ before[bit >>> 3]) >>> (bit & 7)) & 1) bits.push(bit);
      }
      expect(bits).to.have.length(1);
      turned.add(bits[0]);
    });
    expect(turned.size, 'bits that were turned, of 512').to.be.above(500);
  });

  it('the copies of a frame that arrives twice are damaged each for itself', () => {
    const { arrivals } = sendMany({ seed: 1, duplicate: 1, corrupt: 0.5 });
    let differ = 0;
    for (let n = 0; n < arrivals.length; n += 2) {
      const [a, b] = [arrivals[n].bytes, arrivals[n + 1].bytes];
      if (Buffer.compare(a, b) !== 0) differ++;
    }
    // One of them, or both and not in the same bit.
    expect(differ / FRAMES).to.be.closeTo(0.75, 0.05);
  });

  it('delay is how long all of them are under way, and keeps their order', () => {
    const world = makeWorld({ delay: 2.5 });
    for (let n = 0; n < 100; n++) send(world, n, n * 10);
    expect(world.frames.earliestNs).to.equal(2500);
    expect(world.frames.take(2499)).to.equal(0);
    const arrivals = takeAll(world);
    expect(numbers(arrivals)).to.deep.equal(Array.from({ length: 100 }, (_, n) => n));
    expect(arrivals.map(({ atNs }) => atNs)).to.deep.equal(Array.from({ length: 100 }, (_, n) => 2500 + n * 10));
  });

  it('frames of one time arrive in the order in which they were sent', () => {
    const world = makeWorld({ delay: 1 });
    for (let n = 0; n < 500; n++) send(world, n, 0);
    expect(numbers(takeAll(world))).to.deep.equal(Array.from({ length: 500 }, (_, n) => n));
  });

  it('reorder holds frames back, beyond their delay and no longer than it may', () => {
    const DELAY_US = 3;
    const world = makeWorld({ seed: 2, reorder: 0.2, delay: DELAY_US });
    const COUNT = 1000;
    for (let n = 0; n < COUNT; n++) send(world, n, n * 100);
    const arrivals = takeAll(world);
    const order = numbers(arrivals);
    expect(order.toSorted((a, b) => a - b)).to.deep.equal(Array.from({ length: COUNT }, (_, n) => n));
    for (let at = 1; at < COUNT; at++) expect(arrivals[at].atNs).to.be.at.least(arrivals[at - 1].atNs);
    const late = arrivals.map(({ atNs }, at) => atNs - order[at] * 100 - DELAY_US * NS_PER_US);
    expect(late.filter((ns) => ns !== 0)).to.have.length(world.faults.counters.reordered);
    for (const ns of late) expect(ns).to.be.within(0, REORDER_NS_MAX);
    expect(Math.max(...late), 'all of the range').to.be.above(0.9 * REORDER_NS_MAX);
    // Who was not held back keeps its place among its likes.
    const punctual = order.filter((_, at) => late[at] === 0);
    expect(punctual).to.deep.equal(punctual.toSorted((a, b) => a - b));
    expect(order).to.not.deep.equal(order.toSorted((a, b) => a - b));
  });

  it('a partition lets frames through within a group, and among those that are in none', () => {
    const world = makeWorld({ partition: [[0, 2], [3]] });
    expect(world.faults.faults.partition).to.deep.equal([[0, 2], [3]]);
    const groups = [1, 0, 1, 2, 0];
    for (const [from, group] of groups.entries()) {
      for (const [to, other] of groups.entries()) {
        send(world, from, 0, portId(to, 1), portId(from, 2));
        expect(takeAll(world), `${from} to ${to}`).to.have.length(group === other ? 1 : 0);
      }
    }
    const lost = groups.flatMap((group) => groups.filter((other) => other !== group)).length;
    expect(world.faults.counters).to.include({ partitioned: lost, dropped: 0, sent: groups.length ** 2 });
    world.faults.set({ partition: [] });
    send(world, 1, 0, portId(3, 1), portId(0, 1));
    expect(takeAll(world)).to.have.length(1);
    expect(world.frames.available).to.equal(FRAMES_MAX);
  });

  it('what is lost in a partition draws no random number', () => {
    const run = (cut: boolean): number[] => {
      const world = makeWorld({ seed: 9, drop: 0.5, partition: [[0, 1], [2]] });
      for (let n = 0; n < 100; n++) {
        if (cut) send(world, -1, 0, portId(2, 1));
        send(world, n, 0);
      }
      return numbers(takeAll(world));
    };
    expect(run(true)).to.deep.equal(run(false));
  });

  it('does not duplicate when no frame is left, and sends the one that there is', () => {
    const world = makeWorld({ duplicate: 1 });
    for (let n = 0; n < FRAMES_MAX; n++) {
      const frame = world.frames.alloc();
      if (frame === 0) break;
      world.faults.send(frame, 64, HERE, THERE, 0);
    }
    expect(world.frames.available).to.equal(0);
    expect(world.faults.counters).to.include({ sent: FRAMES_MAX / 2, duplicated: FRAMES_MAX / 2 });
    takeAll(world);
    for (let n = 0; n < FRAMES_MAX - 1; n++) world.frames.alloc();
    send(world, 1, 0);
    expect(takeAll(world)).to.have.length(1);
  });

  it('shows each frame as it was sent, before anything is done to it', () => {
    const world = makeWorld({ seed: 1, drop: 0.5, corrupt: 1, duplicate: 1 });
    const seen: [number, number, number][] = [];
    world.faults.onSend = (frame, length, source) => {
      seen.push([world.machine.i32[frame >>> 2], length, source]);
    };
    for (let n = 0; n < 50; n++) send(world, n, 0);
    expect(seen).to.deep.equal(Array.from({ length: 50 }, (_, n) => [n, 64, HERE]));
  });

  it('is one for all threads of a machine: settings, counters and random numbers', () => {
    const alone = makeWorld({ seed: 3, drop: 0.5 });
    for (let n = 0; n < 100; n++) send(alone, n, 0);
    const world = makeWorld({ seed: 3, drop: 0.5 });
    const machine = Machine.attach(world.machine.handle);
    const frames = new FrameQueue(machine);
    const other: World = { machine, frames, faults: new FaultInjector(machine, frames) };
    expect(other.faults.faults).to.deep.equal(world.faults.faults);
    for (let n = 0; n < 100; n++) send(n % 2 === 0 ? world : other, n, 0);
    expect(numbers(takeAll(other))).to.deep.equal(numbers(takeAll(alone)));
    expect(other.faults.counters).to.deep.equal(alone.faults.counters);
    other.faults.set({ corrupt: 0.25 });
    expect(world.faults.faults).to.include({ seed: 3, drop: 0.5, corrupt: 0.25 });
    machine.detach();
  });

  it('needs a page of machine memory', () => {
    const machine = Machine.create({ memoryBytes: MEMORY_BYTES });
    const frames = new FrameQueue(machine);
    while (machine.pages.alloc(4096, 4096, 1) !== 0);
    expect(() => new FaultInjector(machine, frames)).to.throw(MachineError, /settings of the fault injector/);
  });
});
