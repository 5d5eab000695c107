/**
 * The data path of a QP, CQ or SRQ, bound once at create.
 *
 * Two kinds. `rings`: the device has the OpenVerbs ring layout, so `verbs` writes the WQE and reads the CQE itself and calls the
 * provider only to ring a doorbell. `calls`: the provider takes each post and each poll whole; one call a post, one a poll.
 * Every field of these objects is set before they are handed over and never changes shape.
 */
import type { CqRings, QpRings, SrqRings } from '../rings/rings.ts';
import type { RecvWr } from '../recv-wr.ts';
import type { SendWr } from '../send-wr.ts';
import type { WorkCompletion } from '../work-completion.ts';

/**
 * Posting through the provider. Both take a chain linked by `next` and return 0, or the `errno` of the first work request that
 * was refused; `badWrIndex` then says which one, and those before it are posted.
 */
export interface QpCalls {
  /** Tells the kind. */
  readonly kind: 'calls';
  /** After a refused post: which work request of the chain it was, from 0. */
  badWrIndex: number;
  /** `ibv_post_send`. */
  postSend(wr: SendWr): number;
  /** `ibv_post_recv`. */
  postRecv(wr: RecvWr): number;
  /** The state that the device has the QP in, by `QpState`. Left out: the one that it was modified to is believed. */
  state?(): number;
}

/** Polling through the provider. */
export interface CqCalls {
  /** Tells the kind. */
  readonly kind: 'calls';
  /** Fills `wcs[0]` to `wcs[n - 1]`, at most `limit`, and returns n, or a negative `errno`. */
  poll(wcs: WorkCompletion[], limit: number): number;
  /** Requests an event for the next completion, or the next solicited one. */
  reqNotify(solicitedOnly: boolean): void;
  /**
   * The same; returns whether completions are there, wherever they are kept, for which no event may come. Left out: asking for it
   * answers EOPNOTSUPP.
   */
  reqNotifyReportMissed?(solicitedOnly: boolean): boolean;
  /** The time of the completion that the last poll gave, in ticks of the device's clock; where the CQ was made with timestamps. */
  completionTs?(): number;
}

/** Posting to an SRQ through the provider, see {@link QpCalls}. */
export interface SrqCalls {
  /** Tells the kind. */
  readonly kind: 'calls';
  /** After a refused post: which work request of the chain it was, from 0. */
  badWrIndex: number;
  /** `ibv_post_srq_recv`. */
  postRecv(wr: RecvWr): number;
  /**
   * Beside QPs of the `rings` kind: the `wrId` of the WQE that a receive's CQE names by its WQE_INDEX. Frees the WQE; called once
   * for each such CQE, in the order of the poll.
   */
  complete?(wqeIndex: number): number;
}

/** The data path of a QP. */
export type QpDataPath = QpRings | QpCalls;
/** The data path of a CQ. */
export type CqDataPath = CqRings | CqCalls;
/** The data path of an SRQ. */
export type SrqDataPath = SrqRings | SrqCalls;
