/**
 * What a provider implements: devices, and the control operations of an open context.
 *
 * `verbs` checks arguments, states and lifetimes before it calls any of these, adds the verb's name to the errors that they
 * throw, and answers `EOPNOTSUPP` for an operation that is left out. Operations are synchronous, as they are in C.
 */
import type { CqInitAttr, CqModerate, DeviceAttr, DeviceAttrEx, GidEntry, PortAttr } from '../attributes/device.ts';
import type { AhAttr, QpAttr, QpCap, SrqAttr } from '../attributes/qp.ts';
import type { Gid } from '../gid.ts';
import type { EventSource } from './events.ts';
import type { CapabilityManifest } from './capabilities.ts';
import type { CqDataPath, QpDataPath, SrqDataPath } from './data-path.ts';
import type { DirectAccessOps } from './direct-access.ts';
import type { CqRings, SrqRings } from '../rings/rings.ts';

/** A provider's own identifier of an object: a positive integer, unique among the live objects of its kind in a context. */
export type Handle = number;

/** A device that a provider offers. */
export interface DeviceOps {
  /** As `ibv_get_device_name` tells it; unique within the provider. */
  readonly name: string;
  /** `node_guid`, in host order. */
  readonly guid: bigint;
  /**
   * Names what the device's messages can reach: devices of one fabric reach each other, and none of another. Left out where only the
   * network knows. Compared by `connectPair`.
   */
  readonly fabric?: string;
  /** One of `NodeType`. */
  readonly nodeType: number;
  /** One of `TransportType`. */
  readonly transportType: number;
  /** What the device supports, before it is opened. */
  readonly capabilities: CapabilityManifest;
  /** Opens a context. It belongs to the calling thread. */
  open(): ContextOps;
  /** Whether it was pulled out, for good; left out where devices stay. */
  readonly removed?: boolean;
  /** Causes what can happen to hardware, for tests; where the manifest claims `deviceFaults`. */
  readonly faults?: DeviceFaults;
  /** Told of each registration of so many pages that a cache above the device has saved it, where the device counts such things. */
  registrationSaved?(pages: number): void;
}

/** What can happen to hardware, at will: for tests of programs. */
export interface DeviceFaults {
  /** Takes a port down or up: PORT_ERR or PORT_ACTIVE. What is sent over a port that is down is lost. */
  setPort(port: number, up: boolean): void;
  /** Gives a port another address in the place of one that it has: GID_CHANGE. */
  setGid(port: number, index: number, gid: Gid): void;
  /** Gives a port another P_Key in the place of one that it has: PKEY_CHANGE. Queue pairs of the index have the new one. */
  setPkey(port: number, index: number, pkey: number): void;
  /** Has a QP fail: QP_FATAL, and it is in ERR. */
  failQp(qp: Handle): void;
  /** Has the device fail: DEVICE_FATAL, its QPs are in ERR, and operations answer EIO, but for those that end objects. */
  failDevice(): void;
  /** Pulls the device out: as a failure, and it is listed and opened no more. */
  removeDevice(): void;
}

/** Memory that a provider allocated, reachable by its device. */
export interface DmaBufferOps {
  /** The provider's number of the buffer. */
  readonly handle: Handle;
  /** Verbs address of the first byte. */
  readonly addr: number;
  /** The memory itself, `length` bytes, zeroed. */
  readonly bytes: Uint8Array;
}

/** Result of registering memory. */
export interface MrOps {
  /** The provider's number of the region. */
  readonly handle: Handle;
  /** The local key, an unsigned 32-bit number whose bits from 8 on number the region. */
  readonly lkey: number;
  /** The remote key, likewise. */
  readonly rkey: number;
  /** Verbs address of the first byte of the region. */
  readonly addr: number;
}

/** What {@link ContextOps.regMr} is asked for: either `buffer`, or any other `view` where the provider registers those. */
export interface MrRequest {
  /** The protection domain. */
  readonly pd: Handle;
  /** Handle of a buffer that this context allocated; null for one of another context, and for any other memory. */
  readonly buffer: Handle | null;
  /** Offset into the buffer or view, in bytes. */
  readonly offset: number;
  /** Bytes to register, at least 1. */
  readonly length: number;
  /** The bytes to register; of the buffer when `buffer` is not null. */
  readonly view: Uint8Array;
  /** `AccessFlags` bits. */
  readonly access: number;
  /** The address at which the keys know the first byte: 0 with ZERO_BASED; null for the verbs address itself. */
  readonly iova: number | null;
}

/** What {@link ContextOps.regPhysMr} is asked for. `verbs` has checked it, but for the pages themselves. */
export interface PhysMrRequest {
  /** The protection domain. */
  readonly pd: Handle;
  /** Bus addresses of pages of 4096 bytes; can be hundreds of thousands. */
  readonly pages: ArrayLike<number>;
  /** Where in the first page the region begins. */
  readonly firstOffset: number;
  /** Bytes; they end in the last page. */
  readonly length: number;
  /** `AccessFlags` bits. */
  readonly access: number;
  /** The address at which the keys know the first byte. */
  readonly iova: number;
}

/** Where memory lies on the bus. */
export interface DmaMapping {
  /** Bus addresses of its pages of 4096 bytes. */
  readonly pages: ArrayLike<number>;
  /** Where in the first page it begins. */
  readonly firstOffset: number;
  /** Bytes. */
  readonly length: number;
}

/** Result of making a memory window. */
export interface MwOps {
  /** The provider's number of the window; what WQEs name. Bits from 8 on number it in messages. */
  readonly handle: Handle;
  /** Its first key, whose low byte is the application's to change. */
  readonly rkey: number;
}

/** Result of making a completion queue. */
export interface CqOps {
  /** The provider's number of the queue; what completion events name. */
  readonly handle: Handle;
  /** Capacity, at least what was asked for. */
  readonly cqe: number;
  /** How to poll it. */
  readonly dataPath: CqDataPath;
}

/** What {@link ContextOps.createCqEx} is asked for. */
export interface CqExRequest {
  /** Entries at least. */
  readonly cqe: number;
  /** Which interrupt. */
  readonly compVector: number;
  /** Whether completions have a time; asked for only where the manifest claims `completionTimestamps`. */
  readonly timestamps: boolean;
  /** Whether a full queue is no error: the next completion then takes the place of the oldest. */
  readonly ignoreOverrun: boolean;
}

/** Result of making an extended completion queue. */
export interface CqExOps extends CqOps {
  /** What turns a completion's time into nanoseconds since 1970, asked for once a batch. Left out: 0. */
  readonly wallclockOffsetNs?: () => number;
}

/** Result of making a queue pair. */
export interface QpOps {
  /** The provider's number of the QP; what its events name. */
  readonly handle: Handle;
  /** QP number, 24 bits. */
  readonly qpNum: number;
  /** Actual capabilities, each at least what was asked for. */
  readonly cap: QpCap;
  /** How to post to it. */
  readonly dataPath: QpDataPath;
}

/** Result of making a shared receive queue. */
export interface SrqOps {
  /** The provider's number of the SRQ; what its events name. */
  readonly handle: Handle;
  /** Work requests that it has room for, at least what was asked for. */
  readonly maxWr: number;
  /** SGEs of a work request, at least what was asked for. */
  readonly maxSge: number;
  /** What XRC messages name it by; needed with XRC only. */
  readonly srqNum?: number;
  /** How to post to it. */
  readonly dataPath: SrqDataPath;
}

/** What makes an SRQ one for XRC. */
export interface XrcSrqRequest {
  /** The domain. */
  readonly xrcd: Handle;
  /** Where receives complete to. */
  readonly cq: Handle;
}

/** What `createQp` is asked for, with the objects resolved to handles. */
export interface QpRequest {
  /** The protection domain; 0 for XRC_RECV. */
  readonly pd: Handle;
  /** Where send completions go; 0 for XRC_RECV. */
  readonly sendCq: Handle;
  /** Where receive completions go; 0 for XRC_SEND and XRC_RECV. */
  readonly recvCq: Handle;
  /** XRC_RECV: the XRC domain; else null. */
  readonly xrcd: Handle | null;
  /** Where receives come from, null for the QP's own queue. */
  readonly srq: Handle | null;
  /** One of `QpType`. */
  readonly qpType: number;
  /** Whether every send work request makes a completion. */
  readonly sqSigAll: boolean;
  /** Every capacity is given; those of the receive queue mean nothing with an SRQ. */
  readonly cap: QpCap;
}

/** Result of making an address handle. */
export interface AhOps {
  /** The provider's number of it; what WQEs name. */
  readonly handle: Handle;
}

/** Result of resizing a completion queue. */
export interface CqResizeOps {
  /** Capacity, at least what was asked for. */
  readonly cqe: number;
  /**
   * A CQ of the `rings` kind may go on with another ring. The provider has then copied the CQEs that were not consumed into it at
   * their free-running indices, and carried CONSUMER and ARM over: indices run on, and an armed CQ stays armed.
   */
  readonly dataPath?: CqRings;
}

/** Result of modifying a shared receive queue. */
export interface SrqModifyOps {
  /** Work requests that it has room for, at least what was asked for. */
  readonly maxWr: number;
  /**
   * An SRQ of the `rings` kind goes on with these after another size was set. They have at least as many slots as before; the
   * provider has moved what was posted, and slots and indices have stayed.
   */
  readonly dataPath?: SrqRings;
}

/** What the device knows of a queue pair. */
export interface QpQueryOps {
  /** Every attribute; those that were never set are 0. */
  readonly attr: Required<QpAttr>;
  /** Actual capabilities. */
  readonly cap: QpCap;
}

/** The control operations of an open context. Sorted; each may be left out but the first four. */
export interface ContextOps {
  /** The events of the context. */
  readonly events: EventSource;
  /** `ibv_close_device`. Every object of the context has ended before. */
  close(): void;
  /** `ibv_query_device`. `verbs` calls it once and keeps the answer. */
  queryDevice(): DeviceAttr;
  /** `ibv_query_port`. */
  queryPort(port: number): PortAttr;

  /** Zeroed memory that the device can reach; `alignment` is a power of two. */
  allocBuf?(length: number, alignment: number): DmaBufferOps;
  /** `ibv_alloc_mw`; `type` is one of `MwType`. */
  allocMw?(pd: Handle, type: number): MwOps;
  /** `ibv_alloc_null_mr`. Only its `lkey` means something. */
  allocNullMr?(pd: Handle): MrOps;
  /** `ibv_alloc_parent_domain`. What it returns is taken wherever a PD is; it may be the PD's own handle. */
  allocParentDomain?(pd: Handle, td: Handle | null): Handle;
  /** `ibv_alloc_pd`. */
  allocPd?(): Handle;
  /** `ibv_alloc_td`. */
  allocTd?(): Handle;
  /** `ibv_attach_mcast`. */
  attachMcast?(qp: Handle, gid: Gid, lid: number): void;
  /** `ibv_close_xrcd`. */
  closeXrcd?(xrcd: Handle): void;
  /** `ibv_create_ah`. The handle is what WQEs name. */
  createAh?(pd: Handle, attr: AhAttr): AhOps;
  /** `ibv_create_cq`, with at least `cqe` entries. */
  createCq?(attr: Required<Pick<CqInitAttr, 'cqe' | 'compVector'>>): CqOps;
  /** `ibv_create_cq_ex`. */
  createCqEx?(request: CqExRequest): CqExOps;
  /** `ibv_create_qp`. */
  createQp?(request: QpRequest): QpOps;
  /** `ibv_create_srq`; with `xrc`, for XRC. */
  createSrq?(pd: Handle, attr: SrqAttr, xrc: XrcSrqRequest | null): SrqOps;
  /** `ibv_dealloc_mw`: a bound one, too. */
  deallocMw?(mw: Handle): void;
  /** `ibv_dealloc_pd` on what `allocParentDomain` returned. */
  deallocParentDomain?(parentDomain: Handle): void;
  /** `ibv_dealloc_pd`. */
  deallocPd?(pd: Handle): void;
  /** `ibv_dealloc_td`. */
  deallocTd?(td: Handle): void;
  /** `ibv_dereg_mr`. */
  deregMr?(mr: Handle): void;
  /** `ibv_destroy_ah`. */
  destroyAh?(ah: Handle): void;
  /** `ibv_destroy_cq`. */
  destroyCq?(cq: Handle): void;
  /** `ibv_destroy_qp`. When it returns, the device makes no more completions for the QP. */
  destroyQp?(qp: Handle): void;
  /** `ibv_destroy_srq`. */
  destroySrq?(srq: Handle): void;
  /** `ibv_detach_mcast`. */
  detachMcast?(qp: Handle, gid: Gid, lid: number): void;
  /** Queues in memory of others: the kernel half of direct access. The same object each time. */
  directAccess?(): DirectAccessOps;
  /** Gives the memory of `allocBuf` back; it is not registered any more. */
  freeBuf?(buffer: Handle): void;
  /** A region of all memory by bus addresses (`ib_get_dma_mr`). `addr` of the answer does not count. */
  getDmaMr?(pd: Handle, access: number): MrOps;
  /**
   * As `getDmaMr`, of what belongs to one owner whenever an access comes, and of nothing else: pages that the owner gets later are
   * reached, those that it gives back are refused. What an owner is, the provider's memory says. It is an operation apart, so that a
   * provider which can't look at owners never gives all memory instead.
   */
  getDmaMrOf?(pd: Handle, access: number, owner: number): MrOps;
  /** Bus addresses of memory, as `regMr` is given it. */
  mapDma?(request: Pick<MrRequest, 'buffer' | 'offset' | 'view' | 'length'>): DmaMapping;
  /** `ibv_modify_cq`, within `cqModCaps`; 0 in either turns moderation off. */
  modifyCq?(cq: Handle, moderate: CqModerate): void;
  /**
   * `mask` holds `QpAttrMask` bits, and `attr` what it names; `verbs` has checked both against the state table. On a data path of
   * the `calls` kind it goes by the state that the application last asked for: that a QP has failed meanwhile, and goes from ERR
   * only to RESET and ERR, is for the provider to say (EINVAL).
   */
  modifyQp?(qp: Handle, attr: QpAttr, mask: number): void;
  /** `ibv_modify_srq`; `mask` holds `SrqAttrMask` bits. All of it or, with an error, nothing. */
  modifySrq?(srq: Handle, attr: Partial<SrqAttr>, mask: number): SrqModifyOps;
  /**
   * `ibv_open_qp`: the XRC_RECV queue pair of a number, which somebody made in the same XRC domain. The handle is one of its own, by which
   * events come. `destroyQp` ends the opening, or that of the creator; the queue pair lives until the last one. Its data path takes no posts.
   */
  openQp?(xrcd: Handle, qpNum: number): QpOps;
  /** `ibv_open_xrcd`; `fd` is -1 for a domain of one's own. */
  openXrcd?(fd: number, oflags: number): Handle;
  /** `ibv_query_device_ex`, what it adds. Left out, all of it is 0. */
  queryDeviceEx?(): Omit<DeviceAttrEx, 'origAttr'>;
  /** `ibv_query_gid_ex`; the index is within the table. */
  queryGid?(port: number, index: number): GidEntry;
  /** Hardware counters of a port, by name, as `hw_counters` of sysfs has them. */
  queryHwCounters?(port: number): Readonly<Record<string, number>>;
  /** `ibv_query_pkey`, in host order; the index is within the table. */
  queryPkey?(port: number, index: number): number;
  /** `ibv_query_qp`. */
  queryQp?(qp: Handle): QpQueryOps;
  /** `ibv_query_qp_data_in_order`: `QpDataInOrderCaps` bits. Left out: 0. */
  queryQpDataInOrder?(qp: Handle, opcode: number, deviceOnly: boolean): number;
  /** `ibv_query_rt_values_ex`: the device's clock now, in its ticks. */
  queryRawClock?(): number;
  /** `ibv_query_srq`. */
  querySrq?(srq: Handle): Required<SrqAttr>;
  /** `ibv_reg_mr`. Throws EFAULT for memory that the device can't reach. */
  regMr?(request: MrRequest): MrOps;
  /** Memory by its pages (`ib_reg_phys_mr`). Throws EINVAL for what are no pages. `addr` of the answer does not count. */
  regPhysMr?(request: PhysMrRequest): MrOps;
  /**
   * `ibv_rereg_mr`: `request` says all that the region is to be, `flags` (`ReregMrFlags`) what of it changes. The region keeps its
   * handle and may get new keys. When it throws, the region is as it was.
   */
  reregMr?(mr: Handle, flags: number, request: MrRequest): MrOps;
  /** As `reregMr`, for a region of `regPhysMr`. */
  reregPhysMr?(mr: Handle, flags: number, request: PhysMrRequest): MrOps;
  /** `ibv_resize_cq`. */
  resizeCq?(cq: Handle, cqe: number): CqResizeOps;
}
