/** A device with something in every field, so that a line in the wrong place shows. */
import {
  AtomicCap,
  DeviceCapFlags,
  Gid,
  GidType,
  LinkLayer,
  Mtu,
  NodeType,
  PortState,
  TransportType,
} from '@openverbs/verbs';
import type { DeviceInfo, PortInfo } from '../src/index.ts';

const IPV4 = Gid.parse('::ffff:192.168.0.7');
const LINK_LOCAL = Gid.parse('fe80::200:ff:fe00:1');

const commonPortAttr = {
  maxMtu: Mtu.MTU_4096,
  gidTblLen: 4,
  portCapFlags: 0x0001_0000,
  maxMsgSz: 0x4000_0000,
  badPkeyCntr: 17,
  qkeyViolCntr: 18,
  pkeyTblLen: 1,
  maxVlNum: 1,
  smSl: 4,
  subnetTimeout: 5,
  initTypeReply: 6,
  flags: 0,
  portCapFlags2: 0x20,
};

const ethernetPort: PortInfo = {
  port: 1,
  attr: {
    ...commonPortAttr,
    state: PortState.ACTIVE,
    activeMtu: Mtu.MTU_1024,
    lid: 0,
    smLid: 0,
    lmc: 0,
    activeWidth: 1,
    activeSpeed: 32,
    physState: 5,
    linkLayer: LinkLayer.ETHERNET,
  },
  gids: [
    { gid: LINK_LOCAL, gidIndex: 0, portNum: 1, gidType: GidType.ROCE_V2, ndevIfindex: 0 },
    { gid: IPV4, gidIndex: 1, portNum: 1, gidType: GidType.ROCE_V1, ndevIfindex: 0 },
    { gid: IPV4, gidIndex: 2, portNum: 1, gidType: GidType.ROCE_V2, ndevIfindex: 0 },
  ],
};

const infinibandPort: PortInfo = {
  port: 2,
  attr: {
    ...commonPortAttr,
    state: PortState.DOWN,
    activeMtu: Mtu.MTU_256,
    lid: 3,
    smLid: 1,
    lmc: 2,
    activeWidth: 2,
    activeSpeed: 3,
    physState: 3,
    linkLayer: LinkLayer.INFINIBAND,
  },
  gids: [{ gid: LINK_LOCAL, gidIndex: 0, portNum: 2, gidType: GidType.IB, ndevIfindex: 0 }],
};

export const sampleDevice: DeviceInfo = {
  name: 'emulated0',
  provider: 'emulated',
  nodeType: NodeType.CA,
  transportType: TransportType.IB,
  attr: {
    fwVer: '0.1.0',
    nodeGuid: 0x0200_00ff_fe00_0001n,
    sysImageGuid: 0x0102_0304_0506_0708n,
    maxMrSize: 2 ** 32,
    pageSizeCap: 0xffff_f000,
    vendorId: 0x2c9,
    vendorPartId: 25204,
    hwVer: 0xa0,
    maxQp: 65536,
    maxQpWr: 16384,
    deviceCapFlags:
      DeviceCapFlags.RESIZE_MAX_WR |
      DeviceCapFlags.PORT_ACTIVE_EVENT |
      DeviceCapFlags.SYS_IMAGE_GUID |
      DeviceCapFlags.RC_RNR_NAK_GEN |
      (1 << 27) |
      (1 << 31),
    maxSge: 32,
    maxSgeRd: 31,
    maxCq: 1024,
    maxCqe: 32767,
    maxMr: 262144,
    maxPd: 4096,
    maxQpRdAtom: 128,
    maxEeRdAtom: 1,
    maxResRdAtom: 258048,
    maxQpInitRdAtom: 127,
    maxEeInitRdAtom: 2,
    atomicCap: AtomicCap.HCA,
    maxEe: 3,
    maxRdd: 4,
    maxMw: 5,
    maxRawIpv6Qp: 6,
    maxRawEthyQp: 7,
    maxMcastGrp: 8192,
    maxMcastQpAttach: 56,
    maxTotalMcastQpAttach: 458752,
    maxAh: 100,
    maxFmr: 9,
    maxMapPerFmr: 10,
    maxSrq: 960,
    maxSrqWr: 16384,
    maxSrqSge: 27,
    maxPkeys: 64,
    localCaAckDelay: 15,
    physPortCnt: 2,
  },
  ports: [ethernetPort, infinibandPort],
};
