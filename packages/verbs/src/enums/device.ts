/** What a device can do, as `ibv_query_device` tells it. */

/**
 * `enum ibv_device_cap_flags`: bits of `DeviceAttr.deviceCapFlags`.
 *
 * @enum
 */
export const DeviceCapFlags = {
  /** The number of work requests of a QP can be changed by modify. */
  RESIZE_MAX_WR: 1 << 0,
  /** Counts packets with a bad P_Key, per port. */
  BAD_PKEY_CNTR: 1 << 1,
  /** Counts packets with a bad Q_Key, per port. */
  BAD_QKEY_CNTR: 1 << 2,
  /** Raw packets can be multicast. */
  RAW_MULTI: 1 << 3,
  /** Automatic path migration. */
  AUTO_PATH_MIG: 1 << 4,
  /** The port of a QP can change on SQD to SQD. */
  CHANGE_PHY_PORT: 1 << 5,
  /** The port of an address handle must be the QP's. */
  UD_AV_PORT_ENFORCE: 1 << 6,
  /** Modify may state the current state. */
  CURR_QP_STATE_MOD: 1 << 7,
  /** A port can be shut down. */
  SHUTDOWN_PORT: 1 << 8,
  /** InitType is supported. */
  INIT_TYPE: 1 << 9,
  /** Raises the event PORT_ACTIVE. */
  PORT_ACTIVE_EVENT: 1 << 10,
  /** Has a system image GUID. */
  SYS_IMAGE_GUID: 1 << 11,
  /** Generates RNR NAKs on RC QPs. */
  RC_RNR_NAK_GEN: 1 << 12,
  /** An SRQ can be resized. */
  SRQ_RESIZE: 1 << 13,
  /** An event can be requested for the Nth completion. */
  N_NOTIFY_CQ: 1 << 14,
  /** Memory windows. */
  MEM_WINDOW: 1 << 17,
  /** Checksums of IP over UD. */
  UD_IP_CSUM: 1 << 18,
  /** Extended reliable connections. */
  XRC: 1 << 20,
  /** Send with invalidate, local invalidate and fast registration. */
  MEM_MGT_EXTENSIONS: 1 << 21,
  /** Memory windows of type 2A. */
  MEM_WINDOW_TYPE_2A: 1 << 23,
  /** Memory windows of type 2B. */
  MEM_WINDOW_TYPE_2B: 1 << 24,
  /** Checksums of IP over RC. */
  RC_IP_CSUM: 1 << 25,
  /** Checksums of raw packets. */
  RAW_IP_CSUM: 1 << 26,
  /** Flow steering. */
  MANAGED_FLOW_STEERING: 1 << 29,
} as const;

/** Any combination of {@link DeviceCapFlags}. */
export type DeviceCapFlags = number;

/**
 * `enum ib_uverbs_device_cap_flags`: bits of `deviceCapFlagsEx` above those of {@link DeviceCapFlags}. Source: Linux
 * include/uapi/rdma/ib_user_verbs.h.
 *
 * @enum
 */
export const DeviceCapFlagsEx = {
  /** FLUSH for global visibility. */
  FLUSH_GLOBAL: 1n << 38n,
  /** FLUSH for persistence. */
  FLUSH_PERSISTENT: 1n << 39n,
  /** ATOMIC_WRITE. */
  ATOMIC_WRITE: 1n << 40n,
} as const;

/** Any combination of {@link DeviceCapFlagsEx}. */
export type DeviceCapFlagsEx = bigint;

/**
 * `enum ibv_atomic_cap`: with what an atomic operation is atomic.
 *
 * @enum
 */
export const AtomicCap = {
  /** No atomic operations. */
  NONE: 0,
  /** With operations of the same device. */
  HCA: 1,
  /** With everything that reaches the memory, the processors included. */
  GLOB: 2,
} as const;

/** One of {@link AtomicCap}. */
export type AtomicCap = (typeof AtomicCap)[keyof typeof AtomicCap];

/**
 * `enum ibv_fork_status`: whether registered memory survives a fork of the process.
 *
 * @enum
 */
export const ForkStatus = {
  /** It does not. */
  DISABLED: 0,
  /** It does, because the library takes care. */
  ENABLED: 1,
  /** It does anyway. */
  UNNEEDED: 2,
} as const;

/** One of {@link ForkStatus}. */
export type ForkStatus = (typeof ForkStatus)[keyof typeof ForkStatus];
