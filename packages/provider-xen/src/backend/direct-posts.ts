/**
 * Posts that go straight to the device, counted without a step of their own: the device keeps counts of each queue, and what these have moved on
 * by since the last look is added here. Only who looks pays for it.
 */
import type { QueuePair, SharedReceiveQueue } from '@openverbs/verbs';
import { payloadBytesDone, workRequestsTaken } from '@openverbs/verbs/driver';
import { Account } from './accounting.ts';

type Queue = QueuePair | SharedReceiveQueue;

/** The device's counts of a queue. */
interface Counts {
  readonly taken: number;
  readonly bytes: number;
}

const NONE: Counts = { taken: 0, bytes: 0 };

export class DirectPosts {
  readonly #counts: Float64Array;
  /** The counts of each queue at the last look. */
  readonly #seen = new Map<Queue, Counts>();

  /** @param counts - see `Account` */
  constructor(counts: Float64Array) {
    this.#counts = counts;
  }

  /** Adds what a queue's counts have moved on by. */
  look(queue: Queue): void {
    const now = countsOf(queue);
    if (now === undefined) return;
    const { taken, bytes } = this.#seen.get(queue) ?? NONE;
    this.#counts[Account.DIRECT_POSTS] += (now.taken - taken) >>> 0;
    this.#counts[Account.BYTES] += now.bytes - bytes;
    this.#seen.set(queue, now);
  }

  /** A queue was looked at and then ended, or reset, with which its counts begin anew. */
  forget(queue: Queue): void {
    this.#seen.delete(queue);
  }
}

/** Undefined for queues whose posts go through the back-end. */
function countsOf(queue: Queue): Counts | undefined {
  const taken = workRequestsTaken(queue);
  return taken === undefined ? undefined : { taken, bytes: payloadBytesDone(queue) ?? 0 };
}
