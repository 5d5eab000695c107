/** A guest that always has sends waiting, as the scheduler sees it: a queue, and a QP below it that counts. */
import { SendWr, VerbsError } from '@openverbs/verbs';
import type { QueuePair } from '@openverbs/verbs';
import { RequestQueue } from '../../src/backend/request-queue.ts';
import type { TokenBucket } from '../../src/backend/token-bucket.ts';

/** A lower QP that takes whatever is posted, and notes it. */
export interface CountingQp {
  readonly qp: QueuePair;
  readonly posted: bigint[];
  /** Refuses everything, as a QP in the wrong state does. */
  refuses: boolean;
}

export function countingQp(maxSendWr = 64): CountingQp {
  const counting: CountingQp = {
    posted: [],
    refuses: false,
    qp: {
      label: 'QP 1',
      cap: { maxSendWr, maxSendSge: 2, maxInlineData: 64 },
      postSend: ({ wrId }: SendWr) => {
        if (counting.refuses) throw new VerbsError({ code: 'EINVAL', message: 'wrong state' });
        counting.posted.push(BigInt(wrId));
      },
    } as unknown as QueuePair,
  };
  return counting;
}

/** A send of `bytes`. */
export function sendOf(bytes: number, wrId = 0): SendWr {
  return new SendWr({ wrId, sgList: [{ addr: 4096, length: bytes, lkey: 1 }] });
}

export class SaturatedGuest {
  readonly queue: RequestQueue;
  readonly #bytes: number;
  readonly #qp = countingQp().qp;

  constructor(link: TokenBucket, bytes: number, weight = 1) {
    this.queue = new RequestQueue(link);
    this.queue.weight = weight;
    this.#bytes = bytes;
  }

  /** Posts until no more may wait. */
  fill(): void {
    while (this.queue.length < 64) this.queue.push(this.#qp, [sendOf(this.#bytes)]);
  }
}
