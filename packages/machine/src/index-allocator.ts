/**
 * Numbers of objects in a table: QPs, CQs, keys, grants.
 *
 * @packageDocumentation
 */
import { MachineError } from './errors.ts';
import type { Machine } from './machine.ts';
import type { MachineLock } from './machine-lock.ts';

/** Words of the state; then follows a word for each index. */
const HEAD = 0; // most recently freed index + 1, or 0
const FRESH = 1; // indices from here on were never used
const IN_USE = 2;
const LINKS = 4; // index + 1 that was freed before this one, 0 for none, or USED
const USED = -1;

/**
 * Hands out the indices 0 to `capacity - 1`: most recently freed first, else the lowest never used. O(1).
 *
 * The state needs no initialisation but zeroed memory, so large tables cost nothing before they are used. Methods take the machine
 * lock, unless the calling thread holds it; hold it over an allocation and the store that marks the object as used, because
 * {@link IndexAllocator.rebuild} goes by that mark.
 */
export class IndexAllocator {
  /** Number of indices. */
  readonly capacity: number;
  private readonly i32: Int32Array;
  private readonly lock: MachineLock;
  private readonly base: number;

  /** Bytes of machine memory that the state takes. */
  static bytes(capacity: number): number {
    return (LINKS + capacity) * 4;
  }

  /**
   * @param addr - address of {@link IndexAllocator.bytes} bytes, zeroed before the first use, a multiple of 4
   * @param capacity - number of indices; the same in all threads
   */
  constructor(machine: Machine, addr: number, capacity: number) {
    if (!(addr > 0 && addr % 4 === 0 && capacity > 0 && Number.isInteger(capacity))) {
      throw new MachineError({ code: 'EINVAL', message: `no index allocator of ${capacity} indices fits at ${addr}` });
    }
    this.capacity = capacity;
    this.i32 = machine.i32;
    this.lock = machine.lock;
    this.base = addr / 4;
  }

  /** Number of indices handed out. */
  get inUse(): number {
    return this.i32[this.base + IN_USE];
  }

  /** Every index handed out so far is below this one; for walks over the table. */
  get highWater(): number {
    return Math.min(this.i32[this.base + FRESH], this.capacity);
  }

  /** @returns an index, or -1 when all are in use */
  alloc(): number {
    const entered = this.lock.enter();
    const index = this.take();
    if (entered) this.lock.release();
    return index;
  }

  /**
   * Takes an index back.
   *
   * @throws MachineError `EINVAL` when it is not in use
   */
  free(index: number): void {
    const entered = this.lock.enter();
    const freed = this.giveBack(index);
    if (entered) this.lock.release();
    if (!freed) throw new MachineError({ code: 'EINVAL', message: `index ${index} is not in use` });
  }

  /** Whether an index is handed out. */
  isUsed(index: number): boolean {
    return index >= 0 && index < this.capacity && this.i32[this.base + LINKS + index] === USED;
  }

  /**
   * Derives the state from the table itself, after an operation was cut off; for recovery handlers.
   *
   * @param isUsed - whether the object of an index exists
   */
  rebuild(isUsed: (index: number) => boolean): void {
    const entered = this.lock.enter();
    try {
      let head = 0;
      let inUse = 0;
      // From the top, so that the lowest free index is handed out next.
      for (let index = Math.min(this.i32[this.base + FRESH], this.capacity) - 1; index >= 0; index--) {
        const used = isUsed(index);
        this.put(LINKS + index, used ? USED : head);
        if (used) inUse++;
        else head = index + 1;
      }
      this.put(HEAD, head);
      this.put(IN_USE, inUse);
    } finally {
      if (entered) this.lock.release();
    }
  }

  private take(): number {
    const head = this.i32[this.base + HEAD];
    let index = head - 1;
    if (head !== 0) {
      this.put(HEAD, this.i32[this.base + LINKS + index]);
    } else {
      index = this.i32[this.base + FRESH];
      if (index >= this.capacity) return -1;
      this.put(FRESH, index + 1);
    }
    this.put(LINKS + index, USED);
    this.put(IN_USE, this.i32[this.base + IN_USE] + 1);
    return index;
  }

  private giveBack(index: number): boolean {
    if (!this.isUsed(index)) return false;
    this.put(LINKS + index, this.i32[this.base + HEAD]);
    this.put(HEAD, index + 1);
    this.put(IN_USE, this.i32[this.base + IN_USE] - 1);
    return true;
  }

  /** Each store goes through here, so that a test can cut an operation off at any of them. */
  protected put(word: number, value: number): void {
    this.i32[this.base + word] = value;
  }
}
