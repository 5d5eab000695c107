/**
 * The threads that have domains open: a word in the header for each thread slot of the machine, with the token of the thread that has it. Whoever
 * waits looks now and then whether one of them has ended.
 */
import { hostClock, THREADS_MAX } from '@openverbs/machine';
import { HvHeader } from './layout.ts';
import type { Tables } from './tables.ts';

/** Time between two looks whether threads have ended, which cost some 20 µs for each thread. */
const LIVENESS_CHECK_NS_MIN = 10e6;

/** A thread that has ended and was not cleaned up behind. */
export interface EndedThread {
  /** Of its slot of the machine. */
  readonly index: number;
  readonly token: number;
}

export class OpenThreads {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** Whether it is time to look; then it is not for a while, on all threads. */
  isLookDue(): boolean {
    const { header, machine } = this.#tables;
    const { f64 } = machine;
    const word = (header + HvHeader.NEXT_LOOK_NS) >>> 1;
    const nowNs = hostClock.nowNs();
    if (nowNs < f64[word]) return false;
    f64[word] = nowNs + LIVENESS_CHECK_NS_MIN;
    return true;
  }

  /** Those that have ended. */
  ended(): EndedThread[] {
    const ended: EndedThread[] = [];
    for (let index = 1; index <= THREADS_MAX; index++) {
      const token = this.#tables.i32[this.#word(index)];
      if (this.#tables.hasEnded(token)) ended.push({ index, token });
    }
    return ended;
  }

  /** One that had this thread's slot of the machine before, and has ended. */
  predecessor(): EndedThread | undefined {
    const index = this.#tables.machine.threadIndex;
    const token = this.#tables.i32[this.#word(index)];
    return token === 0 || token === this.#tables.thread ? undefined : { index, token };
  }

  /** Notes that this thread has domains open. The lock must be held, and the predecessor cleaned up behind. */
  signOn(): void {
    this.#tables.i32[this.#word(this.#tables.machine.threadIndex)] = this.#tables.thread;
  }

  /** This thread has none open any more. */
  signOff(): void {
    Atomics.compareExchange(this.#tables.i32, this.#word(this.#tables.machine.threadIndex), this.#tables.thread, 0);
  }

  /** One that has ended was cleaned up behind. The lock must be held. */
  forget({ index }: EndedThread): void {
    this.#tables.i32[this.#tables.header + HvHeader.THREAD_DEATHS]++;
    this.#tables.i32[this.#word(index)] = 0;
  }

  #word(index: number): number {
    return this.#tables.header + HvHeader.THREADS + index - 1;
  }
}
