/**
 * The work requests of one queue that the application has not seen completed: their numbers, in the order of posting.
 *
 * The back-end is told a count in place of the application's `wrId`, so that the completion of a send also retires the sends before
 * it that make none, and that slots are free when the application has polled, not when the back-end has.
 */
import { Errno } from '@openverbs/verbs';

/** Which queue a count is of: these stand above the count in the number that the back-end is told. */
export const SlotKind = { SEND: 0, RECV: 1, SRQ: 2 } as const;

const TWO_32 = 2 ** 32;
/** {@link SlotKind} takes two bits; above them stands the number of the SRQ. */
const KINDS = 4;
/** SRQs of a front-end at a time. */
export const SRQ_SLOTS_MAX = 65536;

/** Sends, or receives of a QP: they complete in the order of posting. */
export class WrSlots {
  readonly #wrIds: Float64Array;
  readonly #max: number;
  readonly #kind: number;
  #posted = 0;
  #retired = 0;

  constructor(max: number, kind: number) {
    this.#wrIds = new Float64Array(Math.max(max, 1));
    this.#max = max;
    this.#kind = kind;
  }

  /** ENOMEM when the queue is full, else 0. */
  get errno(): number {
    return this.#posted - this.#retired < this.#max ? 0 : Errno.ENOMEM;
  }

  /** The number to tell the back-end. */
  push(wrId: number): number {
    const count = this.#posted++;
    this.#wrIds[count % this.#wrIds.length] = wrId;
    return this.#kind * TWO_32 + (count % TWO_32);
  }

  /** The last one was refused. */
  undo(): void {
    this.#posted--;
  }

  /** Retires a work request and those before it; returns its `wrId`. */
  retire(count: number): number {
    const ahead = (count - (this.#retired % TWO_32) + TWO_32) % TWO_32;
    this.#retired = Math.min(this.#retired + ahead + 1, this.#posted);
    return this.#wrIds[(this.#retired - 1) % this.#wrIds.length];
  }

  reset(): void {
    this.#retired = this.#posted;
  }
}

/** Receives of an SRQ: they complete in any order. */
export class SrqSlots {
  readonly #number: number;
  #wrIds: Float64Array;
  readonly #free: number[];

  /** @param number - of the SRQ among those of the front-end */
  constructor(max: number, number: number) {
    this.#number = number;
    this.#wrIds = new Float64Array(max);
    this.#free = Array.from({ length: max }, (_, slot) => max - 1 - slot);
  }

  get errno(): number {
    return this.#free.length > 0 ? 0 : Errno.ENOMEM;
  }

  push(wrId: number): number {
    const slot = this.#free.pop()!;
    this.#wrIds[slot] = wrId;
    return (this.#number * KINDS + SlotKind.SRQ) * TWO_32 + slot;
  }

  retire(slot: number): number {
    this.#free.push(slot);
    return this.#wrIds[slot];
  }

  /** The one that {@link SrqSlots.push} answered last was refused. */
  undo(number: number): void {
    this.#free.push(number % TWO_32);
  }

  /** The SRQ has room for more now. */
  grow(max: number): void {
    const had = this.#wrIds.length;
    if (max <= had) return;
    const wrIds = new Float64Array(max);
    wrIds.set(this.#wrIds);
    this.#wrIds = wrIds;
    for (let slot = max - 1; slot >= had; slot--) this.#free.unshift(slot);
  }
}

/** The kind in a number. */
export function kindOf(number: number): number {
  return Math.floor(number / TWO_32) % KINDS;
}

/** The SRQ in a number. */
export function srqNumberOf(number: number): number {
  return Math.floor(number / TWO_32 / KINDS);
}

/** The count or slot in a number. */
export function countOf(number: number): number {
  return number % TWO_32;
}
