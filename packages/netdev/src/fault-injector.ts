/**
 * The fault injector: what a bad network does to frames, drawn from a seed.
 *
 * Settings, counters and the state of the generator are words in machine memory: all threads of the machine see one bad network,
 * and a run under the virtual clock is the same each time. The machine's lock must be held where a frame is sent.
 */
import { MachineError, PAGE_BYTES } from '@openverbs/machine';
import type { Machine } from '@openverbs/machine';
import type { FrameQueue } from './frame-queue.ts';
import { deviceOf } from './memory-link.ts';

/** What happens to frames. Probabilities are 0 to 1, for each frame anew. */
export interface Faults {
  /** Of the random numbers, a safe integer. */
  readonly seed: number;
  /** Probability that a frame is lost. */
  readonly drop: number;
  /** Probability that it arrives twice. */
  readonly duplicate: number;
  /** Probability that it is held back, for up to {@link REORDER_NS_MAX}, so that later ones overtake it. */
  readonly reorder: number;
  /** Probability that one of its bits is turned. */
  readonly corrupt: number;
  /** How long each frame is under way, in microseconds. */
  readonly delay: number;
  /** Groups of devices, by index. Frames between two groups are lost; who is in none is one group with the others that are in none. */
  readonly partition: readonly (readonly number[])[];
}

/** A link that does nothing to frames. */
export const NO_FAULTS: Faults = { seed: 0, drop: 0, duplicate: 0, reorder: 0, corrupt: 0, delay: 0, partition: [] };

/** The longest that a frame is held back beyond its delay. */
export const REORDER_NS_MAX = 50_000;
/** The longest delay, in microseconds. */
export const DELAY_US_MAX = 10_000_000;
/** Devices that a partition can name: as many as a machine has. */
export const PARTITION_DEVICES_MAX = 16;

/** What was done so far. */
export interface FaultCounters {
  /** Frames that were sent. */
  readonly sent: number;
  readonly dropped: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly corrupted: number;
  /** Frames lost between two groups of a partition. */
  readonly partitioned: number;
}

/** Root word of machine memory by which threads find the settings. */
const ROOT_FAULTS = 3;
const OWNER_FAULTS = 0x10003;
const NS_PER_US = 1000;
const TWO_32 = 4294967296;

/** Words of the settings and counters. */
const Word = {
  SEED_LO: 0,
  SEED_HI: 1,
  /** Numbers drawn so far. */
  DRAWN: 2,
  /** Probabilities as doubles. */
  DROP: 4,
  DUPLICATE: 6,
  REORDER: 8,
  CORRUPT: 10,
  /** Nanoseconds, a double. */
  DELAY: 12,
  SENT: 16,
  DROPPED: 17,
  DUPLICATED: 18,
  REORDERED: 19,
  CORRUPTED: 20,
  PARTITIONED: 21,
  /** Group of each device. */
  GROUP: 32,
} as const;

export class FaultInjector {
  readonly #i32: Int32Array;
  readonly #u8: Uint8Array;
  readonly #f64: Float64Array;
  /** The frames under way. */
  readonly frames: FrameQueue;
  readonly #copy: (destination: number, source: number, length: number) => void;
  readonly #words: number;
  /** Sees each frame before anything is done to it; it must not change or keep it. */
  onSend: ((frame: number, length: number, source: number) => void) | null = null;

  /** Finds the machine's settings, or makes them: no faults. */
  constructor(machine: Machine, frames: FrameQueue) {
    this.#i32 = machine.i32;
    this.#u8 = machine.u8;
    this.#f64 = machine.f64;
    this.#copy = machine.dma.copy;
    this.frames = frames;
    let addr = machine.root(ROOT_FAULTS);
    if (addr === 0) {
      addr = machine.pages.alloc(PAGE_BYTES, PAGE_BYTES, OWNER_FAULTS);
      if (addr === 0) {
        const message = 'no machine memory is left for the settings of the fault injector';
        throw new MachineError({ code: 'ENOMEM', message, hint: 'give the machine more memoryBytes' });
      }
      machine.setRoot(ROOT_FAULTS, addr);
    }
    this.#words = addr >>> 2;
  }

  /** What was set last. */
  get faults(): Faults {
    const i32 = this.#i32;
    const words = this.#words;
    const groups = new Map<number, number[]>();
    for (let device = 0; device < PARTITION_DEVICES_MAX; device++) {
      const group = i32[words + Word.GROUP + device];
      if (group !== 0) groups.set(group, [...(groups.get(group) ?? []), device]);
    }
    return {
      seed: (i32[words + Word.SEED_HI] | 0) * TWO_32 + (i32[words + Word.SEED_LO] >>> 0),
      drop: this.#double(Word.DROP),
      duplicate: this.#double(Word.DUPLICATE),
      reorder: this.#double(Word.REORDER),
      corrupt: this.#double(Word.CORRUPT),
      delay: this.#double(Word.DELAY) / NS_PER_US,
      partition: [...groups.values()],
    };
  }

  /** Sets faults for the frames that are sent from now on. A new seed starts the random numbers anew. */
  set(faults: Partial<Faults>): void {
    const i32 = this.#i32;
    const words = this.#words;
    const { seed, drop, duplicate, reorder, corrupt, delay, partition } = { ...this.faults, ...faults };
    if (faults.seed !== undefined) {
      i32[words + Word.SEED_LO] = seed | 0;
      i32[words + Word.SEED_HI] = Math.floor(seed / TWO_32);
      i32[words + Word.DRAWN] = 0;
    }
    this.#f64[(words + Word.DROP) >>> 1] = drop;
    this.#f64[(words + Word.DUPLICATE) >>> 1] = duplicate;
    this.#f64[(words + Word.REORDER) >>> 1] = reorder;
    this.#f64[(words + Word.CORRUPT) >>> 1] = corrupt;
    this.#f64[(words + Word.DELAY) >>> 1] = delay * NS_PER_US;
    i32.fill(0, words + Word.GROUP, words + Word.GROUP + PARTITION_DEVICES_MAX);
    partition.forEach((devices, index) => {
      for (const device of devices) i32[words + Word.GROUP + device] = index + 1;
    });
  }

  /** What was done so far. */
  get counters(): FaultCounters {
    const count = (word: number): number => this.#i32[this.#words + word] >>> 0;
    return {
      sent: count(Word.SENT),
      dropped: count(Word.DROPPED),
      duplicated: count(Word.DUPLICATED),
      reordered: count(Word.REORDERED),
      corrupted: count(Word.CORRUPTED),
      partitioned: count(Word.PARTITIONED),
    };
  }

  /** Sends a frame, or does to it what the settings say. The frame is no more the caller's. */
  send(frame: number, length: number, source: number, destination: number, nowNs: number): void {
    this.#count(Word.SENT);
    this.onSend?.(frame, length, source);
    if (this.#group(source) !== this.#group(destination)) this.#lose(frame, Word.PARTITIONED);
    else if (this.#happens(Word.DROP)) this.#lose(frame, Word.DROPPED);
    else {
      if (this.#happens(Word.DUPLICATE)) this.#duplicate(frame, length, source, destination, nowNs);
      this.#deliver(frame, length, source, destination, nowNs);
    }
  }

  #deliver(frame: number, length: number, source: number, destination: number, nowNs: number): void {
    if (this.#happens(Word.CORRUPT)) {
      this.#count(Word.CORRUPTED);
      const bit = this.#draw() % (length * 8);
      this.#u8[(frame + (bit >>> 3)) >>> 0] ^= 1 << (bit & 7);
    }
    let arrivesNs = nowNs + this.#double(Word.DELAY);
    if (this.#happens(Word.REORDER)) {
      this.#count(Word.REORDERED);
      arrivesNs += 1 + (this.#draw() % REORDER_NS_MAX);
    }
    this.frames.send(frame, length, source, destination, arrivesNs);
  }

  #duplicate(frame: number, length: number, source: number, destination: number, nowNs: number): void {
    const twin = this.frames.alloc();
    if (twin === 0) return;
    this.#count(Word.DUPLICATED);
    this.#copy(twin, frame, length);
    this.#deliver(twin, length, source, destination, nowNs);
  }

  #lose(frame: number, word: number): void {
    this.#count(word);
    this.frames.free(frame);
  }

  #group(port: number): number {
    return this.#i32[this.#words + Word.GROUP + deviceOf(port)];
  }

  #double(word: number): number {
    return this.#f64[(this.#words + word) >>> 1];
  }

  #count(word: number): void {
    this.#i32[this.#words + word] = (this.#i32[this.#words + word] + 1) | 0;
  }

  #happens(word: number): boolean {
    const probability = this.#double(word);
    return probability !== 0 && this.#draw() < probability * TWO_32;
  }

  /** The next random number, 0 to 2^32 - 1: a mix of the seed and of how many came before, since the state is words. */
  #draw(): number {
    const i32 = this.#i32;
    const n = (i32[this.#words + Word.DRAWN] = (i32[this.#words + Word.DRAWN] + 1) | 0);
    const low = mix(Math.imul(n, 0x9e3779b9) + i32[this.#words + Word.SEED_LO]);
    return mix(low ^ i32[this.#words + Word.SEED_HI]) >>> 0;
  }
}

/** A bijection of 32 bits in which each bit of the input moves all of the output (the finaliser of MurmurHash3). */
function mix(value: number): number {
  let z = value | 0;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return z ^ (z >>> 16);
}
