/** Kinds of GIDs. */

/**
 * `enum ibv_gid_type`: which protocol a GID table entry stands for.
 *
 * @enum
 */
export const GidType = {
  /** InfiniBand. */
  IB: 0,
  /** RoCE version 1, EtherType 0x8915. */
  ROCE_V1: 1,
  /** RoCE version 2, UDP port 4791. */
  ROCE_V2: 2,
} as const;

/** One of {@link GidType}. */
export type GidType = (typeof GidType)[keyof typeof GidType];

const GID_TYPE_STR = ['IB', 'RoCE v1', 'RoCE v2'];

/** Names a GID type as `ibv_devinfo -v` does. */
export function gidTypeStr(type: number): string {
  return GID_TYPE_STR[type] ?? 'unknown';
}
