/** A guest's way to the scheduler. */
import { VerbsError } from '@openverbs/verbs';
import type { QueuePair, SendWr } from '@openverbs/verbs';
import type { Clock } from '@openverbs/machine';
import type { RequestQueue } from './request-queue.ts';
import { COST_BYTES_MIN, costOf } from './request-queue.ts';
import type { Scheduler } from './scheduler.ts';
import { badWrIndexOf, postAll } from './work-requests.ts';

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
   * Posts sends at once while nobody waits and there are tokens, so that a refusal names the work request; the rest waits for its turn.
   *
   * @param maxMsgSz - bytes of the longest message that the device sends
   * @throws VerbsError with `badWrIndex`
   */
  post(qp: QueuePair, wrs: readonly SendWr[], maxMsgSz: number): void {
    for (let next = 0; next < wrs.length;) {
      if (!this.#scheduler.isIdle(this.queue, this.#clock.nowNs())) {
        const rest = wrs.slice(next);
        countedFrom(next, () => {
          this.queue.push(qp, rest, maxMsgSz);
        });
        return;
      }
      // One by one where tokens count: all of a long list on the last token would be a debt that the others wait for too.
      const end = this.#scheduler.link.limited || this.queue.bucket.limited ? next + 1 : wrs.length;
      const some = wrs.slice(next, end);
      countedFrom(next, () => {
        this.#postNow(qp, some, maxMsgSz);
      });
      next = end;
    }
  }

  /** Posts what waits for a QP that is in ERR or SQE, where it completes and is not sent. */
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

  /** Those before one that is refused are posted, and are charged as such. */
  #postNow(qp: QueuePair, wrs: readonly SendWr[], maxMsgSz: number): void {
    let posted = wrs.length;
    try {
      postAll(qp, wrs);
    } catch (error) {
      posted = badWrIndexOf(error) ?? 0;
      this.queue.account(COST_BYTES_MIN);
      throw error;
    } finally {
      for (let n = 0; n < posted; n++) this.queue.account(costOf(wrs[n], maxMsgSz));
    }
  }
}

/** Does something with the rest of a list; a refusal names the work request by its place in the whole. */
function countedFrom(first: number, step: () => void): void {
  try {
    step();
  } catch (error) {
    const badWrIndex = badWrIndexOf(error);
    if (badWrIndex === undefined || !VerbsError.is(error)) throw error;
    const { code, message, hint } = error;
    throw new VerbsError({ code, message, hint, details: { badWrIndex: first + badWrIndex }, cause: error });
  }
}
