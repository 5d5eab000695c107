/** A scheduler of which a run that goes round for ever fails a test, and hangs nothing: its looks at the buckets are counted. */
import type { RequestQueue } from '../../src/backend/request-queue.ts';
import { Scheduler } from '../../src/backend/scheduler.ts';
import type { TokenBucket } from '../../src/backend/token-bucket.ts';

/** Looks in one run, which has a few for each turn of a guest and for each send. */
const LOOKS_MAX = 100_000;

export class BoundedScheduler extends Scheduler {
  #looks = 0;

  readonly #looksMax: number;

  constructor(looksMax = LOOKS_MAX) {
    super();
    this.#looksMax = looksMax;
    this.#bound(this.link);
  }

  override add(queue: RequestQueue): void {
    this.#bound(queue.bucket);
    super.add(queue);
  }

  override run(nowNs: number): boolean {
    this.#looks = 0;
    return super.run(nowNs);
  }

  #bound(bucket: TokenBucket): void {
    const ready = bucket.ready.bind(bucket);
    bucket.ready = (nowNs) => {
      if (++this.#looks > this.#looksMax) throw new Error('the run does not end');
      return ready(nowNs);
    };
  }
}
