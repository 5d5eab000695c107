/** How completion queues are made and changed. */

/**
 * `enum ibv_create_cq_wc_flags`: what the completions of an extended CQ tell. Source: `ibv_create_cq_ex`(3).
 *
 * @enum
 */
export const WcExFlags = {
  /** `readByteLen`. */
  BYTE_LEN: 1 << 0,
  /** `readImmData` and `readInvalidatedRkey`. */
  IMM: 1 << 1,
  /** `readQpNum`. */
  QP_NUM: 1 << 2,
  /** `readSrcQp`. */
  SRC_QP: 1 << 3,
  /** `readSlid`. */
  SLID: 1 << 4,
  /** `readSl`. */
  SL: 1 << 5,
  /** `readDlidPathBits`. */
  DLID_PATH_BITS: 1 << 6,
  /** `readCompletionTs`. */
  COMPLETION_TIMESTAMP: 1 << 7,
  /** VLAN tags; left out. */
  CVLAN: 1 << 8,
  /** Tags of flow steering; left out. */
  FLOW_TAG: 1 << 9,
  /** Tag matching; left out. */
  TM_INFO: 1 << 10,
  /** `readCompletionWallclockNs`. */
  COMPLETION_TIMESTAMP_WALLCLOCK: 1 << 11,
} as const;

/** Any combination of {@link WcExFlags}. */
export type WcExFlags = number;

/** `IBV_WC_STANDARD_FLAGS`: what every completion tells. */
export const WC_STANDARD_FLAGS = 0x7f;

/**
 * `enum ibv_create_cq_attr_flags`: what an extended CQ is made for. Source: `ibv_create_cq_ex`(3).
 *
 * @enum
 */
export const CreateCqFlags = {
  /** One thread uses it. Here the objects of a context belong to one thread anyway, so it changes nothing. */
  SINGLE_THREADED: 1 << 0,
  /** A full queue is no error: the next completion takes the place of the oldest, which is lost. */
  IGNORE_OVERRUN: 1 << 1,
} as const;

/** Any combination of {@link CreateCqFlags}. */
export type CreateCqFlags = number;

/**
 * `enum ibv_cq_attr_mask`: what a modify of a CQ changes.
 *
 * @enum
 */
export const CqAttrMask = {
  /** How many completions make an event. */
  MODERATE: 1 << 0,
} as const;

/** Any combination of {@link CqAttrMask}. */
export type CqAttrMask = number;
