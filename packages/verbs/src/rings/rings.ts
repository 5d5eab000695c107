/** What a device with the OpenVerbs ring layout hands over at create, so that `verbs` can work on its rings directly. */

/**
 * A context's doorbells: the only calls that the ring data path makes into a provider. One object a context, of one class a
 * provider.
 */
export interface Doorbell {
  /** Work was posted to the send queue of QP `qpNum`; its doorbell record says how much. */
  ringSq(qpNum: number): void;
  /** Work was posted to the receive queue of a QP that is in the error state, so its flush must be asked for, or that is starved. */
  ringRq(qpNum: number): void;
  /**
   * Byte offset in {@link QpRings.u8} of `length` bytes of this program's memory at the verbs address `addr`, from where a post
   * copies inline data; -1 when the program has no such memory.
   */
  inlineSource(addr: number, length: number): number;
  /** A poll found nothing: runs what is due on the caller's thread, if the device runs there. */
  idle(): void;
}

/** The rings of a QP. Addresses are byte offsets into the memory that the views show. */
export interface QpRings {
  /** Tells the kind. */
  readonly kind: 'rings';
  /** QP number, 24 bits. */
  readonly qpNum: number;
  /** The memory that the rings lie in, as words. */
  readonly i32: Int32Array;
  /** The same memory, as bytes. */
  readonly u8: Uint8Array;
  /** The doorbell of the context. */
  readonly doorbell: Doorbell;
  /** Where the `QpDoorbellRecord` is. */
  readonly doorbellRecordAddr: number;
  /** Where the send queue is. */
  readonly sqAddr: number;
  /** Powers of two; 2 ** log2 entries of 2 ** log2 bytes. */
  readonly sqLog2Count: number;
  /** Stride of a send WQE. */
  readonly sqLog2Bytes: number;
  /** Where the receive queue is. */
  readonly rqAddr: number;
  /** Entries of the receive queue. */
  readonly rqLog2Count: number;
  /** Stride of a receive WQE. */
  readonly rqLog2Bytes: number;
  /** What a post may hold; the rings can be larger. */
  readonly maxSendWr: number;
  /** As before, receives. */
  readonly maxRecvWr: number;
  /** SGEs of a send. */
  readonly maxSendSge: number;
  /** SGEs of a receive. */
  readonly maxRecvSge: number;
  /** Bytes of inline data; they fit the stride. */
  readonly maxInlineData: number;
  /** Bit n: this QP takes `ibv_wr_opcode` n. */
  readonly sendOpcodes: number;
}

/** The ring and the WQEs of an SRQ. Addresses are byte offsets into the memory that the view shows. */
export interface SrqRings {
  /** Tells the kind. */
  readonly kind: 'rings';
  /** The memory that the rings lie in, as words. */
  readonly i32: Int32Array;
  /** Where the `SrqDoorbellRecord` is. */
  readonly doorbellRecordAddr: number;
  /** Where the ring is, whose words name WQEs by their slots. */
  readonly ringAddr: number;
  /** Where the WQEs are. */
  readonly wqeAddr: number;
  /** The ring has 2 ** log2Count entries, and there are as many WQEs. */
  readonly log2Count: number;
  /** Stride of a WQE. */
  readonly wqeLog2Bytes: number;
  /** What a post may hold; the ring can be larger. */
  readonly maxWr: number;
  /** SGEs of a work request; they fit the stride. */
  readonly maxSge: number;
}

/** The ring of a CQ. */
export interface CqRings {
  /** Tells the kind. */
  readonly kind: 'rings';
  /** The memory that the ring lies in, as words. */
  readonly i32: Int32Array;
  /** The doorbell of the context. */
  readonly doorbell: Doorbell;
  /** Where the `CqDoorbellRecord` is. */
  readonly doorbellRecordAddr: number;
  /** Where the ring is. */
  readonly cqAddr: number;
  /** The ring has 2 ** log2Count entries. */
  readonly log2Count: number;
}
