/** How attributes of verbs cross the device channel. */
import { Gid } from '@openverbs/verbs';
import type { DeviceAttr, DeviceAttrEx, PortAttr } from '@openverbs/verbs';
import {
  bool,
  bytes,
  f64,
  handle,
  int,
  list,
  mapped,
  nullable,
  partial,
  struct,
  text,
  u32,
  u53,
  u64,
} from './field.ts';
import type { Field, ValueOf } from './field.ts';
import { INLINE_BYTES_MAX, SGES_MAX } from './limits.ts';

const u8 = int(0, 0xff);
const u16 = int(0, 0xffff);
const u24 = int(0, 0xffffff);
/** Counts and limits of a device: never negative. */
const count = int(0, 0x7fffffff);

/** `struct ibv_gid`. */
export const gid: Field<Gid> = mapped(
  bytes(16, 16),
  (value: Gid) => value.bytes,
  (value) => new Gid(value),
);

/** `struct ibv_global_route`. */
const globalRoute = struct({ dgid: gid, flowLabel: int(0, 0xfffff), sgidIndex: u8, hopLimit: u8, trafficClass: u8 });

const ahScalars = { dlid: u16, sl: u8, srcPathBits: u8, staticRate: u8, isGlobal: bool, portNum: u8 };
const ahWords = struct({ ...ahScalars, grh: nullable(globalRoute) });

/** `struct ibv_ah_attr`. */
export const ahAttr = mapped(
  ahWords,
  ({ grh, ...rest }: AhAttrValue) => ({ ...rest, grh: grh ?? null }),
  ({ grh, ...rest }): AhAttrValue => (grh === null ? rest : { ...rest, grh }),
);

type AhAttrValue = { readonly [K in keyof typeof ahScalars]: K extends 'isGlobal' ? boolean : number } & {
  readonly grh?: {
    readonly dgid: Gid;
    readonly flowLabel: number;
    readonly sgidIndex: number;
    readonly hopLimit: number;
    readonly trafficClass: number;
  };
};

/** `struct ibv_qp_cap`. */
export const qpCap = struct({
  maxSendWr: u32,
  maxRecvWr: u32,
  maxSendSge: u32,
  maxRecvSge: u32,
  maxInlineData: u32,
});

/** `struct ibv_qp_attr`, what is given of it. */
export const qpAttr = partial({
  qpState: u8,
  curQpState: u8,
  pathMtu: u8,
  pathMigState: u8,
  qkey: u32,
  rqPsn: u24,
  sqPsn: u24,
  destQpNum: u24,
  qpAccessFlags: u32,
  cap: qpCap,
  ahAttr,
  altAhAttr: ahAttr,
  pkeyIndex: u16,
  altPkeyIndex: u16,
  enSqdAsyncNotify: bool,
  sqDraining: bool,
  maxRdAtomic: u8,
  maxDestRdAtomic: u8,
  minRnrTimer: u8,
  portNum: u8,
  timeout: u8,
  retryCnt: u8,
  rnrRetry: u8,
  altPortNum: u8,
  altTimeout: u8,
  rateLimit: u32,
});

/** `struct ibv_srq_attr`, what is given of it. */
export const srqAttr = partial({ maxWr: u32, maxSge: u32, srqLimit: u32 });

/** `struct ibv_device_attr`. */
export const deviceAttr = struct({
  fwVer: text(64),
  nodeGuid: u64,
  sysImageGuid: u64,
  maxMrSize: u53,
  pageSizeCap: u53,
  vendorId: u32,
  vendorPartId: u32,
  hwVer: u32,
  maxQp: count,
  maxQpWr: count,
  deviceCapFlags: u32,
  maxSge: count,
  maxSgeRd: count,
  maxCq: count,
  maxCqe: count,
  maxMr: count,
  maxPd: count,
  maxQpRdAtom: count,
  maxEeRdAtom: count,
  maxResRdAtom: count,
  maxQpInitRdAtom: count,
  maxEeInitRdAtom: count,
  atomicCap: u8 as Field<DeviceAttr['atomicCap']>,
  maxEe: count,
  maxRdd: count,
  maxMw: count,
  maxRawIpv6Qp: count,
  maxRawEthyQp: count,
  maxMcastGrp: count,
  maxMcastQpAttach: count,
  maxTotalMcastQpAttach: count,
  maxAh: count,
  maxFmr: count,
  maxMapPerFmr: count,
  maxSrq: count,
  maxSrqWr: count,
  maxSrqSge: count,
  maxPkeys: u16,
  localCaAckDelay: u8,
  physPortCnt: u8,
} satisfies { readonly [K in keyof DeviceAttr]: Field<DeviceAttr[K]> });

/** What `struct ibv_device_attr_ex` adds. */
export const deviceAttrEx = struct({
  odpCaps: struct({ generalCaps: u64, rcOdpCaps: u32, ucOdpCaps: u32, udOdpCaps: u32 }),
  completionTimestampMask: u64,
  hcaCoreClock: u53,
  deviceCapFlagsEx: u64,
  cqModCaps: struct({ maxCqCount: count, maxCqPeriod: count }),
  maxDmSize: u64,
  xrcOdpCaps: u32,
  physPortCntEx: u32,
} satisfies { readonly [K in keyof Omit<DeviceAttrEx, 'origAttr'>]: Field<DeviceAttrEx[K]> });

/** `struct ibv_port_attr`. */
export const portAttr = struct({
  state: u8 as Field<PortAttr['state']>,
  maxMtu: u8 as Field<PortAttr['maxMtu']>,
  activeMtu: u8 as Field<PortAttr['activeMtu']>,
  gidTblLen: count,
  portCapFlags: u32,
  maxMsgSz: u53,
  badPkeyCntr: u32,
  qkeyViolCntr: u32,
  pkeyTblLen: u16,
  lid: u16,
  smLid: u16,
  lmc: u8,
  maxVlNum: u8,
  smSl: u8,
  subnetTimeout: u8,
  initTypeReply: u8,
  activeWidth: u8,
  activeSpeed: u32,
  physState: u8,
  linkLayer: u8 as Field<PortAttr['linkLayer']>,
  flags: u8,
  portCapFlags2: u16,
} satisfies { readonly [K in keyof PortAttr]: Field<PortAttr[K]> });

/** `struct ibv_sge`. */
export const sge = struct({ addr: u53, length: u32, lkey: u32 });

/** `struct ibv_mw_bind`, with handles. */
const mwBind = struct({ mw: handle, rkey: u32, mr: handle, addr: u53, length: u53, access: u32 });

/** `struct ibv_send_wr`: addresses and keys, never payload but what is inline. `wrId` is the front-end's own number. */
export const sendWr = struct({
  wrId: u53,
  opcode: u32,
  sendFlags: u32,
  /** Or the rkey to invalidate: no operation has both. */
  immData: u32,
  rkey: u32,
  remoteAddrLo: int(-0x80000000, 0x7fffffff),
  remoteAddrHi: int(-0x80000000, 0x7fffffff),
  compareAdd: u64,
  swap: u64,
  flushLength: u32,
  flushType: u32,
  flushLevel: u32,
  remoteQpn: u32,
  remoteQkey: u32,
  remoteSrqn: u32,
  ah: handle,
  bind: nullable(mwBind),
  inlineData: nullable(bytes(INLINE_BYTES_MAX)),
  sgList: list(sge, SGES_MAX),
});

/** `struct ibv_recv_wr`. `wrId` is the front-end's own number. */
export const recvWr = struct({ wrId: u53, sgList: list(sge, SGES_MAX) });

/** `struct ibv_wc`. */
export const completion = struct({
  wrId: u53,
  status: u8,
  opcode: u8,
  vendorErr: u32,
  byteLen: u32,
  immData: u32,
  qpNum: u24,
  srcQp: u24,
  wcFlags: u32,
  pkeyIndex: u16,
  slid: u16,
  sl: u8,
  dlidPathBits: u8,
  faultKey: u32,
  faultAddr: f64,
  timestamp: u53,
});

/** What a completion is on its way. */
export type CompletionValue = ValueOf<typeof completion>;
/** What a send is on its way. */
export type SendWrValue = ValueOf<typeof sendWr>;
/** What a receive is on its way. */
export type RecvWrValue = ValueOf<typeof recvWr>;
