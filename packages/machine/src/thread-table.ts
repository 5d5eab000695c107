/**
 * The threads of a machine: a slot for each, by which the lock names its holder and records name their owner.
 *
 * @packageDocumentation
 */
import { MachineError } from './errors.ts';
import { Header, THREADS_MAX, THREAD_SLOT_WORDS, ThreadSlot } from './header.ts';
import type { MachineLock } from './machine-lock.ts';
import type { ThreadIdentity } from './thread-identity.ts';

/** Slots of attached threads, 1 to {@link THREADS_MAX}. */
export class ThreadTable {
  /** Most threads that can be attached at a time. */
  readonly threadsMax: number = THREADS_MAX;
  /** Whether this system tells dead threads from live ones (Linux does). */
  readonly provable: boolean;
  private readonly i32: Int32Array;
  private readonly f64: Float64Array;
  private readonly identity: ThreadIdentity;
  private lock: MachineLock | undefined;

  constructor(i32: Int32Array, f64: Float64Array, identity: ThreadIdentity) {
    this.i32 = i32;
    this.f64 = f64;
    this.identity = identity;
    this.provable = identity.provable;
  }

  /** Gives {@link ThreadTable.reap} its lock, which itself needs this table. */
  bindLock(lock: MachineLock): void {
    this.lock = lock;
  }

  /**
   * Claims a free slot for the calling thread.
   *
   * @returns the slot, 1 or more
   * @throws MachineError `ENOMEM` when all are taken
   */
  claim(): number {
    const { tid, startTicks } = this.identity.current();
    for (let slot = 1; slot <= THREADS_MAX; slot++) {
      const word = slotWord(slot);
      if (Atomics.compareExchange(this.i32, word + ThreadSlot.TID, 0, tid) !== 0) continue;
      Atomics.add(this.i32, word + ThreadSlot.GENERATION, 1);
      // Until this store others judge the slot by its id alone.
      this.f64[(word + ThreadSlot.START_F64) >>> 1] = startTicks;
      return slot;
    }
    throw new MachineError({
      code: 'ENOMEM',
      message: `all ${THREADS_MAX} thread slots of the machine are taken`,
      hint: 'detach machines that are no longer used, and reap threads that ended',
    });
  }

  /** Frees a slot. Its records must have been cleaned up. */
  release(slot: number): void {
    const word = slotWord(slot);
    // The id goes last: whoever claims the slot must not inherit what was said of its predecessor.
    this.f64[(word + ThreadSlot.START_F64) >>> 1] = 0;
    Atomics.store(this.i32, word + ThreadSlot.DEAD, 0);
    Atomics.store(this.i32, word + ThreadSlot.TID, 0);
  }

  /** Identity of the thread of a slot as the operating system numbers it, or 0 for a free slot. */
  tid(slot: number): number {
    return Atomics.load(this.i32, slotWord(slot) + ThreadSlot.TID);
  }

  /**
   * Whether the thread of a slot runs. A free slot is not alive. Costs a file read (20 µs): not for hot paths, nor more often
   * than every few milliseconds. Where {@link ThreadTable.provable} is false only a thread that was declared dead is dead.
   */
  isAlive(slot: number): boolean {
    const word = slotWord(slot);
    const tid = Atomics.load(this.i32, word + ThreadSlot.TID);
    if (tid === 0 || Atomics.load(this.i32, word + ThreadSlot.DEAD) !== 0) return false;
    return this.identity.isAlive(tid, this.f64[(word + ThreadSlot.START_F64) >>> 1]);
  }

  /**
   * What the slot's thread writes into the lock: the index, and a generation that tells it from threads which had the slot before.
   * Without it a thread that is about to take the lock over from a dead one could take it from a live one with the same index.
   */
  token(slot: number): number {
    const generation = Atomics.load(this.i32, slotWord(slot) + ThreadSlot.GENERATION);
    return slot | ((generation & 0x7fffff) << 8);
  }

  /** Whether two slots were claimed by one thread: it may attach twice. */
  isSameThread(a: number, b: number): boolean {
    const start = ThreadSlot.START_F64;
    const sameStart = this.f64[(slotWord(a) + start) >>> 1] === this.f64[(slotWord(b) + start) >>> 1];
    return this.tid(a) !== 0 && this.tid(a) === this.tid(b) && sameStart;
  }

  /** Declares the thread of a slot dead, for systems that don't tell: whoever saw a worker's `exit` event knows. */
  declareDead(slot: number): void {
    Atomics.store(this.i32, slotWord(slot) + ThreadSlot.DEAD, 1);
  }

  /**
   * Cleans up behind threads that ended: for each, calls the handler with the machine lock held, then frees its slot. A handler
   * that throws leaves its slot for the next call.
   *
   * @returns how many slots were freed
   */
  reap(handler: (slot: number) => void): number {
    const lock = this.lock;
    if (lock === undefined) throw new MachineError({ code: 'EPERM', message: 'the thread table has no lock yet' });
    const entered = lock.enter();
    let reaped = 0;
    try {
      for (let slot = 1; slot <= THREADS_MAX; slot++) {
        if (this.tid(slot) === 0 || this.isAlive(slot)) continue;
        handler(slot);
        this.release(slot);
        reaped++;
      }
    } finally {
      if (entered) lock.release();
    }
    return reaped;
  }
}

function slotWord(slot: number): number {
  if (!(slot >= 1 && slot <= THREADS_MAX && Number.isInteger(slot))) {
    throw new MachineError({ code: 'EINVAL', message: `${slot} is no thread slot: they are 1 to ${THREADS_MAX}` });
  }
  return Header.THREADS + (slot - 1) * THREAD_SLOT_WORDS;
}
