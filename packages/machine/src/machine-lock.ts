/**
 * The machine lock: one for all of machine memory, named after its holder.
 *
 * A worker can be terminated between any two of its steps, so a thread that waits looks now and then whether the holder still
 * lives. If not, it takes the lock over in the holder's place and runs the recovery handlers before anything else.
 *
 * @packageDocumentation
 */
import type { HostClock } from './clock.ts';
import { MachineError, MachineTimeoutError } from './errors.ts';
import { Header, TOKEN_INDEX_MASK } from './header.ts';
import type { ThreadTable } from './thread-table.ts';

const { LOCK, LOCK_WAITERS, LOCK_PROGRESS, LOCK_TAKEOVERS } = Header;

/**
 * Whether the processor keeps stores in order, so that a plain load suffices behind the atomic store of a release. V8 calls a built-in
 * for each method of Atomics, which costs eight times a plain access.
 */
const TSO = process.arch === 'x64' || process.arch === 'ia32';
/** Deadline of an `acquire` that names none, from its call. */
export const LOCK_WAIT_NS_MAX = 10e9;
/** Looks at the lock before a thread parks: about as long as waking a parked thread takes. */
const SPIN_TURNS_MAX = 2000;
/** Longest sleep on the lock: a lost wake-up costs no more. */
const PARK_MS_MAX = 1;
/** Time between two looks whether the holder lives; a look costs 20 µs. */
const LIVENESS_CHECK_NS_MIN = 4e6;
/**
 * Where the system cannot tell whether a thread lives: the longest time that a holder may keep the lock. One that works longer
 * must call {@link MachineLock.beat}.
 */
export const HEARTBEAT_NS_MAX = 2e9;

/** Called with the lock held, after it was taken over from a thread that vanished. */
export type RecoveryHandler = (deadThreadIndex: number) => void;

/**
 * The lock over machine memory. Not recursive, not fair.
 *
 * Recovery handlers are functions, so they belong to the thread that registered them: every thread registers the same ones
 * before it takes the lock. A package that comes late compares {@link MachineLock.takeovers} with the count in its own tables.
 */
export class MachineLock {
  private readonly i32: Int32Array;
  private readonly slot: number;
  /** What this thread writes into the lock word. */
  private readonly me: number;
  private readonly threads: ThreadTable;
  private readonly clock: HostClock;
  private readonly heartbeatNsMax: number;
  private readonly handlers: RecoveryHandler[] = [];
  // What this thread saw of the holder when it last looked. Kept between calls, so that short deadlines don't hide a death.
  private seenHolder = 0;
  private seenProgress = 0;
  private seenSinceNs = 0;
  private nextLookNs = 0;

  constructor(
    i32: Int32Array,
    slot: number,
    threads: ThreadTable,
    clock: HostClock,
    heartbeatNsMax = HEARTBEAT_NS_MAX,
  ) {
    this.i32 = i32;
    this.slot = slot;
    this.me = threads.token(slot);
    this.threads = threads;
    this.clock = clock;
    this.heartbeatNsMax = heartbeatNsMax;
  }

  /** Takes the lock if it is free. Failure never tells that the holder is dead: call {@link MachineLock.acquire} now and then. */
  tryAcquire(): boolean {
    return Atomics.compareExchange(this.i32, LOCK, 0, this.me) === 0;
  }

  /**
   * Takes the lock: spins, then parks. If the holder vanished, recovers in its place.
   *
   * @param deadlineNs - in time of the host clock; default {@link LOCK_WAIT_NS_MAX} from now
   * @throws MachineError `ETIMEDOUT` that names the holder; `EDEADLK` when this thread holds the lock; `EOWNERDEAD` when a
   *   recovery handler failed: the next `acquire` tries again
   */
  acquire(deadlineNs?: number): void {
    if (Atomics.compareExchange(this.i32, LOCK, 0, this.me) !== 0) this.acquireSlowly(deadlineNs);
  }

  /**
   * Gives the lock back.
   *
   * @throws MachineError `EPERM` when this thread doesn't hold it
   */
  release(): void {
    if (this.i32[LOCK] !== this.me) this.refuseRelease();
    Atomics.store(this.i32, LOCK, 0);
    if ((TSO ? this.i32[LOCK_WAITERS] : Atomics.load(this.i32, LOCK_WAITERS)) !== 0) this.wakeWaiter();
  }

  /**
   * Makes sure that this thread holds the lock.
   *
   * @returns true when it took the lock here, so must release it; false when it held it before
   */
  enter(): boolean {
    if (Atomics.load(this.i32, LOCK) === this.me) return false;
    this.acquire();
    return true;
  }

  /** Thread index of the holder, or 0. */
  get ownerIndex(): number {
    return Atomics.load(this.i32, LOCK) & TOKEN_INDEX_MASK;
  }

  /** Whether this thread holds the lock. */
  get isHeld(): boolean {
    return Atomics.load(this.i32, LOCK) === this.me;
  }

  /** How often the lock was taken over from a vanished thread since the machine was created. */
  get takeovers(): number {
    return Atomics.load(this.i32, LOCK_TAKEOVERS) >>> 0;
  }

  /** Shows that a holder which works for long still lives; of use where the system cannot tell. */
  beat(): void {
    Atomics.add(this.i32, LOCK_PROGRESS, 1);
  }

  /**
   * Adds a handler that brings memory back to a step boundary; handlers run in the order of their registration.
   *
   * Rebuild from what memory says, not from the index: when a thread vanishes *during* recovery, the next one starts again and
   * is told the index of that thread.
   *
   * @returns a function that removes the handler
   */
  onRecover(handler: RecoveryHandler): () => void {
    this.handlers.push(handler);
    return () => {
      const index = this.handlers.indexOf(handler);
      if (index >= 0) this.handlers.splice(index, 1);
    };
  }

  private acquireSlowly(deadlineNs: number | undefined): void {
    this.refuseRecursion();
    const startNs = this.clock.nowNs();
    const endNs = deadlineNs ?? startNs + LOCK_WAIT_NS_MAX;
    for (;;) {
      if (this.spin()) return;
      // Mark first, then look again: a release either is seen here or sees the mark. Taking the lock leaves the mark, since
      // others may wait too; that costs one needless notify. A waiter that dies leaves nothing behind that lasts.
      Atomics.store(this.i32, LOCK_WAITERS, 1);
      const holder = Atomics.compareExchange(this.i32, LOCK, 0, this.me);
      if (holder === 0) return;
      Atomics.wait(this.i32, LOCK, holder, PARK_MS_MAX);
      const nowNs = this.clock.nowNs();
      if (nowNs >= this.nextLookNs) {
        this.nextLookNs = nowNs + LIVENESS_CHECK_NS_MIN;
        const vanished = this.vanishedHolder(nowNs);
        if (vanished !== 0 && this.takeOver(vanished)) return;
      }
      if (nowNs >= endNs) {
        if (this.tryAcquire()) return;
        throw this.timeout(nowNs - startNs);
      }
    }
  }

  private spin(): boolean {
    for (let turn = 0; turn < SPIN_TURNS_MAX; turn++) {
      if (Atomics.load(this.i32, LOCK) === 0 && this.tryAcquire()) return true;
    }
    return false;
  }

  /** Token of the present holder if it is dead, or 0. */
  private vanishedHolder(nowNs: number): number {
    const holder = Atomics.load(this.i32, LOCK);
    if (holder === 0) return 0;
    if (!this.threads.isAlive(holder & TOKEN_INDEX_MASK)) return holder;
    return !this.threads.provable && this.showsNoProgress(holder, nowNs) ? holder : 0;
  }

  /** Whether the holder has not released the lock for {@link HEARTBEAT_NS_MAX}. */
  private showsNoProgress(holder: number, nowNs: number): boolean {
    const progress = Atomics.load(this.i32, LOCK_PROGRESS);
    if (holder === this.seenHolder && progress === this.seenProgress) {
      return nowNs - this.seenSinceNs >= this.heartbeatNsMax;
    }
    // A release counts as progress only if it sees a waiter's mark: without the mark this look proves nothing later.
    this.seenHolder = Atomics.load(this.i32, LOCK_WAITERS) === 0 ? 0 : holder;
    this.seenProgress = progress;
    this.seenSinceNs = nowNs;
    return false;
  }

  private takeOver(deadToken: number): boolean {
    if (Atomics.compareExchange(this.i32, LOCK, deadToken, this.me) !== deadToken) return false;
    const dead = deadToken & TOKEN_INDEX_MASK;
    Atomics.add(this.i32, LOCK_TAKEOVERS, 1);
    this.threads.declareDead(dead);
    try {
      for (const handler of [...this.handlers]) handler(dead);
    } catch (cause) {
      // Memory is not at a step boundary: leave the lock with the dead, so that whoever comes next recovers again.
      Atomics.store(this.i32, LOCK, deadToken);
      throw new MachineError({
        code: 'EOWNERDEAD',
        message: `thread ${dead} vanished with the machine lock, and recovery failed: ${String(cause)}`,
        cause,
      });
    }
    return true;
  }

  private wakeWaiter(): void {
    Atomics.store(this.i32, LOCK_WAITERS, 0);
    Atomics.add(this.i32, LOCK_PROGRESS, 1);
    Atomics.notify(this.i32, LOCK, 1);
  }

  private refuseRecursion(): void {
    const owner = this.ownerIndex;
    if (owner === 0 || !this.threads.isSameThread(owner, this.slot)) return;
    throw new MachineError({
      code: 'EDEADLK',
      message: 'this thread holds the machine lock already',
      hint:
        owner === this.slot
          ? 'the lock is not recursive: release it first, or pair enter() with release()'
          : `the thread is attached twice, and holds the lock as thread ${owner}: use one Machine a thread`,
    });
  }

  private refuseRelease(): never {
    const owner = this.ownerIndex;
    const holder = owner === 0 ? 'nobody' : owner === this.slot ? 'an earlier thread of that slot' : `thread ${owner}`;
    throw new MachineError({
      code: 'EPERM',
      message: `thread ${this.slot} releases the machine lock, but it is held by ${holder}`,
      hint: this.threads.provable
        ? ''
        : 'a holder that shows no progress for 2 s loses the lock: call beat() in long work',
    });
  }

  private timeout(waitedNs: number): MachineTimeoutError {
    const owner = this.ownerIndex;
    const holder = owner === 0 ? 'nobody' : `thread ${owner} (system id ${this.threads.tid(owner)})`;
    return new MachineTimeoutError(
      `thread ${this.slot} did not get the machine lock within ${(waitedNs / 1e6).toFixed(1)} ms; it is held by ${holder}`,
      'the holder lives, but does not release the lock: look for a step that waits',
    );
  }
}
