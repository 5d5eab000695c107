/** Rights on memory. */

/**
 * `enum ibv_access_flags`: what a memory region, or a QP's peer, may do. Reading locally is always allowed; REMOTE_WRITE and
 * REMOTE_ATOMIC need LOCAL_WRITE. Source: `ibv_reg_mr`(3).
 *
 * @enum
 */
export const AccessFlags = {
  /** The device may write here: receives, results of reads and atomics. */
  LOCAL_WRITE: 1 << 0,
  /** Peers may write. */
  REMOTE_WRITE: 1 << 1,
  /** Peers may read. */
  REMOTE_READ: 1 << 2,
  /** Peers may do atomic operations. */
  REMOTE_ATOMIC: 1 << 3,
  /** Memory windows may be bound to it. */
  MW_BIND: 1 << 4,
  /** Addresses count from the region's first byte. */
  ZERO_BASED: 1 << 5,
  /** Pages are fetched when touched, not pinned. */
  ON_DEMAND: 1 << 6,
  /** Huge pages are guaranteed. */
  HUGETLB: 1 << 7,
  /** Peers may flush to global visibility. */
  FLUSH_GLOBAL: 1 << 8,
  /** Peers may flush to persistence. */
  FLUSH_PERSISTENT: 1 << 9,
  /** The device may reorder accesses. Optional: a device that can't ignores it. */
  RELAXED_ORDERING: 1 << 20,
} as const;

/** Any combination of {@link AccessFlags}. */
export type AccessFlags = number;

/** Bits 20 to 29 ask for something that a device may ignore. */
export const ACCESS_OPTIONAL_RANGE = 0x3ff00000;
