/** A guest's way to the scheduler. */
import type { QueuePair, SendWr } from '@openverbs/verbs';
import type { Clock } from '@openverbs/machine';
import type { RequestQueue } from './request-queue.ts';
import { costOf } from './request-queue.ts';
import type { Scheduler } from './scheduler.ts';
import { postAll } from './work-requests.ts';

export class Requests {
  readonly queue: RequestQueue;
  readonly #scheduler: Scheduler;
  readonly #clock: Clock;

  constructor(queue: RequestQueue, scheduler: Scheduler, clock: Clock) {
    this.queue = queue;
    this.#scheduler = scheduler;
    this.#clock = clock;
    scheduler.add(queue);
  }

  /**
   * Posts sends at once when nobody waits, so that a refusal names the work request; else they wait for their turn.
   *
   * @throws VerbsError with `badWrIndex`
   */
  post(qp: QueuePair, wrs: readonly SendWr[]): void {
    const { queue } = this;
    if (!this.#scheduler.isIdle(queue, this.#clock.nowNs())) {
      queue.push(qp, wrs);
      return;
    }
    postAll(qp, wrs);
    for (const wr of wrs) queue.account(costOf(wr));
  }

  /** Posts what waits for a QP: what comes next is to come behind it. */
  flush(qp: QueuePair): void {
    this.queue.flush(qp);
  }

  /** Forgets what waits for a QP. */
  drop(qp: QueuePair): void {
    this.queue.drop(qp);
  }

  close(): void {
    this.queue.clear();
    this.#scheduler.remove(this.queue);
  }
}
