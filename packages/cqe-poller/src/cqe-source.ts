/** What a poller asks of the slow side. */

/**
 * A completion queue that is slow to reach, in another domain for example. Its fields keep their shape and their kind: each poller works with one
 * class of source.
 *
 * The capacity `cqe` bounds what the source holds and what the poller has buffered together. The source learns what was polled by
 * `consumed`, the free-running count of CQEs that left the buffer, an int32: with each drain, or from the poller's
 * `consumed` whenever another request goes to the slow side. CQEs that it handed over and that are not consumed still have their
 * places, so that a queue overruns when it would without a buffer, and not later.
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
   * many, or a negative error number. While it holds any, it gives at least one.
   */
  drain(max: number, consumed: number): number;
  /**
   * Asks for an event at the next completion, or the next solicited one. Returns whether the source, when it was armed, held CQEs, for
   * which no event is promised.
   */
  arm(solicitedOnly: boolean): boolean;
  /**
   * Changes the capacity to at least `cqe`, and returns it. Throws a VerbsError (EINVAL) when that is less than what the source
   * and the buffer hold; `buffered` says how many the latter are.
   */
  resize(cqe: number, buffered: number): number;
}
