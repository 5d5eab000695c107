/** What a device with the OpenVerbs ring layout hands over at create, so that `verbs` can work on its rings directly. */

/**
 * A context's doorbells: the only calls that the ring data path makes into a provider. One object a context, of one class a
 * provider.
 */
export interface Doorbell {
  /** Work was posted to the send queue of QP `qpNum`; its doorbell record says how much. */
  ringSq(qpNum: number): void;
  /** Work was posted to the receive queue of a QP that is in the error state, so its flush must be asked for. */
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
  readonly kind: 'rings';
  readonly qpNum: number;
  readonly i32: Int32Array;
  readonly u8: Uint8Array;
  readonly doorbell: Doorbell;
  readonly doorbellRecordAddr: number;
  readonly sqAddr: number;
  /** Powers of two; 2 ** log2 entries of 2 ** log2 bytes. */
  readonly sqLog2Count: number;
  readonly sqLog2Bytes: number;
  readonly rqAddr: number;
  readonly rqLog2Count: number;
  readonly rqLog2Bytes: number;
  /** What a post may hold; the rings can be larger. */
  readonly maxSendWr: number;
  readonly maxRecvWr: number;
  readonly maxSendSge: number;
  readonly maxRecvSge: number;
  readonly maxInlineData: number;
  /** Bit n: this QP takes `ibv_wr_opcode` n. */
  readonly sendOpcodes: number;
}

/** The ring of a CQ. */
export interface CqRings {
  readonly kind: 'rings';
  readonly i32: Int32Array;
  readonly doorbell: Doorbell;
  readonly doorbellRecordAddr: number;
  readonly cqAddr: number;
  readonly log2Count: number;
}
