/** Queue pairs: types, states, attribute masks. */
import { enumName } from './name-of.ts';

/**
 * `enum ibv_qp_type`: the transport service of a queue pair. Source: `ibv_create_qp`(3), IBTA vol. 1, 9.1.
 *
 * @enum
 */
export const QpType = {
  /** Reliable connection. */
  RC: 2,
  /** Unreliable connection. */
  UC: 3,
  /** Unreliable datagram. */
  UD: 4,
  /** Ethernet frames. */
  RAW_PACKET: 8,
  /** Extended reliable connection, the sending half. */
  XRC_SEND: 9,
  /** Extended reliable connection, the receiving half. */
  XRC_RECV: 10,
  /** A driver's own. */
  DRIVER: 0xff,
} as const;

/** One of {@link QpType}. */
export type QpType = (typeof QpType)[keyof typeof QpType];

/** The name of a QP type, for example `RC`. */
export function qpTypeStr(type: number): string {
  return enumName(QpType, type);
}

/**
 * `enum ibv_qp_state`. Source: `ibv_modify_qp`(3), IBTA vol. 1, 10.3.1.
 *
 * @enum
 */
export const QpState = {
  /** As created. Nothing can be posted. */
  RESET: 0,
  /** Receives can be posted. */
  INIT: 1,
  /** Ready to receive. */
  RTR: 2,
  /** Ready to send. */
  RTS: 3,
  /** Send queue drained: what was begun is finished, nothing new is begun. */
  SQD: 4,
  /** Send queue error: a send failed, receiving goes on. UC, UD. */
  SQE: 5,
  /** Error: everything that is posted is flushed. */
  ERR: 6,
  /** Not known. */
  UNKNOWN: 7,
} as const;

/** One of {@link QpState}. */
export type QpState = (typeof QpState)[keyof typeof QpState];

/** The name of a QP state, for example `RTS`. */
export function qpStateStr(state: number): string {
  return enumName(QpState, state);
}

/**
 * `enum ibv_mig_state`: automatic path migration. Source: IBTA vol. 1, 17.2.8.
 *
 * @enum
 */
export const MigState = {
  /** On its path; the other one is not armed. */
  MIGRATED: 0,
  /** Asks the peer to arm. */
  REARM: 1,
  /** Both ends are ready to migrate. */
  ARMED: 2,
} as const;

/** One of {@link MigState}. */
export type MigState = (typeof MigState)[keyof typeof MigState];

/**
 * `enum ibv_qp_attr_mask`: which attributes a modify sets. `qp.modify` derives it from the attributes that are given.
 *
 * @enum
 */
export const QpAttrMask = {
  /** `qpState`. */
  STATE: 1 << 0,
  /** `curQpState`. */
  CUR_STATE: 1 << 1,
  /** `enSqdAsyncNotify`. */
  EN_SQD_ASYNC_NOTIFY: 1 << 2,
  /** `qpAccessFlags`. */
  ACCESS_FLAGS: 1 << 3,
  /** `pkeyIndex`. */
  PKEY_INDEX: 1 << 4,
  /** `portNum`. */
  PORT: 1 << 5,
  /** `qkey`. */
  QKEY: 1 << 6,
  /** `ahAttr`. */
  AV: 1 << 7,
  /** `pathMtu`. */
  PATH_MTU: 1 << 8,
  /** `timeout`. */
  TIMEOUT: 1 << 9,
  /** `retryCnt`. */
  RETRY_CNT: 1 << 10,
  /** `rnrRetry`. */
  RNR_RETRY: 1 << 11,
  /** `rqPsn`. */
  RQ_PSN: 1 << 12,
  /** `maxRdAtomic`. */
  MAX_QP_RD_ATOMIC: 1 << 13,
  /** `altAhAttr`, `altPkeyIndex`, `altPortNum` and `altTimeout`. */
  ALT_PATH: 1 << 14,
  /** `minRnrTimer`. */
  MIN_RNR_TIMER: 1 << 15,
  /** `sqPsn`. */
  SQ_PSN: 1 << 16,
  /** `maxDestRdAtomic`. */
  MAX_DEST_RD_ATOMIC: 1 << 17,
  /** `pathMigState`. */
  PATH_MIG_STATE: 1 << 18,
  /** `cap`. */
  CAP: 1 << 19,
  /** `destQpNum`. */
  DEST_QPN: 1 << 20,
  /** `rateLimit`. */
  RATE_LIMIT: 1 << 25,
} as const;

/** Any combination of {@link QpAttrMask}. */
export type QpAttrMask = number;

/**
 * `enum ibv_query_qp_data_in_order_flags`: how `qp.queryDataInOrder` answers.
 *
 * @enum
 */
export const QpDataInOrderFlags = {
  /** With {@link QpDataInOrderCaps} bits, rather than 1 for WHOLE_MSG and 0 otherwise. */
  RETURN_CAPS: 1 << 0,
  /** For the device alone, whatever the processor does. */
  DEVICE_ONLY: 1 << 1,
} as const;

/** Any combination of {@link QpDataInOrderFlags}. */
export type QpDataInOrderFlags = number;

/**
 * `enum ibv_query_qp_data_in_order_caps`: what is written in order.
 *
 * @enum
 */
export const QpDataInOrderCaps = {
  /** A whole message: who sees its last byte sees the others. */
  WHOLE_MSG: 1 << 0,
  /** Each aligned block of 128 bytes. */
  ALIGNED_128_BYTES: 1 << 1,
} as const;

/** Any combination of {@link QpDataInOrderCaps}. */
export type QpDataInOrderCaps = number;
