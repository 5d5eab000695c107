/** What the device says of itself: the manifest, `ibv_query_device` and `ibv_query_port`. */
import { AtomicCap, DeviceCapFlags, LinkLayer, Mtu, PortState, type DeviceAttr, type PortAttr } from '@openverbs/verbs';
import { CAPABILITY_MANIFEST_VERSION, type CapabilityManifest } from '@openverbs/verbs/driver';
import { REGION_BYTES_MAX, REGIONS_MAX } from './memory.ts';
import { MESSAGE_BYTES_MAX } from './queue-pair.ts';

export const capabilities: CapabilityManifest = {
  version: CAPABILITY_MANIFEST_VERSION,
  supports: { rc: true, rdmaWrite: true, completionEvents: true, registersAnyMemory: true },
};

/** What the device has none of. */
const NONE = {
  atomicCap: AtomicCap.NONE,
  maxQpRdAtom: 0,
  maxResRdAtom: 0,
  maxQpInitRdAtom: 0,
  maxEe: 0,
  maxEeRdAtom: 0,
  maxEeInitRdAtom: 0,
  maxRdd: 0,
  maxMw: 0,
  maxRawIpv6Qp: 0,
  maxRawEthyQp: 0,
  maxMcastGrp: 0,
  maxMcastQpAttach: 0,
  maxTotalMcastQpAttach: 0,
  maxAh: 0,
  maxFmr: 0,
  maxMapPerFmr: 0,
  maxSrq: 0,
  maxSrqWr: 0,
  maxSrqSge: 0,
} as const;

export function deviceAttr(guid: bigint): DeviceAttr {
  return {
    ...NONE,
    fwVer: '1.0',
    nodeGuid: guid,
    sysImageGuid: guid,
    maxMrSize: REGION_BYTES_MAX,
    pageSizeCap: 0xfffff000,
    vendorId: 0,
    vendorPartId: 0,
    hwVer: 0,
    maxQp: 1024,
    maxQpWr: 1024,
    deviceCapFlags: DeviceCapFlags.RC_RNR_NAK_GEN,
    maxSge: 16,
    maxSgeRd: 0,
    maxCq: 2048,
    maxCqe: 65_536,
    maxMr: REGIONS_MAX,
    maxPd: 1024,
    maxPkeys: 1,
    localCaAckDelay: 0,
    physPortCnt: 1,
  };
}

export const portAttr: PortAttr = {
  state: PortState.ACTIVE,
  maxMtu: Mtu.MTU_4096,
  activeMtu: Mtu.MTU_4096,
  gidTblLen: 1,
  portCapFlags: 0,
  maxMsgSz: MESSAGE_BYTES_MAX,
  badPkeyCntr: 0,
  qkeyViolCntr: 0,
  pkeyTblLen: 1,
  lid: 0,
  smLid: 0,
  lmc: 0,
  maxVlNum: 1,
  smSl: 0,
  subnetTimeout: 0,
  initTypeReply: 0,
  activeWidth: 2,
  activeSpeed: 32,
  physState: 5,
  linkLayer: LinkLayer.ETHERNET,
  flags: 0,
  portCapFlags2: 0,
};
