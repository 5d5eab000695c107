/** What a completion says. */

/**
 * `enum ibv_wc_status`: how a work request ended. Source: `ibv_poll_cq`(3), IBTA vol. 1, 11.6.2.
 *
 * @enum
 */
export const WcStatus = {
  /** It was done. */
  SUCCESS: 0,
  /** A receive buffer, or the device's message limit, is too small. */
  LOC_LEN_ERR: 1,
  /** The QP could not do it: a malformed work request. */
  LOC_QP_OP_ERR: 2,
  /** As before, of an EE context. */
  LOC_EEC_OP_ERR: 3,
  /** An SGE names memory that its key does not give. */
  LOC_PROT_ERR: 4,
  /** The QP was in ERR, so the work request was not done. */
  WR_FLUSH_ERR: 5,
  /** A memory window could not be bound. */
  MW_BIND_ERR: 6,
  /** The peer answered with something that is no answer. */
  BAD_RESP_ERR: 7,
  /** Data of an RDMA write with immediate could not be placed here. */
  LOC_ACCESS_ERR: 8,
  /** The peer finds the request invalid: an operation that is not enabled there, or a length that does not fit. */
  REM_INV_REQ_ERR: 9,
  /** The peer's memory key does not allow it. */
  REM_ACCESS_ERR: 10,
  /** The peer could not do it. */
  REM_OP_ERR: 11,
  /** No answer, however often it was sent: the peer is away, not ready, or at another address. */
  RETRY_EXC_ERR: 12,
  /** The peer had no receive posted, however often it was sent. */
  RNR_RETRY_EXC_ERR: 13,
  /** Reliable datagram: the domains differ here. */
  LOC_RDD_VIOL_ERR: 14,
  /** Reliable datagram: the peer finds the request invalid. */
  REM_INV_RD_REQ_ERR: 15,
  /** The operation was aborted. */
  REM_ABORT_ERR: 16,
  /** Reliable datagram: no such EE context. */
  INV_EECN_ERR: 17,
  /** Reliable datagram: the EE context is in the wrong state. */
  INV_EEC_STATE_ERR: 18,
  /** The device broke. */
  FATAL_ERR: 19,
  /** The answer took too long. */
  RESP_TIMEOUT_ERR: 20,
  /** Something else. */
  GENERAL_ERR: 21,
  /** Tag matching failed. */
  TM_ERR: 22,
  /** Tag matching: software has to complete the rendezvous. */
  TM_RNDV_INCOMPLETE: 23,
} as const;

/** One of {@link WcStatus}. */
export type WcStatus = (typeof WcStatus)[keyof typeof WcStatus];

const WC_STATUS_STR = [
  'success',
  'local length error',
  'local QP operation error',
  'local EE context operation error',
  'local protection error',
  'Work Request Flushed Error',
  'memory bind operation error',
  'bad response error',
  'local access error',
  'remote invalid request error',
  'remote access error',
  'remote operation error',
  'transport retry counter exceeded',
  'RNR retry counter exceeded',
  'local RDD violation error',
  'remote invalid RD request',
  'aborted error',
  'invalid EE context number',
  'invalid EE context state',
  'fatal error',
  'response timeout error',
  'general error',
  'TM error',
  'TM software rendezvous',
];

/** Describes a completion status. `wc.explain()` says more. Source: `ibv_wc_status_str`(3). */
export function wcStatusStr(status: number): string {
  return WC_STATUS_STR[status] ?? 'unknown';
}

/**
 * `enum ibv_wc_opcode`: what was done. Bit 7 ({@link WcOpcode.RECV}) tells a completion of a receive queue, and is set in
 * failed completions too.
 *
 * @enum
 */
export const WcOpcode = {
  /** A send, with or without immediate data. */
  SEND: 0,
  /** An RDMA write, with or without immediate data. */
  RDMA_WRITE: 1,
  /** An RDMA read. */
  RDMA_READ: 2,
  /** An atomic compare and swap. */
  COMP_SWAP: 3,
  /** An atomic fetch and add. */
  FETCH_ADD: 4,
  /** Binding a memory window. */
  BIND_MW: 5,
  /** Invalidating a local key. */
  LOCAL_INV: 6,
  /** A segmented TCP send. */
  TSO: 7,
  /** A flush of remote memory. */
  FLUSH: 8,
  /** An atomic write of 8 bytes. */
  ATOMIC_WRITE: 9,
  /** A receive, taken by a send. */
  RECV: 128,
  /** A receive, taken by an RDMA write with immediate data. */
  RECV_RDMA_WITH_IMM: 129,
  /** Tag matching: a tag was added. */
  TM_ADD: 130,
  /** Tag matching: a tag was removed. */
  TM_DEL: 131,
  /** Tag matching: synchronised. */
  TM_SYNC: 132,
  /** Tag matching: a message. */
  TM_RECV: 133,
  /** Tag matching: a message without a tag. */
  TM_NO_TAG: 134,
  /** A driver's own. */
  DRIVER1: 135,
  /** A driver's own. */
  DRIVER2: 136,
  /** A driver's own. */
  DRIVER3: 137,
} as const;

/** One of {@link WcOpcode}. */
export type WcOpcode = (typeof WcOpcode)[keyof typeof WcOpcode];

/**
 * `enum ibv_wc_flags`: what else a completion carries.
 *
 * @enum
 */
export const WcFlags = {
  /** UD: the first 40 bytes of the receive buffer hold the GRH. */
  GRH: 1 << 0,
  /** `immData` is valid. */
  WITH_IMM: 1 << 1,
  /** The IP checksum was found right. */
  IP_CSUM_OK: 1 << 2,
  /** `invalidatedRkey` is valid. */
  WITH_INV: 1 << 3,
  /** Tag matching: software has to synchronise. */
  TM_SYNC_REQ: 1 << 4,
  /** Tag matching: a tag matched. */
  TM_MATCH: 1 << 5,
  /** Tag matching: the data is in the buffer. */
  TM_DATA_VALID: 1 << 6,
} as const;

/** Any combination of {@link WcFlags}. */
export type WcFlags = number;
