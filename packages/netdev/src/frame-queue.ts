/**
 * Frames on their way: a pool of frame buffers in machine memory, and a heap of those that are under way, by the time at which
 * they arrive.
 *
 * Frames of one time arrive in the order in which they were sent. All of it is words in machine memory, so that whichever thread
 * executes the devices goes on with it; the machine's lock must be held.
 */
import { MachineError, PAGE_BYTES } from '@openverbs/machine';
import type { Machine } from '@openverbs/machine';

/** Frames that exist at a time, under way or being written. A sender that finds none left sends later. */
export const FRAMES_MAX = 2048;
/** Room for a payload of 4096 bytes and the headers around it: IPv6 40, UDP 8, transport headers 44 at most, ICRC 4. */
export const FRAME_BYTES_MAX = 4096 + 128;

/** Root word of machine memory by which threads find the queue. */
const ROOT_FRAME_QUEUE = 2;
/** Owner of its pages, above all thread slots. */
const OWNER_FRAMES = 0x10002;

/** Words of the queue's header. */
const Header = { COUNT: 0, FREE: 1, FREE_COUNT: 2, SEQUENCE: 3, HEAP: 16, WORDS: 16 + FRAMES_MAX } as const;
/** Words in front of each frame. */
const Slot = {
  /** When it arrives, nanoseconds, a double. */
  ARRIVES: 0,
  /** Place in the order of sending, for frames of one time. */
  SEQUENCE: 2,
  LENGTH: 3,
  SOURCE: 4,
  DESTINATION: 5,
  /** The next free one; 0 ends the list. */
  NEXT: 6,
  WORDS: 16,
} as const;
const SLOT_WORDS = Slot.WORDS + FRAME_BYTES_MAX / 4;
const HEADER_BYTES = Math.ceil((Header.WORDS * 4) / PAGE_BYTES) * PAGE_BYTES;

export class FrameQueue {
  /** The machine's memory, in which frames are written and read. */
  readonly u8: Uint8Array;
  readonly #i32: Int32Array;
  readonly #f64: Float64Array;
  readonly #header: number;

  /** Finds the machine's queue, or makes it. */
  constructor(machine: Machine) {
    this.u8 = machine.u8;
    this.#i32 = machine.i32;
    this.#f64 = machine.f64;
    const found = machine.root(ROOT_FRAME_QUEUE);
    if (found !== 0) {
      this.#header = found >>> 2;
      return;
    }
    const bytes = HEADER_BYTES + FRAMES_MAX * SLOT_WORDS * 4;
    const addr = machine.pages.alloc(bytes, PAGE_BYTES, OWNER_FRAMES);
    if (addr === 0) {
      const message = `no ${bytes} bytes of machine memory are left for the frames of the link`;
      throw new MachineError({ code: 'ENOMEM', message, hint: 'give the machine more memoryBytes' });
    }
    this.#header = addr >>> 2;
    this.reset();
    machine.setRoot(ROOT_FRAME_QUEUE, addr);
  }

  /** When the next frame arrives, in nanoseconds; Infinity when none is under way. */
  get earliestNs(): number {
    return this.#i32[this.#header + Header.COUNT] === 0 ? Infinity : this.#arrives(0);
  }

  /** Frames that {@link FrameQueue.alloc} has left. */
  get available(): number {
    return this.#i32[this.#header + Header.FREE_COUNT];
  }

  /** Frames under way. */
  get count(): number {
    return this.#i32[this.#header + Header.COUNT];
  }

  /** A frame to write, the machine address of its first byte; 0 when there is none. */
  alloc(): number {
    const i32 = this.#i32;
    const slot = i32[this.#header + Header.FREE];
    if (slot === 0) return 0;
    i32[this.#header + Header.FREE] = i32[slot + Slot.NEXT];
    i32[this.#header + Header.FREE_COUNT]--;
    return ((slot + Slot.WORDS) << 2) >>> 0;
  }

  /** Gives a frame back. */
  free(frame: number): void {
    const i32 = this.#i32;
    const slot = (frame >>> 2) - Slot.WORDS;
    i32[slot + Slot.NEXT] = i32[this.#header + Header.FREE];
    i32[this.#header + Header.FREE] = slot;
    i32[this.#header + Header.FREE_COUNT]++;
  }

  /** Sends a frame of `length` bytes from one port identity to another, to arrive at a time. */
  send(frame: number, length: number, source: number, destination: number, arrivesNs: number): void {
    const i32 = this.#i32;
    const slot = (frame >>> 2) - Slot.WORDS;
    i32[slot + Slot.LENGTH] = length;
    i32[slot + Slot.SOURCE] = source;
    i32[slot + Slot.DESTINATION] = destination;
    i32[slot + Slot.SEQUENCE] = i32[this.#header + Header.SEQUENCE]++;
    this.#f64[(slot + Slot.ARRIVES) >>> 1] = arrivesNs;
    this.#up(i32[this.#header + Header.COUNT]++, slot);
  }

  /** Takes a frame that has arrived; 0 when there is none. Whoever takes it frees it. */
  take(nowNs: number): number {
    const i32 = this.#i32;
    if (i32[this.#header + Header.COUNT] === 0 || this.#arrives(0) > nowNs) return 0;
    const slot = i32[this.#header + Header.HEAP];
    const last = i32[this.#header + Header.HEAP + --i32[this.#header + Header.COUNT]];
    if (i32[this.#header + Header.COUNT] !== 0) this.#down(0, last);
    return ((slot + Slot.WORDS) << 2) >>> 0;
  }

  /** Bytes of a frame that was sent. */
  length(frame: number): number {
    return this.#i32[(frame >>> 2) - Slot.WORDS + Slot.LENGTH];
  }

  /** Identity of the port that sent it. */
  source(frame: number): number {
    return this.#i32[(frame >>> 2) - Slot.WORDS + Slot.SOURCE];
  }

  /** Identity of the port that it is for. */
  destination(frame: number): number {
    return this.#i32[(frame >>> 2) - Slot.WORDS + Slot.DESTINATION];
  }

  /** Loses all frames; after a thread died in the middle of something, since networks may lose what they like. */
  reset(): void {
    const i32 = this.#i32;
    const first = this.#header + HEADER_BYTES / 4;
    i32[this.#header + Header.COUNT] = 0;
    i32[this.#header + Header.FREE_COUNT] = FRAMES_MAX;
    i32[this.#header + Header.FREE] = first;
    for (let n = 0; n < FRAMES_MAX; n++) {
      i32[first + n * SLOT_WORDS + Slot.NEXT] = n + 1 < FRAMES_MAX ? first + (n + 1) * SLOT_WORDS : 0;
    }
  }

  #arrives(position: number): number {
    return this.#f64[(this.#i32[this.#header + Header.HEAP + position] + Slot.ARRIVES) >>> 1];
  }

  /** Whether slot `a` arrives before slot `b`. */
  #before(a: number, b: number): boolean {
    const at = this.#f64[(a + Slot.ARRIVES) >>> 1];
    const bt = this.#f64[(b + Slot.ARRIVES) >>> 1];
    if (at !== bt) return at < bt;
    return ((this.#i32[a + Slot.SEQUENCE] - this.#i32[b + Slot.SEQUENCE]) | 0) < 0;
  }

  #up(from: number, slot: number): void {
    const i32 = this.#i32;
    const heap = this.#header + Header.HEAP;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(slot, i32[heap + parent])) break;
      i32[heap + at] = i32[heap + parent];
      at = parent;
    }
    i32[heap + at] = slot;
  }

  #down(from: number, slot: number): void {
    const i32 = this.#i32;
    const heap = this.#header + Header.HEAP;
    const count = i32[this.#header + Header.COUNT];
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= count) break;
      if (child + 1 < count && this.#before(i32[heap + child + 1], i32[heap + child])) child++;
      if (!this.#before(i32[heap + child], slot)) break;
      i32[heap + at] = i32[heap + child];
      at = child;
    }
    i32[heap + at] = slot;
  }
}
