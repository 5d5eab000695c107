/** What a port is and does. */

/**
 * `enum ibv_port_state`: the logical state of a port. Source: IBTA vol. 1, 14.2.5.6 PortInfo.
 *
 * @enum
 */
export const PortState = {
  /** No change (in a Set). */
  NOP: 0,
  /** The link is down. */
  DOWN: 1,
  /** The link is up; a subnet manager has yet to configure the port. */
  INIT: 2,
  /** Configured, not yet active. */
  ARMED: 3,
  /** Traffic flows. */
  ACTIVE: 4,
  /** Active, while the link has a transient error. */
  ACTIVE_DEFER: 5,
} as const;

/** One of {@link PortState}. */
export type PortState = (typeof PortState)[keyof typeof PortState];

const PORT_STATE_STR = ['no state change (NOP)', 'down', 'init', 'armed', 'active', 'active defer'];

/** Describes a port state. Source: `ibv_port_state_str`(3). */
export function portStateStr(state: number): string {
  return PORT_STATE_STR[state] ?? 'unknown';
}

/**
 * `IBV_LINK_LAYER_*`: what a port is plugged into.
 *
 * @enum
 */
export const LinkLayer = {
  /** Not said; devices before RoCE leave it 0 and are InfiniBand. */
  UNSPECIFIED: 0,
  /** InfiniBand. */
  INFINIBAND: 1,
  /** Ethernet, hence RoCE or iWARP. */
  ETHERNET: 2,
} as const;

/** One of {@link LinkLayer}. */
export type LinkLayer = (typeof LinkLayer)[keyof typeof LinkLayer];

/** Names a link layer as `ibv_devinfo` does. */
export function linkLayerStr(linkLayer: number): string {
  if (linkLayer === LinkLayer.ETHERNET) return 'Ethernet';
  return linkLayer === LinkLayer.INFINIBAND || linkLayer === LinkLayer.UNSPECIFIED ? 'InfiniBand' : 'Unknown';
}

/**
 * `enum ibv_port_cap_flags`: bits of `PortAttr.portCapFlags`. Source: IBTA vol. 1, 14.2.5.6, CapabilityMask.
 *
 * @enum
 */
export const PortCapFlags = {
  /** A subnet manager runs here. */
  SM: 1 << 1,
  /** Notices. */
  NOTICE_SUP: 1 << 2,
  /** Traps. */
  TRAP_SUP: 1 << 3,
  /** Optional inter-packet delays. */
  OPT_IPD_SUP: 1 << 4,
  /** Automatic path migration. */
  AUTO_MIGR_SUP: 1 << 5,
  /** Mapping of service levels to virtual lanes. */
  SL_MAP_SUP: 1 << 6,
  /** The M_Key survives a power cycle. */
  MKEY_NVRAM: 1 << 7,
  /** The P_Key table survives a power cycle. */
  PKEY_NVRAM: 1 << 8,
  /** A port LED can be switched. */
  LED_INFO_SUP: 1 << 9,
  /** System image GUID. */
  SYS_IMAGE_GUID_SUP: 1 << 11,
  /** Traps of external ports of a switch for a bad P_Key. */
  PKEY_SW_EXT_PORT_TRAP_SUP: 1 << 12,
  /** Speeds above QDR. */
  EXTENDED_SPEEDS_SUP: 1 << 14,
  /** `portCapFlags2` is valid. */
  CAP_MASK2_SUP: 1 << 15,
  /** Communication management. */
  CM_SUP: 1 << 16,
  /** SNMP tunnelling. */
  SNMP_TUNNEL_SUP: 1 << 17,
  /** Reinitialisation. */
  REINIT_SUP: 1 << 18,
  /** Device management. */
  DEVICE_MGMT_SUP: 1 << 19,
  /** Vendor classes. */
  VENDOR_CLASS_SUP: 1 << 20,
  /** Notices by directed route. */
  DR_NOTICE_SUP: 1 << 21,
  /** Notices of changes of the capability mask. */
  CAP_MASK_NOTICE_SUP: 1 << 22,
  /** Boot management. */
  BOOT_MGMT_SUP: 1 << 23,
  /** Measures the link's round trip. */
  LINK_LATENCY_SUP: 1 << 24,
  /** Asks clients to register again. */
  CLIENT_REG_SUP: 1 << 25,
  /** RoCE: GIDs stand for IP addresses. */
  IP_BASED_GIDS: 1 << 26,
} as const;

/** Any combination of {@link PortCapFlags}. */
export type PortCapFlags = number;

/**
 * `enum ibv_port_cap_flags2`: bits of `PortAttr.portCapFlags2`.
 *
 * @enum
 */
export const PortCapFlags2 = {
  /** The node description can be set. */
  SET_NODE_DESC_SUP: 1 << 0,
  /** PortInfoExtended. */
  INFO_EXT_SUP: 1 << 1,
  /** Virtual ports. */
  VIRT_SUP: 1 << 2,
  /** A table of the states of a switch's ports. */
  SWITCH_PORT_STATE_TABLE_SUP: 1 << 3,
  /** Links of width 2x. */
  LINK_WIDTH_2X_SUP: 1 << 4,
  /** HDR, 50 Gb/s a lane. */
  LINK_SPEED_HDR_SUP: 1 << 5,
  /** NDR, 100 Gb/s a lane. */
  LINK_SPEED_NDR_SUP: 1 << 10,
  /** XDR, 200 Gb/s a lane. */
  LINK_SPEED_XDR_SUP: 1 << 12,
} as const;

/** Any combination of {@link PortCapFlags2}. */
export type PortCapFlags2 = number;

/** Lanes by `activeWidth`. */
const LANES: Readonly<Record<number, number>> = { 1: 1, 2: 4, 4: 8, 8: 12, 16: 2 };
/** Speed of a lane in units of 100 Mb/s, by `activeSpeed` (source: `ibv_query_port`(3), rdma-core's translations of ibv_devinfo). */
const LANE_SPEED: Readonly<Record<number, number>> = {
  1: 25,
  2: 50,
  4: 100,
  8: 100,
  16: 140,
  32: 250,
  64: 500,
  128: 1000,
  256: 2000,
};

/** The speed of a port in units of 100 Mb/s; 0 when a code is unknown. Source: `ibv_query_port_speed`(3). */
export function portSpeed(activeWidth: number, activeSpeed: number): number {
  return (LANES[activeWidth] ?? 0) * (LANE_SPEED[activeSpeed] ?? 0);
}
