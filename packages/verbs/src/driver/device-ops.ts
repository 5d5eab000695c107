/**
 * What a provider implements: devices, and the control operations of an open context.
 *
 * `verbs` checks arguments, states and lifetimes before it calls any of these, adds the verb's name to the errors that they
 * throw, and answers `EOPNOTSUPP` for an operation that is left out. Operations are synchronous, as they are in C.
 */
import type { CqInitAttr, DeviceAttr, GidEntry, PortAttr } from '../attributes/device.ts';
import type { AhAttr, QpAttr, QpCap, SrqAttr } from '../attributes/qp.ts';
import type { Gid } from '../gid.ts';
import type { EventSource } from './events.ts';
import type { CapabilityManifest } from './capabilities.ts';
import type { CqDataPath, QpDataPath, SrqDataPath } from './data-path.ts';
import type { CqRings } from '../rings/rings.ts';

/** A provider's own identifier of an object: a positive integer, unique among the live objects of its kind in a context. */
export type Handle = number;

/** A device that a provider offers. */
export interface DeviceOps {
  /** As `ibv_get_device_name` tells it; unique within the provider. */
  readonly name: string;
  /** `node_guid`, in host order. */
  readonly guid: bigint;
  /** One of `NodeType`. */
  readonly nodeType: number;
  /** One of `TransportType`. */
  readonly transportType: number;
  readonly capabilities: CapabilityManifest;
  /** Opens a context. It belongs to the calling thread. */
  open(): ContextOps;
}

/** Memory that a provider allocated, reachable by its device. */
export interface DmaBufferOps {
  readonly handle: Handle;
  /** Verbs address of the first byte. */
  readonly addr: number;
  /** The memory itself, `length` bytes, zeroed. */
  readonly bytes: Uint8Array;
}

/** Result of registering memory. */
export interface MrOps {
  readonly handle: Handle;
  readonly lkey: number;
  readonly rkey: number;
  /** Verbs address of the first byte of the region. */
  readonly addr: number;
}

/** What {@link ContextOps.regMr} is asked for: either `buffer`, or any other `view` where the provider registers those. */
export interface MrRequest {
  readonly pd: Handle;
  /** Handle of a buffer of {@link ContextOps.allocBuf}, or null. */
  readonly buffer: Handle | null;
  /** Offset into the buffer or view, in bytes. */
  readonly offset: number;
  readonly length: number;
  /** The bytes to register; of the buffer when `buffer` is not null. */
  readonly view: Uint8Array;
  /** `AccessFlags` bits. */
  readonly access: number;
}

export interface CqOps {
  readonly handle: Handle;
  /** Capacity, at least what was asked for. */
  readonly cqe: number;
  readonly dataPath: CqDataPath;
}

export interface QpOps {
  readonly handle: Handle;
  readonly qpNum: number;
  /** Actual capabilities, each at least what was asked for. */
  readonly cap: QpCap;
  readonly dataPath: QpDataPath;
}

export interface SrqOps {
  readonly handle: Handle;
  readonly maxWr: number;
  readonly maxSge: number;
  readonly dataPath: SrqDataPath;
}

/** What `createQp` is asked for, with the objects resolved to handles. */
export interface QpRequest {
  readonly pd: Handle;
  readonly sendCq: Handle;
  readonly recvCq: Handle;
  readonly srq: Handle | null;
  /** One of `QpType`. */
  readonly qpType: number;
  readonly sqSigAll: boolean;
  /** Every capacity is given; those of the receive queue mean nothing with an SRQ. */
  readonly cap: QpCap;
}

/** The control operations of an open context. Sorted; each may be left out but the first four. */
export interface ContextOps {
  readonly events: EventSource;
  close(): void;
  queryDevice(): DeviceAttr;
  queryPort(port: number): PortAttr;

  allocBuf?(length: number, alignment: number): DmaBufferOps;
  allocPd?(): Handle;
  attachMcast?(qp: Handle, gid: Gid, lid: number): void;
  createAh?(pd: Handle, attr: AhAttr): { readonly handle: Handle };
  createCq?(attr: Required<Pick<CqInitAttr, 'cqe' | 'compVector'>>): CqOps;
  createQp?(request: QpRequest): QpOps;
  createSrq?(pd: Handle, attr: SrqAttr): SrqOps;
  deallocPd?(pd: Handle): void;
  deregMr?(mr: Handle): void;
  destroyAh?(ah: Handle): void;
  destroyCq?(cq: Handle): void;
  destroyQp?(qp: Handle): void;
  destroySrq?(srq: Handle): void;
  detachMcast?(qp: Handle, gid: Gid, lid: number): void;
  freeBuf?(buffer: Handle): void;
  /** `mask` holds `QpAttrMask` bits; `verbs` has checked it against the state table. */
  modifyQp?(qp: Handle, attr: QpAttr, mask: number): void;
  modifySrq?(srq: Handle, attr: Partial<SrqAttr>, mask: number): void;
  queryGid?(port: number, index: number): GidEntry;
  queryPkey?(port: number, index: number): number;
  /** Everything the device knows; `verbs` picks what was asked for. */
  queryQp?(qp: Handle): { readonly attr: Required<QpAttr>; readonly cap: QpCap };
  querySrq?(srq: Handle): Required<SrqAttr>;
  regMr?(request: MrRequest): MrOps;
  /**
   * A CQ of the `rings` kind may come back with another ring. The provider has then copied the CQEs that were not consumed into
   * it at their free-running indices, and set its CONSUMER to the old one: indices run on.
   */
  resizeCq?(cq: Handle, cqe: number): { readonly cqe: number; readonly dataPath?: CqRings };
}
