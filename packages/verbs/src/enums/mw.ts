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
