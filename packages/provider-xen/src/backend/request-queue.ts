/**
 * The sends of one guest that the back-end has taken and not yet posted. Receives don't wait here: they send nothing.
 *
 * A send waits for its guest's turn (weight) and for its guest's tokens (rate). Without other guests and without a rate it is
 * posted at once.
 */
import { VerbsError } from '@openverbs/verbs';
import type { QueuePair, SendWr } from '@openverbs/verbs';
import { TokenBucket } from './token-bucket.ts';
import { postTo } from './work-requests.ts';

/** Sends of one guest that may wait. */
export const REQUESTS_WAITING_MAX = 65536;
/** Sends that have gone and still have a place in the list; more are cut off. */
const GONE_MAX = 1024;
/** What a send costs at least, in bytes: headers and the like. */
export const COST_BYTES_MIN = 64;

interface Request {
  readonly qp: QueuePair;
  readonly wr: SendWr;
  readonly bytes: number;
}

export class RequestQueue {
  /** Share among the guests. */
  weight = 1;
  readonly bucket = new TokenBucket();
  /** What the guest may still send in this round, in bytes. */
  deficit = 0;
  /** What was charged for sends that were posted. */
  bytes = 0;
  /** Sends that the device refused after they were taken: only of a front-end that does not count its work requests. */
  refused = 0;
  /** What a post from here failed at that is no refusal, if one did: nothing waits here any more, and its guest is to be ended. */
  failure: unknown = undefined;
  readonly #link: TokenBucket;
  #waiting: Request[] = [];
  #first = 0;
  readonly #waitingOf = new Map<QueuePair, number>();

  /** @param link - what all guests together may send */
  constructor(link = new TokenBucket()) {
    this.#link = link;
  }

  get length(): number {
    return this.#waiting.length - this.#first;
  }

  /** Bytes of the next one. */
  get nextBytes(): number {
    return this.#waiting[this.#first].bytes;
  }

  /**
   * Takes sends.
   *
   * @param maxMsgSz - bytes of the longest message that the device sends
   * @throws VerbsError with `badWrIndex`: ENOMEM when the guest has more under way than the QP has room for; EINVAL for what no place of the QP
   *   holds, which would take far more memory while it waits
   */
  push(qp: QueuePair, wrs: readonly SendWr[], maxMsgSz = Infinity): void {
    for (const [badWrIndex, wr] of wrs.entries()) {
      const waiting = this.#waitingOf.get(qp) ?? 0;
      if (this.length === REQUESTS_WAITING_MAX || waiting === qp.cap.maxSendWr) {
        const message = `${waiting} sends of ${qp.label} wait to be posted`;
        throw new VerbsError({ code: 'ENOMEM', message, hint: 'poll completions first', details: { badWrIndex } });
      }
      if (wr.sgList.length > qp.cap.maxSendSge || (wr.inlineData?.length ?? 0) > qp.cap.maxInlineData) {
        const message = `a send of ${qp.label} has at most ${qp.cap.maxSendSge} SGEs and ${qp.cap.maxInlineData} bytes inline`;
        throw new VerbsError({ code: 'EINVAL', message, details: { badWrIndex } });
      }
      wr.next = null;
      this.#waiting.push({ qp, wr, bytes: costOf(wr, maxMsgSz) });
      this.#waitingOf.set(qp, waiting + 1);
    }
  }

  /** Posts the next one. It throws nothing: it is called in the turn of all. */
  postNext(): void {
    const request = this.#waiting[this.#first++];
    if (this.#first === this.#waiting.length || this.#first === GONE_MAX) {
      this.#waiting = this.#waiting.slice(this.#first);
      this.#first = 0;
    }
    // A guest names what it likes: what is not sent must not put the others in debt.
    try {
      this.account(this.#post(request) ? request.bytes : COST_BYTES_MIN);
    } catch (error) {
      this.failure = error;
      this.clear();
    }
  }

  /**
   * Posts all that wait for a QP, whatever the guest's turn and tokens, and charges nothing. Only for a QP in ERR or SQE, which sends nothing and
   * only completes them.
   */
  flush(qp: QueuePair): void {
    for (const request of this.#remove(qp)) this.#post(request);
  }

  /** Forgets all that wait for a QP. */
  drop(qp: QueuePair): void {
    this.#remove(qp);
    this.#waitingOf.delete(qp);
  }

  clear(): void {
    this.#waiting = [];
    this.#first = 0;
    this.#waitingOf.clear();
  }

  /** Whether sends of the QP wait. */
  holds(qp: QueuePair): boolean {
    return (this.#waitingOf.get(qp) ?? 0) > 0;
  }

  /** Counts what went. */
  account(bytes: number): void {
    this.bytes += bytes;
    this.bucket.take(bytes);
    this.#link.take(bytes);
  }

  /** Posts one; false when the device refuses it. */
  #post({ qp, wr }: Request): boolean {
    this.#waitingOf.set(qp, (this.#waitingOf.get(qp) ?? 1) - 1);
    try {
      postTo(qp, wr);
      return true;
    } catch (error) {
      if (!VerbsError.is(error)) throw error;
      this.refused++;
      return false;
    }
  }

  #remove(qp: QueuePair): Request[] {
    if (!this.holds(qp)) return [];
    const waiting = this.#waiting.slice(this.#first);
    this.#waiting = waiting.filter((request) => request.qp !== qp);
    this.#first = 0;
    return waiting.filter((request) => request.qp === qp);
  }
}

/** Bytes of payload that a send names. */
export function payloadOf(wr: SendWr): number {
  let bytes = wr.inlineData?.length ?? 0;
  for (const sge of wr.sgList) bytes += sge.length;
  return bytes;
}

/**
 * What a send counts for in the shares of the guests, in bytes. One that is longer than any message completes with an error, and nothing of it is sent.
 *
 * @param maxMsgSz - bytes of the longest message that the device sends
 */
export function costOf(wr: SendWr, maxMsgSz: number): number {
  const bytes = payloadOf(wr);
  return bytes > maxMsgSz ? COST_BYTES_MIN : Math.max(bytes, COST_BYTES_MIN);
}
