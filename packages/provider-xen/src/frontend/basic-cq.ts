/**
 * A CQ of the basic kind: its poller, and what work requests may still complete there. The poller has to know: what was polled from the
 * buffer is told to the back-end before the CQ could overrun by what it does not know.
 */
import type { BufferedCq } from '@openverbs/verbs/driver';

/** A work queue, as far as its CQ is concerned. */
export interface CountedQueue {
  /** Work requests that were posted and that the application has not seen completed. */
  readonly underWay: number;
}

/** Work requests whose completions go to one CQ. */
export class WorkUnderWay {
  /** The queues that complete there, and how often each was named: an SRQ by several QPs. */
  readonly #queues = new Map<CountedQueue, number>();
  /** There are not more: polls make them fewer, and are not counted. */
  #atMost = 0;

  attach(queue: CountedQueue): void {
    this.#queues.set(queue, (this.#queues.get(queue) ?? 0) + 1);
    this.#atMost += queue.underWay;
  }

  detach(queue: CountedQueue): void {
    const uses = this.#queues.get(queue) ?? 0;
    if (uses > 1) this.#queues.set(queue, uses - 1);
    else this.#queues.delete(queue);
  }

  /** More are about to be posted, which count already. */
  add(count: number): void {
    this.#atMost += count;
  }

  /** Whether there are more than `count`. They are counted only where that is in question. */
  exceeds(count: number): boolean {
    if (this.#atMost <= count) return false;
    this.#atMost = 0;
    for (const queue of this.#queues.keys()) this.#atMost += queue.underWay;
    return this.#atMost > count;
  }
}

export class BasicCq {
  readonly cookie: number;
  readonly poller: BufferedCq;
  readonly #underWay: WorkUnderWay;

  constructor(cookie: number, poller: BufferedCq, underWay: WorkUnderWay) {
    this.cookie = cookie;
    this.poller = poller;
    this.#underWay = underWay;
  }

  /** From now on a queue completes here. */
  attach(queue: CountedQueue): void {
    this.#underWay.attach(queue);
    if (queue.underWay > 0) this.poller.beforePost();
  }

  detach(queue: CountedQueue): void {
    this.#underWay.detach(queue);
  }

  /** Work requests are about to be posted; returns what the command has to say of what was polled. */
  posting(count: number): number {
    this.#underWay.add(count);
    return this.poller.posting() >>> 0;
  }

  /** The same for a command that says nothing of this CQ. */
  beforePost(count: number): void {
    this.#underWay.add(count);
    this.poller.beforePost();
  }
}
