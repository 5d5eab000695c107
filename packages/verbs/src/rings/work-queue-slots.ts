/** The host's half of a work queue: which slots are taken, and the `wrId` of each. */

/**
 * Slots of a work queue. The post takes them at the head, the poll frees them: a completion says which WQE it is about, and
 * all before that one are done too. One class for send and receive queues, so that the poll sees one shape.
 */
export class WorkQueueSlots {
  /** `wrId` of each slot. Doubles in place: storing one makes no object. */
  readonly wrIds: Float64Array;
  /** Number of slots minus 1; the number is a power of two. */
  readonly mask: number;
  /** Free-running count of WQEs that were completed, an int32. Written by the poll. */
  tail: number;

  constructor(log2Count: number) {
    this.wrIds = new Float64Array(2 ** log2Count);
    this.mask = 2 ** log2Count - 1;
    this.tail = 0;
  }
}

/** The queues of a QP, as a poll finds them. */
export class QpSlots {
  /** QP number; -1 for no QP. */
  readonly qpNum: number;
  /** Its send queue. */
  readonly send: WorkQueueSlots;
  /** Its own receive queue. */
  readonly recv: WorkQueueSlots;
  /** Tells the `wrId` of a receive that came from an SRQ, and frees it; null without one. */
  readonly srq: SrqSlots | null;

  constructor(qpNum: number, send: WorkQueueSlots, recv: WorkQueueSlots, srq: SrqSlots | null) {
    this.qpNum = qpNum;
    this.send = send;
    this.recv = recv;
    this.srq = srq;
  }
}

/** What a poll needs of an SRQ. */
export interface SrqSlots {
  /** The `wrId` of the WQE that a CQE's index names; frees its slot. */
  complete(wqeIndex: number): number;
}

/** Stands for a QP that is gone. */
export const NO_QP = new QpSlots(-1, new WorkQueueSlots(0), new WorkQueueSlots(0), null);
