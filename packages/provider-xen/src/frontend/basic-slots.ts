/**
 * Work requests of basic queues that the application has not seen completed.
 *
 * The back-end is told a number in place of the application's `wrId`: the index of the work request in its queue, and of what kind the
 * queue is. So a completion finds its queue as a CQE does, retires the sends before it that make none, and slots are free when the
 * application has polled, not when the back-end has.
 */
import { Errno } from '@openverbs/verbs';
import { WorkQueueSlots } from '@openverbs/verbs/rings';
import type { SrqSlots } from '@openverbs/verbs/rings';

/** Which queue an index is of. */
export const SlotKind = { SEND: 0, RECV: 1, SRQ: 2 } as const;

const TWO_32 = 2 ** 32;
/** {@link SlotKind} takes two bits; above them stands the number of the SRQ. */
const KINDS = 4;

/** Sends, or receives of a QP: they complete in the order of posting. */
export class BasicSlots {
  /** Where the poll finds them. */
  readonly slots: WorkQueueSlots;
  readonly #max: number;
  readonly #kind: number;
  /** Free-running count of work requests, an int32. */
  #posted = 0;

  constructor(max: number, kind: number) {
    this.slots = new WorkQueueSlots(Math.ceil(Math.log2(Math.max(max, 1))));
    this.#max = max;
    this.#kind = kind;
  }

  /** Work requests that the application has not seen completed. */
  get underWay(): number {
    return (this.#posted - this.slots.tail) | 0;
  }

  /** ENOMEM when the queue is full, else 0. */
  get errno(): number {
    return this.underWay < this.#max ? 0 : Errno.ENOMEM;
  }

  /** Takes a slot; returns the number to tell the back-end. */
  push(wrId: number): number {
    const index = this.#posted;
    this.slots.wrIds[index & this.slots.mask] = wrId;
    this.#posted = (index + 1) | 0;
    return this.#kind * TWO_32 + (index >>> 0);
  }

  /** The one that was pushed last was refused. */
  undo(): void {
    this.#posted = (this.#posted - 1) | 0;
  }

  reset(): void {
    this.slots.tail = this.#posted;
  }
}

/** Receives of an SRQ: they complete in any order. */
export class BasicSrqSlots implements SrqSlots {
  readonly #number: number;
  #wrIds: Float64Array;
  #taken: Uint8Array;
  readonly #free: number[];

  /** @param number - of the SRQ among those of its context */
  constructor(max: number, number: number) {
    this.#number = number;
    this.#wrIds = new Float64Array(max);
    this.#taken = new Uint8Array(max);
    this.#free = Array.from({ length: max }, (_, slot) => max - 1 - slot);
  }

  /** Receives that the application has not seen completed. */
  get underWay(): number {
    return this.#wrIds.length - this.#free.length;
  }

  get errno(): number {
    return this.#free.length > 0 ? 0 : Errno.ENOMEM;
  }

  push(wrId: number): number {
    const slot = this.#free.pop()!;
    this.#wrIds[slot] = wrId;
    this.#taken[slot] = 1;
    return (this.#number * KINDS + SlotKind.SRQ) * TWO_32 + slot;
  }

  complete(slot: number): number {
    if (this.#taken[slot] !== 1) return 0;
    this.#taken[slot] = 0;
    this.#free.push(slot);
    return this.#wrIds[slot];
  }

  /** What {@link BasicSrqSlots.push} answered was refused. */
  undo(number: number): void {
    this.complete(indexOf(number));
  }

  /** The SRQ has room for more now. */
  grow(max: number): void {
    const had = this.#wrIds.length;
    if (max <= had) return;
    const wrIds = new Float64Array(max);
    wrIds.set(this.#wrIds);
    const taken = new Uint8Array(max);
    taken.set(this.#taken);
    this.#wrIds = wrIds;
    this.#taken = taken;
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

/** The index in a number, as an int32. */
export function indexOf(number: number): number {
  return number | 0;
}
