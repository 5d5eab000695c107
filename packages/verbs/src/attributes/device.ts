/** Attributes of devices, ports and completion queues. */
import type { AtomicCap } from '../enums/device.ts';
import type { Mtu } from '../enums/mtu.ts';
import type { LinkLayer, PortState } from '../enums/port.ts';
import type { CompletionChannel } from '../completion-channel.ts';
import type { ParentDomain } from '../parent-domain.ts';
export type { GidEntry } from '../gid.ts';

/** What a device is and where its limits lie (`struct ibv_device_attr`). Source: `ibv_query_device`(3). */
export interface DeviceAttr {
  /** Version of the firmware. */
  readonly fwVer: string;
  /** GUID of the node, in host order. */
  readonly nodeGuid: bigint;
  /** GUID of the system that the node is part of. */
  readonly sysImageGuid: bigint;
  /** Bytes of the largest memory region. */
  readonly maxMrSize: number;
  /** Bit n: pages of 2^n bytes. */
  readonly pageSizeCap: number;
  /** IEEE OUI of the vendor. */
  readonly vendorId: number;
  /** The vendor's number of the part. */
  readonly vendorPartId: number;
  /** Version of the hardware. */
  readonly hwVer: number;
  /** Queue pairs. */
  readonly maxQp: number;
  /** Work requests of a queue. */
  readonly maxQpWr: number;
  /** `DeviceCapFlags` bits. */
  readonly deviceCapFlags: number;
  /** SGEs of a work request. */
  readonly maxSge: number;
  /** SGEs of an RDMA read. */
  readonly maxSgeRd: number;
  /** Completion queues. */
  readonly maxCq: number;
  /** Entries of a completion queue. */
  readonly maxCqe: number;
  /** Memory regions. */
  readonly maxMr: number;
  /** Protection domains. */
  readonly maxPd: number;
  /** RDMA reads and atomics that a QP serves at once. */
  readonly maxQpRdAtom: number;
  /** As before, of an EE context. */
  readonly maxEeRdAtom: number;
  /** RDMA reads and atomics that the device serves at once. */
  readonly maxResRdAtom: number;
  /** RDMA reads and atomics that a QP asks for at once. */
  readonly maxQpInitRdAtom: number;
  /** As before, of an EE context. */
  readonly maxEeInitRdAtom: number;
  /** With what atomic operations are atomic. */
  readonly atomicCap: AtomicCap;
  /** EE contexts. */
  readonly maxEe: number;
  /** Reliable datagram domains. */
  readonly maxRdd: number;
  /** Memory windows. */
  readonly maxMw: number;
  /** Raw IPv6 QPs. */
  readonly maxRawIpv6Qp: number;
  /** Raw EtherType QPs. */
  readonly maxRawEthyQp: number;
  /** Multicast groups. */
  readonly maxMcastGrp: number;
  /** QPs of a multicast group. */
  readonly maxMcastQpAttach: number;
  /** QPs attached to groups in all. */
  readonly maxTotalMcastQpAttach: number;
  /** Address handles. */
  readonly maxAh: number;
  /** Fast memory regions. */
  readonly maxFmr: number;
  /** Remaps of a fast memory region. */
  readonly maxMapPerFmr: number;
  /** Shared receive queues. */
  readonly maxSrq: number;
  /** Work requests of a shared receive queue. */
  readonly maxSrqWr: number;
  /** SGEs of a shared receive queue's work request. */
  readonly maxSrqSge: number;
  /** Partitions. */
  readonly maxPkeys: number;
  /** How long the device takes to acknowledge: 4.096 us * 2^n. */
  readonly localCaAckDelay: number;
  /** Ports. */
  readonly physPortCnt: number;
}

/** What a port is and how it is doing (`struct ibv_port_attr`). Source: `ibv_query_port`(3). */
export interface PortAttr {
  /** Logical state. */
  readonly state: PortState;
  /** The largest MTU that it can. */
  readonly maxMtu: Mtu;
  /** The MTU that is configured. */
  readonly activeMtu: Mtu;
  /** Entries of the GID table. */
  readonly gidTblLen: number;
  /** `PortCapFlags` bits. */
  readonly portCapFlags: number;
  /** Bytes of the longest message. */
  readonly maxMsgSz: number;
  /** Packets with a bad P_Key. */
  readonly badPkeyCntr: number;
  /** Packets with a bad Q_Key. */
  readonly qkeyViolCntr: number;
  /** Entries of the P_Key table. */
  readonly pkeyTblLen: number;
  /** Local identifier; 0 on Ethernet. */
  readonly lid: number;
  /** LID of the subnet manager. */
  readonly smLid: number;
  /** Low bits of the LID that choose a path. */
  readonly lmc: number;
  /** Virtual lanes, as a code. */
  readonly maxVlNum: number;
  /** Service level of the subnet manager. */
  readonly smSl: number;
  /** How long the subnet takes: 4.096 us * 2^n. */
  readonly subnetTimeout: number;
  /** How the port was initialised. */
  readonly initTypeReply: number;
  /** Lanes: 1, 2, 4 and 8 stand for 1x, 4x, 8x and 12x, 16 for 2x. */
  readonly activeWidth: number;
  /** Speed of a lane, as a code: 1 is 2.5, 2 is 5, 4 and 8 are 10, 16 is 14, 32 is 25, 64 is 50, 128 is 100 Gb/s. */
  readonly activeSpeed: number;
  /** Physical state: 5 is LinkUp, 3 is Disabled, 2 is Polling. */
  readonly physState: number;
  /** What it is plugged into. */
  readonly linkLayer: LinkLayer;
  /** Bit 0: packets need a GRH. */
  readonly flags: number;
  /** `PortCapFlags2` bits. */
  readonly portCapFlags2: number;
}

/** How many completions make an event (`struct ibv_moderate_cq`). Source: `ibv_modify_cq`(3). */
export interface CqModerate {
  /** So many completions make one. */
  readonly cqCount: number;
  /** So long after the first of them it comes anyway, in microseconds. */
  readonly cqPeriod: number;
}

/** What {@link CqModerate} may be (`struct ibv_cq_moderation_caps`); both 0 without moderation. */
export interface CqModerationCaps {
  /** Completions of an event. */
  readonly maxCqCount: number;
  /** How long an event may be held back, in microseconds. */
  readonly maxCqPeriod: number;
}

/** Which operations page memory in on demand (`struct ibv_odp_caps`): `IBV_ODP_SUPPORT_*` bits. */
export interface OdpCaps {
  /** Whether it is done at all. */
  readonly generalCaps: bigint;
  /** RC. */
  readonly rcOdpCaps: number;
  /** UC. */
  readonly ucOdpCaps: number;
  /** UD. */
  readonly udOdpCaps: number;
}

/**
 * What a device is and where its limits lie, with what later versions added (`struct ibv_device_attr_ex`). Capabilities of raw
 * packet queue pairs, tag matching and device memory are left out with those. Source: `ibv_query_device_ex`(3).
 */
export interface DeviceAttrEx {
  /** As `queryDevice` tells it. */
  readonly origAttr: DeviceAttr;
  /** Paging on demand. */
  readonly odpCaps: OdpCaps;
  /** The bits of a completion's time that count; 0 when completions have none. */
  readonly completionTimestampMask: bigint;
  /** How fast the device's clock ticks, in kHz; 0 when it can't be read. */
  readonly hcaCoreClock: number;
  /** `DeviceCapFlags` bits, and those beyond 32 bits. */
  readonly deviceCapFlagsEx: bigint;
  /** Limits of `cq.modify`. */
  readonly cqModCaps: CqModerationCaps;
  /** Bytes of memory on the device. */
  readonly maxDmSize: bigint;
  /** Paging on demand, XRC. */
  readonly xrcOdpCaps: number;
  /** Ports. */
  readonly physPortCntEx: number;
}

/** How to make a completion queue. Source: `ibv_create_cq`(3). */
export interface CqInitAttr {
  /** Entries; the queue has at least as many. */
  readonly cqe: number;
  /** Where its events go; without one it has none. */
  readonly channel?: CompletionChannel | null;
  /** Which interrupt; 0 unless a device has several. */
  readonly compVector?: number;
  /** The application's own; comes back as `cq.cqContext`. */
  readonly cqContext?: unknown;
}

/** How to make an extended completion queue (`struct ibv_cq_init_attr_ex`). Source: `ibv_create_cq_ex`(3). */
export interface CqInitAttrEx extends CqInitAttr {
  /** What can be read of a completion, `WcExFlags` bits; `WC_STANDARD_FLAGS` unless said. */
  readonly wcFlags?: number;
  /** `CreateCqFlags` bits. */
  readonly flags?: number;
  /** The parent domain that it belongs to, and whose thread domain it uses. */
  readonly parentDomain?: ParentDomain | null;
}

/** Values that change all the time (`struct ibv_values_ex`). Source: `ibv_query_rt_values_ex`. */
export interface RtValues {
  /** The device's clock, in ticks of `hcaCoreClock`. */
  readonly rawClock: number;
}
