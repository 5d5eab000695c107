/**
 * Timers of all send queues and moderated CQs of a machine: a binary heap of their contexts by deadline, in machine memory.
 *
 * The earliest deadline is also a word of the engine's header, so that an empty poll looks at one number.
 */
import type { Machine } from '@openverbs/machine';
import { EngineHeader, Timed } from './layout.ts';

const { DEADLINE, TIMER_SLOT } = Timed;

export class TimerQueue {
  readonly #i32: Int32Array;
  readonly #f64: Float64Array;
  readonly #engine: number;
  readonly #heap: number;
  /** Set when the earliest deadline changed; whoever acts on it clears it. */
  moved = false;

  constructor(machine: Machine, engine: number) {
    this.#i32 = machine.i32;
    this.#f64 = machine.f64;
    this.#engine = engine;
    this.#heap = machine.i32[engine + EngineHeader.TIMER_QUEUE];
  }

  /** Earliest deadline in nanoseconds; Infinity for none. */
  get earliestNs(): number {
    return this.#f64[(this.#engine + EngineHeader.DEADLINE) >>> 1];
  }

  /** Says when the next frame arrives. */
  setLinkDeadline(deadlineNs: number): void {
    const word = (this.#engine + EngineHeader.LINK_DEADLINE) >>> 1;
    if (this.#f64[word] === deadlineNs) return;
    this.#f64[word] = deadlineNs;
    this.#publishEarliest();
  }

  /** Starts or moves the timer of the QP or CQ at `q`. The queue has room for all of the machine. */
  start(q: number, deadlineNs: number): void {
    const i32 = this.#i32;
    let slot = i32[q + TIMER_SLOT] - 1;
    if (slot < 0) {
      slot = i32[this.#engine + EngineHeader.TIMER_COUNT];
      i32[this.#engine + EngineHeader.TIMER_COUNT] = slot + 1;
    }
    this.#f64[(q + DEADLINE) >>> 1] = deadlineNs;
    this.#place(slot, q);
    this.#sift(slot);
  }

  /** Stops the timer of the QP or CQ at `q`, if one runs. */
  stop(q: number): void {
    const i32 = this.#i32;
    const slot = i32[q + TIMER_SLOT] - 1;
    if (slot < 0) return;
    i32[q + TIMER_SLOT] = 0;
    const last = i32[this.#engine + EngineHeader.TIMER_COUNT] - 1;
    i32[this.#engine + EngineHeader.TIMER_COUNT] = last;
    if (slot !== last) {
      this.#place(slot, i32[this.#heap + last]);
      this.#sift(slot);
    } else this.#publishEarliest();
  }

  /** Takes a QP or CQ whose deadline has passed; 0 when there is none. */
  takeDue(nowNs: number): number {
    if (this.#i32[this.#engine + EngineHeader.TIMER_COUNT] === 0 || this.#deadline(0) > nowNs) return 0;
    const q = this.#i32[this.#heap];
    this.stop(q);
    return q;
  }

  /** Makes the heap anew after a thread died while it changed it. `waits` says of each QP whether it has a timer. */
  rebuild(qps: Iterable<number>, waits: (q: number) => boolean): void {
    this.#i32[this.#engine + EngineHeader.TIMER_COUNT] = 0;
    this.#publishEarliest();
    for (const q of qps) {
      this.#i32[q + TIMER_SLOT] = 0;
      if (waits(q)) this.start(q, this.#f64[(q + DEADLINE) >>> 1]);
    }
  }

  #deadline(slot: number): number {
    return this.#f64[(this.#i32[this.#heap + slot] + DEADLINE) >>> 1];
  }

  #place(slot: number, q: number): void {
    this.#i32[this.#heap + slot] = q;
    this.#i32[q + TIMER_SLOT] = slot + 1;
  }

  #swap(a: number, b: number): void {
    const q = this.#i32[this.#heap + a];
    this.#place(a, this.#i32[this.#heap + b]);
    this.#place(b, q);
  }

  #sift(start: number): void {
    const count = this.#i32[this.#engine + EngineHeader.TIMER_COUNT];
    let slot = start;
    while (slot > 0 && this.#deadline(slot) < this.#deadline((slot - 1) >> 1)) {
      this.#swap(slot, (slot - 1) >> 1);
      slot = (slot - 1) >> 1;
    }
    for (;;) {
      const left = 2 * slot + 1;
      if (left >= count) break;
      const least = left + 1 < count && this.#deadline(left + 1) < this.#deadline(left) ? left + 1 : left;
      if (this.#deadline(slot) <= this.#deadline(least)) break;
      this.#swap(slot, least);
      slot = least;
    }
    this.#publishEarliest();
  }

  #publishEarliest(): void {
    const empty = this.#i32[this.#engine + EngineHeader.TIMER_COUNT] === 0;
    const linkNs = this.#f64[(this.#engine + EngineHeader.LINK_DEADLINE) >>> 1];
    this.#f64[(this.#engine + EngineHeader.DEADLINE) >>> 1] = empty ? linkNs : Math.min(linkNs, this.#deadline(0));
    this.moved = true;
  }
}
