/** CQE buffering: what a provider whose completion queues are slow to reach asks of a poller, and a poller of it. */
import type { QpTable } from '../rings/qp-table.ts';
import type { CqCalls } from './data-path.ts';

/**
 * A completion queue that is slow to reach, in another domain for example. Its fields keep their shape and their kind: each poller works with one
 * class of source.
 *
 * The capacity `cqe` bounds what the source holds and what the poller has buffered together: CQEs that were handed over and that the
 * application has not polled still have their places, so that a queue overruns when it would without a buffer, and neither sooner nor later. The
 * source learns what was polled by `consumed`, the free-running count of CQEs that left the buffer, an int32.
 */
export interface CqeSource {
  /** Where {@link CqeSource.drain} writes CQEs to. Others may write there, too: each word is read once. */
  readonly i32: Int32Array;
  /** Index in {@link CqeSource.i32} of the first word there. */
  readonly word: number;
  /** How many CQEs fit there. */
  readonly cqesMax: number;
  /** Whether the last {@link CqeSource.drain} left CQEs behind. */
  readonly more: boolean;
  /**
   * Takes the oldest CQEs, at most `max`, and writes them one after another in the OpenVerbs layout; VALID means nothing there. Returns how
   * many, or a negative error number. While it holds any, it gives at least one. Of those that have their places then, the oldest `taken`
   * leave the buffer at once and count as consumed.
   */
  drain(max: number, consumed: number, taken: number): number;
  /** Tells what was polled, and nothing else. */
  consume(consumed: number): void;
  /**
   * Whether more than `count` work requests may still complete here: all that were posted to the queues which complete here, but for
   * those that the application has polled, or of which it has polled a later one.
   */
  underWayExceeds(count: number): boolean;
  /**
   * Asks for an event at the next completion, or the next solicited one. Returns whether the source, when it was armed, held CQEs, for
   * which no event is promised.
   */
  arm(solicitedOnly: boolean): boolean;
  /**
   * Changes the capacity to at least `cqe`, and returns it. Throws a VerbsError (EINVAL) when that is less than what the source
   * and the buffer hold.
   */
  resize(cqe: number, consumed: number): number;
}

/** How a poller works. */
export interface CqePollerOptions {
  /** False for a trip with each poll, which fetches what this poll gives and no more: to measure what buffering is worth. Default true. */
  readonly buffering?: boolean;
  /** Where it counts, see `newCqePollerCounts` of `@openverbs/cqe-poller`: pollers that are given the same count together. */
  readonly counts?: Float64Array;
}

/** The data path of one completion queue over a {@link CqeSource}; the provider tells it what happens to work queues. */
export interface BufferedCq extends CqCalls {
  /** CQEs that were fetched, and not polled yet. */
  readonly buffered: number;
  /**
   * Work is about to be posted that completes here. Returns `consumed`, which the post takes along: the source has to know of it before the
   * work is posted.
   */
  posting(): number;
  /** The same for a post that can't take it along: {@link CqeSource.consume} tells it, where the queue could overrun too soon otherwise. */
  beforePost(): void;
  /** Fetches what the source holds and the buffer has room for: before something that makes the source forget. */
  prefetch(): void;
  /**
   * Removes the completions of a QP. To be called when the source has reset or destroyed the QP and gives no more of its completions, and while
   * the table still has it, since its SRQ gets its WQEs back.
   */
  purge(qpNum: number): void;
  /** Changes the capacity of the queue, and returns it. What is buffered counts, and stays. Throws EINVAL when the queue holds more. */
  resize(cqe: number): number;
}

/** Makes pollers: the part `cqePoller` of `openVerbs({ use })`. */
export interface CqePollerOps {
  /** A poller for `source`, whose capacity is `cqe`; `qps` has the queues that its CQEs are about. */
  attach(source: CqeSource, cqe: number, qps: QpTable, options?: CqePollerOptions): BufferedCq;
}
