/** Shared receive queues. */

/**
 * `enum ibv_srq_type`.
 *
 * @enum
 */
export const SrqType = {
  /** For the QPs of its protection domain. */
  BASIC: 0,
  /** For XRC. */
  XRC: 1,
  /** With tag matching. */
  TM: 2,
} as const;

/** One of {@link SrqType}. */
export type SrqType = (typeof SrqType)[keyof typeof SrqType];

/**
 * `enum ibv_srq_attr_mask`: which attributes a modify sets.
 *
 * @enum
 */
export const SrqAttrMask = {
  /** `maxWr`. */
  MAX_WR: 1 << 0,
  /** `srqLimit`. */
  LIMIT: 1 << 1,
} as const;

/** Any combination of {@link SrqAttrMask}. */
export type SrqAttrMask = number;
