/**
 * Posts that go straight to the device, counted without a step of their own: the device keeps an index of each queue, and what this has moved on
 * by since the last look is added here. Only who looks pays for it.
 */
import type { QueuePair, SharedReceiveQueue } from '@openverbs/verbs';
import { workRequestsTaken } from '@openverbs/verbs/driver';
import { Account } from './accounting.ts';

type Queue = QueuePair | SharedReceiveQueue;

export class DirectPosts {
  readonly #counts: Float64Array;
  /** The device's count of each queue at the last look. */
  readonly #seen = new Map<Queue, number>();

  /** @param counts - see `Account` */
  constructor(counts: Float64Array) {
    this.#counts = counts;
  }

  /** Adds what a queue's count has moved on by. */
  look(queue: Queue): void {
    const taken = workRequestsTaken(queue);
    if (taken === undefined) return;
    this.#counts[Account.DIRECT_POSTS] += (taken - (this.#seen.get(queue) ?? 0)) >>> 0;
    this.#seen.set(queue, taken);
  }

  /** A queue was looked at and then reset: its count begins anew. */
  restart(queue: Queue): void {
    if (this.#seen.has(queue)) this.#seen.set(queue, workRequestsTaken(queue) ?? 0);
  }

  /** A queue was looked at and then ended. */
  forget(queue: Queue): void {
    this.#seen.delete(queue);
  }
}
