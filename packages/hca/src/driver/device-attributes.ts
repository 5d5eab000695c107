/** What the device says of itself: `ibv_query_device` and `ibv_query_port`. */
import { AtomicCap, DeviceCapFlags, DeviceCapFlagsEx, LinkLayer, Mtu, PortCapFlags, PortState } from '@openverbs/verbs';
import type { DeviceAttr, DeviceAttrEx, PortAttr } from '@openverbs/verbs';
import type { CapabilityManifest } from '@openverbs/verbs/driver';
import { CAPABILITY_MANIFEST_VERSION } from '@openverbs/verbs/driver';
import { type Hca, RESERVED_MPTS, RESERVED_PDS, RESERVED_QPS } from '../hca.ts';
import { Port } from '../layout.ts';
import * as limits from '../limits.ts';

/** What the software HCA supports. */
export const CAPABILITIES: CapabilityManifest = {
  version: CAPABILITY_MANIFEST_VERSION,
  supports: {
    rc: true,
    uc: true,
    ud: true,
    multicast: true,
    rdmaWrite: true,
    rdmaRead: true,
    atomics: true,
    atomicWrite: true,
    flush: true,
    inlineData: true,
    completionEvents: true,
    asyncEvents: true,
    sqDrain: true,
    resizeCq: true,
    memoryWindows: true,
    localInvalidate: true,
    reregMr: true,
    regMrIova: true,
    zeroBased: true,
    nullMr: true,
    physicalMr: true,
    srq: true,
    srqResize: true,
    cqModeration: true,
    extendedCq: true,
    parentDomains: true,
    hwCounters: true,
    pathMigration: true,
    deviceFaults: true,
    completionTimestamps: true,
    xrc: true,
    vendorErrors: true,
    directAccess: true,
    dmaBuffers: true,
    sharesMachine: true,
  },
};

/** Node GUID as one number. */
export function nodeGuid(hca: Hca): bigint {
  const [hi, lo] = hca.guid;
  return (BigInt(hi) << 32n) | BigInt(lo);
}

/** No MEM_MGT_EXTENSIONS: registration by work request, which it stands for too, is not of user space. */
const DEVICE_CAP_FLAGS =
  DeviceCapFlags.CURR_QP_STATE_MOD |
  DeviceCapFlags.RC_RNR_NAK_GEN |
  DeviceCapFlags.SYS_IMAGE_GUID |
  DeviceCapFlags.SRQ_RESIZE |
  DeviceCapFlags.UD_AV_PORT_ENFORCE |
  DeviceCapFlags.BAD_QKEY_CNTR |
  DeviceCapFlags.BAD_PKEY_CNTR |
  DeviceCapFlags.PORT_ACTIVE_EVENT |
  DeviceCapFlags.AUTO_PATH_MIG |
  DeviceCapFlags.SHUTDOWN_PORT |
  DeviceCapFlags.MEM_WINDOW |
  DeviceCapFlags.MEM_WINDOW_TYPE_2B |
  DeviceCapFlags.XRC;

/** Not FLUSH_PERSISTENT: the memory of a machine ends with its process. */
const DEVICE_CAP_FLAGS_EX = DeviceCapFlagsEx.FLUSH_GLOBAL | DeviceCapFlagsEx.ATOMIC_WRITE;

export function deviceAttr(hca: Hca): DeviceAttr {
  const guid = nodeGuid(hca);
  return {
    fwVer: '0.1.0',
    nodeGuid: guid,
    sysImageGuid: guid,
    maxMrSize: limits.MR_BYTES_MAX,
    pageSizeCap: 0xfffff000,
    vendorId: 0,
    vendorPartId: 0,
    hwVer: 0,
    maxQp: limits.QPS_MAX - RESERVED_QPS,
    maxQpWr: limits.QP_WR_MAX,
    deviceCapFlags: DEVICE_CAP_FLAGS,
    maxSge: limits.SGES_MAX,
    maxSgeRd: limits.SGES_MAX,
    maxCq: limits.CQS_MAX,
    maxCqe: limits.CQE_MAX,
    maxMr: limits.MPTS_MAX - RESERVED_MPTS,
    maxPd: limits.PDS_MAX - RESERVED_PDS,
    maxQpRdAtom: limits.RD_ATOMIC_MAX,
    maxEeRdAtom: 0,
    maxResRdAtom: limits.RD_ATOMIC_MAX * (limits.QPS_MAX - RESERVED_QPS),
    maxQpInitRdAtom: limits.RD_ATOMIC_MAX,
    maxEeInitRdAtom: 0,
    atomicCap: AtomicCap.HCA,
    maxEe: 0,
    maxRdd: 0,
    maxMw: limits.MPTS_MAX - RESERVED_MPTS,
    maxRawIpv6Qp: 0,
    maxRawEthyQp: 0,
    maxMcastGrp: limits.MCAST_ATTACHMENTS_MAX,
    maxMcastQpAttach: limits.MCAST_ATTACHMENTS_MAX,
    maxTotalMcastQpAttach: limits.MCAST_ATTACHMENTS_MAX,
    maxAh: limits.AHS_MAX,
    maxFmr: 0,
    maxMapPerFmr: 0,
    maxSrq: limits.SRQS_MAX,
    maxSrqWr: limits.SRQ_WR_MAX,
    maxSrqSge: limits.SGES_MAX,
    maxPkeys: limits.PKEYS_MAX,
    localCaAckDelay: 0,
    physPortCnt: hca.ports,
  };
}

/** The device's clock counts nanoseconds: 10^6 kHz. All bits of its time count; a completion's time is a double all the same. */
const CORE_CLOCK_KHZ = 1e6;
const TIMESTAMP_MASK = 0xffffffffffffffffn;

export function deviceAttrEx(hca: Hca): Omit<DeviceAttrEx, 'origAttr'> {
  return {
    odpCaps: { generalCaps: 0n, rcOdpCaps: 0, ucOdpCaps: 0, udOdpCaps: 0 },
    completionTimestampMask: TIMESTAMP_MASK,
    hcaCoreClock: CORE_CLOCK_KHZ,
    deviceCapFlagsEx: BigInt(deviceAttr(hca).deviceCapFlags >>> 0) | DEVICE_CAP_FLAGS_EX,
    cqModCaps: { maxCqCount: limits.CQ_MODERATION_COUNT_MAX, maxCqPeriod: limits.CQ_MODERATION_PERIOD_US_MAX },
    maxDmSize: 0n,
    xrcOdpCaps: 0,
    physPortCntEx: hca.ports,
  };
}

/** Codes of `active_width`, `active_speed` (EDR: 25 Gb/s a lane) and `phys_state`. Source: ibv_query_port(3). */
const WIDTH_4X = 2;
const SPEED_EDR = 32;
const PHYS_LINK_UP = 5;
const PHYS_DISABLED = 3;

export function portAttr(hca: Hca, port: number, up: boolean): PortAttr {
  return {
    state: up ? PortState.ACTIVE : PortState.DOWN,
    maxMtu: Mtu.MTU_4096,
    activeMtu: Mtu.MTU_4096,
    gidTblLen: hca.gidCount(port),
    portCapFlags: PortCapFlags.CM_SUP | PortCapFlags.IP_BASED_GIDS,
    maxMsgSz: limits.MESSAGE_BYTES_MAX,
    badPkeyCntr: hca.portWord(port, Port.BAD_PKEY_CNTR),
    qkeyViolCntr: hca.portWord(port, Port.QKEY_VIOL_CNTR),
    pkeyTblLen: hca.portWord(port, Port.PKEY_COUNT),
    lid: 0,
    smLid: 0,
    lmc: 0,
    maxVlNum: 1,
    smSl: 0,
    subnetTimeout: 0,
    initTypeReply: 0,
    activeWidth: WIDTH_4X,
    activeSpeed: SPEED_EDR,
    physState: up ? PHYS_LINK_UP : PHYS_DISABLED,
    linkLayer: LinkLayer.ETHERNET,
    flags: 0,
    portCapFlags2: 0,
  };
}
