/** What a device is, and what it speaks. */

/**
 * `enum ibv_node_type`: the kind of a node.
 *
 * @enum
 */
export const NodeType = {
  /** Not known. */
  UNKNOWN: -1,
  /** InfiniBand channel adapter. */
  CA: 1,
  /** InfiniBand switch. */
  SWITCH: 2,
  /** InfiniBand router. */
  ROUTER: 3,
  /** iWARP adapter. */
  RNIC: 4,
  /** Cisco usNIC. */
  USNIC: 5,
  /** Cisco usNIC over UDP. */
  USNIC_UDP: 6,
  /** None of these. */
  UNSPECIFIED: 7,
} as const;

/** One of {@link NodeType}. */
export type NodeType = (typeof NodeType)[keyof typeof NodeType];

const NODE_TYPE_STR: Record<number, string> = {
  [NodeType.CA]: 'InfiniBand channel adapter',
  [NodeType.SWITCH]: 'InfiniBand switch',
  [NodeType.ROUTER]: 'InfiniBand router',
  [NodeType.RNIC]: 'iWARP NIC',
  [NodeType.USNIC]: 'usNIC',
  [NodeType.USNIC_UDP]: 'usNIC UDP',
  [NodeType.UNSPECIFIED]: 'unspecified',
};

/** Describes a node type. Source: `ibv_node_type_str`(3). */
export function nodeTypeStr(nodeType: number): string {
  return NODE_TYPE_STR[nodeType] ?? 'unknown';
}

/**
 * `enum ibv_transport_type`: the family of protocols that a device speaks.
 *
 * @enum
 */
export const TransportType = {
  /** Not known. */
  UNKNOWN: -1,
  /** The InfiniBand transport, over InfiniBand or as RoCE. */
  IB: 0,
  /** iWARP. */
  IWARP: 1,
  /** Cisco usNIC. */
  USNIC: 2,
  /** Cisco usNIC over UDP. */
  USNIC_UDP: 3,
  /** None of these. */
  UNSPECIFIED: 4,
} as const;

/** One of {@link TransportType}. */
export type TransportType = (typeof TransportType)[keyof typeof TransportType];

const TRANSPORT_TYPE_STR: Record<number, string> = {
  [TransportType.IB]: 'InfiniBand',
  [TransportType.IWARP]: 'iWARP',
  [TransportType.USNIC]: 'usNIC',
  [TransportType.USNIC_UDP]: 'usNIC UDP',
  [TransportType.UNSPECIFIED]: 'unspecified',
};

/** Names a transport, as `ibv_devinfo` prints it. */
export function transportTypeStr(transportType: number): string {
  return TRANSPORT_TYPE_STR[transportType] ?? 'invalid transport';
}
