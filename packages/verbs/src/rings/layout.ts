/**
 * The OpenVerbs ring layout: how a WQE, a CQE and a doorbell record look in memory.
 *
 * This file is the only place that knows it. The user half of a driver writes WQEs and reads CQEs by these offsets, and a
 * device that offers direct access reads and writes the same words. All offsets are in 32-bit words, little endian, and all
 * 64-bit quantities are two words, low one first.
 *
 * Hot code destructures the tables into constants of its own module, because V8 folds those and not imported ones.
 *
 * @packageDocumentation
 */

/** Words of a send WQE. Its stride is a power of two of at least {@link SEND_WQE_BYTES_MIN} bytes. */
export const SendWqe = {
  /** `ibv_wr_opcode`. */
  OPCODE: 0,
  /** Bits 0 to 7 `ibv_send_flags`, bits 8 to 15 the number of SGEs (0 with inline data). */
  FLAGS: 1,
  /** Immediate data, or the rkey to invalidate. FLUSH: bits 0 to 3 the placement types, bits 4 and 5 the selectivity level. */
  IMM: 2,
  /** Bytes of inline data that follow at {@link SendWqe.SGE}; meaningful with `IBV_SEND_INLINE` only. */
  INLINE_LENGTH: 3,
  /** RDMA and atomics: the remote key. UD: the remote Q_Key. */
  RKEY: 4,
  /** RDMA and atomics: the remote address. UD: the address handle's number. */
  REMOTE_ADDR_LO: 5,
  /** RDMA and atomics: the remote address, high word. UD: the remote QPN. */
  REMOTE_ADDR_HI: 6,
  /** XRC: the number of the remote SRQ. */
  REMOTE_SRQN: 7,
  /** First SGE, or first byte of inline data. */
  SGE: 8,
  /** Atomics have one SGE; their operands take the place of the second. */
  COMPARE_ADD_LO: 12,
  /** High word of what to compare with or to add. */
  COMPARE_ADD_HI: 13,
  /** Low word of the new value. */
  SWAP_LO: 14,
  /** High word of the new value. */
  SWAP_HI: 15,
  /** FLUSH has no SGEs but this: bytes of the range, an unsigned number. */
  FLUSH_LENGTH: 8,
  /** BIND_MW has no SGEs but this: bytes of the window. */
  BIND_LENGTH_LO: 8,
  /** High word of the length. */
  BIND_LENGTH_HI: 9,
  /** The lkey of the region; means nothing when the length is 0. */
  BIND_LKEY: 10,
  /** The provider's number of the window. */
  BIND_MW: 11,
  /** The window's new key. */
  BIND_RKEY: 12,
  /** `ibv_access_flags` of the window. */
  BIND_ACCESS: 13,
  /** Address of the first byte, as the region's keys know it. */
  BIND_ADDR_LO: 14,
  /** High word of the address. */
  BIND_ADDR_HI: 15,
} as const;

/** Words of a receive WQE. Its stride is a power of two of at least {@link RECV_WQE_BYTES_MIN} bytes. */
export const RecvWqe = {
  /** Number of SGEs. */
  SGE_COUNT: 0,
  /** First SGE. */
  SGE: 4,
} as const;

/** Words of a scatter/gather element. */
export const SgeWords = {
  /** Verbs address, low word. */
  ADDR_LO: 0,
  /** Verbs address, high word. */
  ADDR_HI: 1,
  /** Bytes. */
  LENGTH: 2,
  /** Local key. */
  LKEY: 3,
} as const;

/** Words of a CQE. {@link CqeWords.VALID} is stored last, atomically. */
export const CqeWords = {
  /** Number of the local QP. */
  QPN: 0,
  /** Free-running index of the WQE in its queue, so the host finds the `wr_id` and frees the slots up to it. */
  WQE_INDEX: 1,
  /** `ibv_wc_opcode`; set in failed completions too, so bit 7 (`IBV_WC_RECV`) always tells the queue. */
  OPCODE: 2,
  /** One of {@link CqeSyndrome}. */
  SYNDROME: 3,
  /** Why it failed, in the device's own codes; 0 on success. */
  VENDOR_ERR: 4,
  /** Bytes transferred. */
  BYTE_LEN: 5,
  /** Immediate data, or the rkey that was invalidated. */
  IMM: 6,
  /** Source QPN of a datagram; number of the SRQ with {@link CqeFlag.XRC}. */
  SRC_QPN: 7,
  /** Bits 0 to 7 `ibv_wc_flags`; bits 8 to 11 the service level; bit 12 {@link CqeFlag}; bits 16 to 31 the source LID. */
  FLAGS: 8,
  /** Bits 0 to 15 the P_Key index; bits 16 to 23 the path bits of the destination LID. */
  PKEY_INDEX: 9,
  /** Device clock in nanoseconds. */
  TIMESTAMP_LO: 10,
  /** High word of the time. */
  TIMESTAMP_HI: 11,
  /** The key, the address or the length that the failed check looked at; its meaning follows from VENDOR_ERR. */
  FAULT_KEY: 12,
  /** Low word of the address or length that the failed check looked at. */
  FAULT_ADDR_LO: 13,
  /** High word of it. */
  FAULT_ADDR_HI: 14,
  /** Generation of the entry, see {@link cqeGeneration}. */
  VALID: 15,
} as const;

/** How the parts of {@link SendWqe.FLAGS} lie in it. */
export const SendWqeFlagsField = {
  /** `ibv_send_flags`. */
  SEND_FLAGS_MASK: 0xff,
  /** Bits below the number of SGEs. */
  SGE_COUNT_SHIFT: 8,
  /** The number of SGEs, shifted down. */
  SGE_COUNT_MASK: 0xff,
} as const;

/** How the parts of {@link CqeWords.FLAGS} lie in it. */
export const CqeFlagsField = {
  /** `ibv_wc_flags`. */
  WC_FLAGS_MASK: 0xff,
  /** Bits below the service level. */
  SL_SHIFT: 8,
  /** The service level, shifted down. */
  SL_MASK: 0xf,
  /** Bits below the source LID. */
  SLID_SHIFT: 16,
} as const;

/** How the parts of {@link CqeWords.PKEY_INDEX} lie in it. */
export const CqePkeyIndexField = {
  /** The P_Key index. */
  INDEX_MASK: 0xffff,
  /** Bits below the path bits. */
  PATH_BITS_SHIFT: 16,
  /** The path bits of the destination LID, shifted down. */
  PATH_BITS_MASK: 0xff,
} as const;

/** Bits of {@link CqeWords.FLAGS}. */
export const CqeFlag = {
  /** The WQE is of the XRC SRQ that SRC_QPN names; QPN is then often of somebody else. */
  XRC: 1 << 12,
} as const;

/** Words of a QP's doorbell record, the first {@link QP_DOORBELL_RECORD_BYTES} bytes of its buffer. One cache line a writer. */
export const QpDoorbellRecord = {
  /** Free-running count of send WQEs posted. Written by the host. */
  SQ_PRODUCER: 0,
  /** Free-running count of receive WQEs posted. Written by the host. */
  RQ_PRODUCER: 16,
  /** `ibv_qp_state` as the device last set it, in the low byte. A hint for the host; the device never reads it back. */
  STATE: 32,
} as const;

/** The byte of {@link QpDoorbellRecord.STATE} that holds the state. */
export const QP_STATE_MASK = 0xff;
/**
 * Above the state in {@link QpDoorbellRecord.STATE}: the peer was told that no receive is posted, so the next one is to be told of by a
 * doorbell. With it the word is more than any state, so that one comparison sees whether a doorbell is due.
 */
export const QP_STATE_STARVED = 0x100;

/** Words of a CQ's doorbell record, the first {@link CQ_DOORBELL_RECORD_BYTES} bytes of its buffer. */
export const CqDoorbellRecord = {
  /** Free-running count of CQEs consumed. Written by the host. */
  CONSUMER: 0,
  /** The host's own, where it keeps the room of what it has polled: how far it has polled. The device does not look at it. */
  POLLED: 1,
  /** {@link CqArm} bits. Set by the host, cleared by the device when it raises the event. */
  ARM: 16,
} as const;

/**
 * Words of an SRQ's doorbell record, the first {@link SRQ_DOORBELL_RECORD_BYTES} bytes of its buffer. The ring follows, a word an
 * entry, rounded up to a cache line; then the WQEs, laid out as {@link RecvWqe}. Completions free WQEs in any order, so an entry of
 * the ring names a WQE by its slot, and so does the CQE (WQE_INDEX).
 */
export const SrqDoorbellRecord = {
  /** Free-running count of WQEs posted. Written by the host. */
  PRODUCER: 0,
} as const;

/** How a CQ is armed; NEXT wins over SOLICITED when both are set. */
export const CqArm = {
  /** Raise an event at the next CQE. */
  NEXT: 1,
  /** Raise one at the next CQE that is solicited or failed. */
  SOLICITED: 2,
} as const;

/** Where the selectivity level of a FLUSH stands in {@link SendWqe.IMM}; the placement types are below it. */
export const FLUSH_LEVEL_SHIFT = 4;
/** Bytes that an ATOMIC_WRITE writes. Inline they fit the smallest WQE, whatever the QP's limit for inline data. */
export const ATOMIC_WRITE_BYTES = 8;

/** Smallest stride of a send queue. */
export const SEND_WQE_BYTES_MIN = 64;
/** Smallest stride of a receive queue. */
export const RECV_WQE_BYTES_MIN = 32;
/** Words of an SGE. */
export const SGE_WORDS = 4;
/** Bytes of an SGE. */
export const SGE_BYTES = 16;
/** Bytes of a CQE. */
export const CQE_BYTES = 64;
/** Words of a CQE. */
export const CQE_WORDS = 16;
/** Bytes of a QP's doorbell record. */
export const QP_DOORBELL_RECORD_BYTES = 256;
/** Bytes of an SRQ's doorbell record. */
export const SRQ_DOORBELL_RECORD_BYTES = 64;
/** Bytes of a CQ's doorbell record. */
export const CQ_DOORBELL_RECORD_BYTES = 128;

/** Bytes of the ring of an SRQ of `2 ** log2Count` WQEs, up to the first WQE. */
export function srqRingBytes(log2Count: number): number {
  return Math.max(4 * 2 ** log2Count, 64);
}

/**
 * Completion syndromes, the codes of mthca's CQEs where it has one (source: Linux drivers/infiniband/hw/mthca/mthca_cq.c, the
 * SYNDROME_ enumeration).
 */
export const CqeSyndrome = {
  /** Done. */
  SUCCESS: 0x00,
  /** `IBV_WC_LOC_LEN_ERR`. */
  LOCAL_LENGTH_ERR: 0x01,
  /** `IBV_WC_LOC_QP_OP_ERR`. */
  LOCAL_QP_OP_ERR: 0x02,
  /** `IBV_WC_LOC_EEC_OP_ERR`. */
  LOCAL_EEC_OP_ERR: 0x03,
  /** `IBV_WC_LOC_PROT_ERR`. */
  LOCAL_PROT_ERR: 0x04,
  /** `IBV_WC_WR_FLUSH_ERR`. */
  WR_FLUSH_ERR: 0x05,
  /** `IBV_WC_MW_BIND_ERR`. */
  MW_BIND_ERR: 0x06,
  /** `IBV_WC_BAD_RESP_ERR`. */
  BAD_RESP_ERR: 0x10,
  /** `IBV_WC_LOC_ACCESS_ERR`. */
  LOCAL_ACCESS_ERR: 0x11,
  /** `IBV_WC_REM_INV_REQ_ERR`. */
  REMOTE_INVAL_REQ_ERR: 0x12,
  /** `IBV_WC_REM_ACCESS_ERR`. */
  REMOTE_ACCESS_ERR: 0x13,
  /** `IBV_WC_REM_OP_ERR`. */
  REMOTE_OP_ERR: 0x14,
  /** `IBV_WC_RETRY_EXC_ERR`. */
  RETRY_EXC_ERR: 0x15,
  /** `IBV_WC_RNR_RETRY_EXC_ERR`. */
  RNR_RETRY_EXC_ERR: 0x16,
  /** `IBV_WC_LOC_RDD_VIOL_ERR`. */
  LOCAL_RDD_VIOL_ERR: 0x20,
  /** `IBV_WC_REM_INV_RD_REQ_ERR`. */
  REMOTE_INVAL_RD_REQ_ERR: 0x21,
  /** `IBV_WC_REM_ABORT_ERR`. */
  REMOTE_ABORTED_ERR: 0x22,
  /** `IBV_WC_INV_EECN_ERR`. */
  INVAL_EECN_ERR: 0x23,
  /** `IBV_WC_INV_EEC_STATE_ERR`. */
  INVAL_EEC_STATE_ERR: 0x24,
  /** Not of mthca: the device itself has failed. */
  FATAL_ERR: 0x30,
} as const;

/** One of {@link CqeSyndrome}. */
export type CqeSyndrome = (typeof CqeSyndrome)[keyof typeof CqeSyndrome];

/**
 * The value of {@link CqeWords.VALID} in the entry number `index` (free-running) of a ring of `2 ** log2Entries` entries. It
 * is 1 or 2 by turns, so that zeroed memory and the entry of the lap before are both invalid.
 */
export function cqeGeneration(index: number, log2Entries: number): number {
  return ((index >>> log2Entries) & 1) + 1;
}
