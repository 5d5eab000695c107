/** What a send work request asks for. */

/**
 * `enum ibv_wr_opcode`: the operation of a send work request. Source: `ibv_post_send`(3).
 *
 * @enum
 */
export const WrOpcode = {
  /** Writes into the peer's memory. RC, UC. */
  RDMA_WRITE: 0,
  /** As before, and takes a receive of the peer to hand it `immData`. RC, UC. */
  RDMA_WRITE_WITH_IMM: 1,
  /** Sends a message into a receive of the peer. */
  SEND: 2,
  /** As before, with `immData`. */
  SEND_WITH_IMM: 3,
  /** Reads the peer's memory. RC. */
  RDMA_READ: 4,
  /** Swaps 8 bytes of the peer's memory if they compare equal. RC. */
  ATOMIC_CMP_AND_SWP: 5,
  /** Adds to 8 bytes of the peer's memory. RC. */
  ATOMIC_FETCH_AND_ADD: 6,
  /** Invalidates a local key. */
  LOCAL_INV: 7,
  /** Binds a memory window of type 2. */
  BIND_MW: 8,
  /** Sends, and invalidates a key of the peer. RC. */
  SEND_WITH_INV: 9,
  /** A segmented TCP send. */
  TSO: 10,
  /** A driver's own. */
  DRIVER1: 11,
  /** Makes written data visible or persistent at the peer. RC. */
  FLUSH: 14,
  /** Writes 8 bytes at once. RC. */
  ATOMIC_WRITE: 15,
} as const;

/** One of {@link WrOpcode}. */
export type WrOpcode = (typeof WrOpcode)[keyof typeof WrOpcode];

/**
 * `enum ibv_placement_type`: bits of how far a FLUSH is to bring what was written before. Source: `ibv_wr_post`(3), IBTA annex A19.
 *
 * @enum
 */
export const PlacementType = {
  /** To where everybody sees it. */
  GLOBAL: 1 << 0,
  /** To where it survives a loss of power. */
  PERSISTENT: 1 << 1,
} as const;

/** Any combination of {@link PlacementType}. */
export type PlacementType = number;

/**
 * `enum ibv_selectivity_level`: what of the peer's memory a FLUSH is for. Source: `ibv_wr_post`(3), IBTA annex A19.
 *
 * @enum
 */
export const SelectivityLevel = {
  /** The bytes that it names. */
  RANGE: 0,
  /** All of the region; address and length mean nothing. */
  MR: 1,
} as const;

/** One of {@link SelectivityLevel}. */
export type SelectivityLevel = (typeof SelectivityLevel)[keyof typeof SelectivityLevel];

/**
 * `enum ibv_send_flags`: bits of `SendWr.sendFlags`.
 *
 * @enum
 */
export const SendFlags = {
  /** Waits until earlier RDMA reads and atomics of this QP are done. RC. */
  FENCE: 1 << 0,
  /** Asks for a completion. */
  SIGNALED: 1 << 1,
  /** Raises the solicited event at the peer. */
  SOLICITED: 1 << 2,
  /** The data is copied by the post, so the buffer is free at once and `lkey` is not looked at. */
  INLINE: 1 << 3,
  /** Has the device compute IP checksums. */
  IP_CSUM: 1 << 4,
} as const;

/** Any combination of {@link SendFlags}. */
export type SendFlags = number;

/** Describes an operation in words of the wire, for example `rdma-write-with-imm`. Source: `ibv_wr_opcode_str`(3). */
export function wrOpcodeStr(opcode: number): string {
  const name = Object.entries(WrOpcode).find(([, value]) => value === opcode)?.[0];
  return name?.toLowerCase().replaceAll('_', '-') ?? 'unknown';
}
