/** Memory regions and windows. */

/**
 * `enum ibv_mw_type`.
 *
 * @enum
 */
export const MwType = {
  /** Bound by a verb. */
  TYPE_1: 1,
  /** Bound by a work request. */
  TYPE_2: 2,
} as const;

/** One of {@link MwType}. */
export type MwType = (typeof MwType)[keyof typeof MwType];

/**
 * `enum ibv_rereg_mr_flags`: what a reregistration changes.
 *
 * @enum
 */
export const ReregMrFlags = {
  /** The memory. */
  CHANGE_TRANSLATION: 1 << 0,
  /** The protection domain. */
  CHANGE_PD: 1 << 1,
  /** The access flags. */
  CHANGE_ACCESS: 1 << 2,
} as const;

/** Any combination of {@link ReregMrFlags}. */
export type ReregMrFlags = number;

/**
 * `enum ibv_mr_init_attr_mask`: which members of a `struct ibv_mr_init_attr` count.
 *
 * @enum
 */
export const MrInitAttrMask = {
  /** Member `iova`. */
  IOVA: 1 << 0,
  /** Member `addr`. */
  ADDR: 1 << 1,
  /** Member `fd`, of a dma-buf. */
  FD: 1 << 2,
  /** Member `fd_offset`. */
  FD_OFFSET: 1 << 3,
  /** Member `dmah`. */
  DMAH: 1 << 4,
  /** Member `buf`. */
  BUF: 1 << 5,
} as const;

/** Any combination of {@link MrInitAttrMask}. */
export type MrInitAttrMask = number;
