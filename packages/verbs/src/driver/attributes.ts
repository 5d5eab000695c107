/** What most devices have nothing of: attributes that a provider would otherwise spell out, and the codes in them. */
import type { DeviceAttr, PortAttr } from '../attributes/device.ts';
import type { QpAttr, QpCap } from '../attributes/qp.ts';
import type { AhAttr } from '../attributes/address.ts';
import { AtomicCap } from '../enums/device.ts';
import { Mtu } from '../enums/mtu.ts';
import { LinkLayer, PortState } from '../enums/port.ts';
import { MigState, QpState } from '../enums/qp.ts';

const DEVICE_NONE: DeviceAttr = {
  fwVer: '',
  nodeGuid: 0n,
  sysImageGuid: 0n,
  maxMrSize: 0,
  pageSizeCap: 0xfffff000,
  vendorId: 0,
  vendorPartId: 0,
  hwVer: 0,
  maxQp: 0,
  maxQpWr: 0,
  deviceCapFlags: 0,
  maxSge: 0,
  maxSgeRd: 0,
  maxCq: 0,
  maxCqe: 0,
  maxMr: 0,
  maxPd: 0,
  maxQpRdAtom: 0,
  maxEeRdAtom: 0,
  maxResRdAtom: 0,
  maxQpInitRdAtom: 0,
  maxEeInitRdAtom: 0,
  atomicCap: AtomicCap.NONE,
  maxEe: 0,
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
  maxPkeys: 1,
  localCaAckDelay: 0,
  physPortCnt: 1,
};

/** Width 4x, 25 Gb/s a lane, and LinkUp are codes (source: `ibv_query_port`(3)). */
const PORT_UP: PortAttr = {
  state: PortState.ACTIVE,
  maxMtu: Mtu.MTU_4096,
  activeMtu: Mtu.MTU_4096,
  gidTblLen: 1,
  portCapFlags: 0,
  maxMsgSz: 0,
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

const NO_ADDRESS: AhAttr = { dlid: 0, sl: 0, srcPathBits: 0, staticRate: 0, isGlobal: false, portNum: 0 };

/** `ibv_query_device`: what the device has; of all the rest it has none. One port and one P_Key, pages from 4 KiB on, unless said. */
export function deviceAttrOf(
  attr: Pick<
    DeviceAttr,
    'nodeGuid' | 'maxMrSize' | 'maxQp' | 'maxQpWr' | 'maxSge' | 'maxCq' | 'maxCqe' | 'maxMr' | 'maxPd'
  > &
    Partial<DeviceAttr>,
): DeviceAttr {
  return { ...DEVICE_NONE, sysImageGuid: attr.nodeGuid, ...attr };
}

/** `ibv_query_port`: an active Ethernet port with one GID and one P_Key, unless said. `maxMsgSz` is in bytes. */
export function portAttrOf(attr: Pick<PortAttr, 'maxMsgSz'> & Partial<PortAttr>): PortAttr {
  return { ...PORT_UP, ...attr };
}

/** The attributes of a QP that was just made, or reset: every attribute is there, and those that were never set are 0. */
export function newQpAttr(cap: QpCap): Required<QpAttr> {
  return {
    qpState: QpState.RESET,
    curQpState: QpState.RESET,
    pathMtu: Mtu.MTU_256,
    pathMigState: MigState.MIGRATED,
    qkey: 0,
    rqPsn: 0,
    sqPsn: 0,
    destQpNum: 0,
    qpAccessFlags: 0,
    cap,
    ahAttr: NO_ADDRESS,
    altAhAttr: NO_ADDRESS,
    pkeyIndex: 0,
    altPkeyIndex: 0,
    enSqdAsyncNotify: false,
    sqDraining: false,
    maxRdAtomic: 0,
    maxDestRdAtomic: 0,
    minRnrTimer: 0,
    portNum: 0,
    timeout: 0,
    retryCnt: 0,
    rnrRetry: 0,
    altPortNum: 0,
    altTimeout: 0,
    rateLimit: 0,
  };
}

/** Nanoseconds of the code `timeout`: 4.096 us * 2^n, and for ever for 0 (IBTA 9.7.6.1.3). */
export function timeoutNs(code: number): number {
  return code === 0 ? Infinity : 4096 * 2 ** code;
}

/**
 * Nanoseconds of the code `minRnrTimer` (IBTA table 45): 10 us for 1, 20 us for 2, and from there on each second code doubles and
 * the ones between are half as much again; 0 comes after 31.
 */
export function rnrTimerNs(code: number): number {
  if (code === 1) return 10_000;
  const n = code === 0 ? 32 : code;
  return 10_000 * 2 ** (n >> 1) * (n % 2 === 0 ? 1 : 1.5);
}
