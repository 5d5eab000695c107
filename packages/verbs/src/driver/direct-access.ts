/**
 * Direct access: queues whose rings lie in memory that somebody else owns, and who owns it posts, polls and arms without the
 * provider's context ever being asked. It is what a split driver of the bypass kind stands on (virtualization-bypass, as Xen-IB has
 * it), and what a driver for user processes would.
 *
 * A driver has two halves. The kernel half, {@link DirectAccessOps}, belongs to an open context: it registers the memory of a queue
 * (stage one, which gives a key) and makes the queue on that key (stage two). The user half, {@link UserHalf}, is made elsewhere, of
 * the handle that the kernel half gives: it says how large a queue's memory has to be, and turns it into the rings that `verbs`
 * posts to and polls. It never sees a context. A provider with direct access uses its own user half for its own queues.
 */
import type { QpCap, SrqAttr } from '../attributes/qp.ts';
import type { CqRings, Doorbell, QpRings, SrqRings } from '../rings/rings.ts';
import type { ProviderClock } from './define-provider.ts';
import type { CqExRequest, CqResizeOps, Handle, QpRequest, SrqModifyOps, SrqOps, XrcSrqRequest } from './device-ops.ts';

/** What a user half is made of. Plain data, small enough for a command: it names nothing that its owner may not have. */
export interface UserHalfHandle {
  /** Name of the {@link UserDriver} that knows what to do with it. */
  readonly driver: string;
  /**
   * Pages that it works on, beside the queues: those of doorbells. The kernel half names them by their bus addresses. Who hands the handle
   * on grants them, and who opens it names them by where they are mapped: byte offsets into the memory that the rings' views show.
   */
  readonly pages: readonly number[];
  /** What else the driver wants to know, unsigned 32-bit numbers. */
  readonly words: readonly number[];
}

/** The kernel half. Each object belongs to the context, as those of `ContextOps` do, and is ended by the same operations. */
export interface DirectAccessOps {
  /** The user half of this context. Its doorbells are good for the objects of this context, and for no others. */
  readonly userHalf: UserHalfHandle;
  /**
   * Stage one: registers zeroed memory for one queue, as the bus addresses of its pages in their order, and answers its key. Throws
   * EINVAL for pages that the device can't take.
   */
  regQueueBuffer(pages: ArrayLike<number>): Handle;
  /** Ends a registration. Throws EBUSY while a queue lies there, EINVAL for a key that is not one of this context. */
  deregQueueBuffer(key: Handle): void;
  /**
   * Stage two: as `createCq` and `createCqEx`, in the memory that the key names. Throws EINVAL when it is too small, or of another
   * context; EBUSY when a queue lies there already.
   */
  createCq(key: Handle, request: CqExRequest): DirectCqOps;
  /** Stage two: as `createQp`. */
  createQp(key: Handle, request: QpRequest): DirectQpOps;
  /** Stage two: as `createSrq`. */
  createSrq(key: Handle, pd: Handle, attr: SrqAttr, xrc: XrcSrqRequest | null): DirectSrqOps;
  /** As `resizeCq`, to other memory; the former is free to be deregistered then. */
  resizeCq(cq: Handle, key: Handle, cqe: number): Pick<CqResizeOps, 'cqe'>;
  /**
   * As `modifySrq` with another size, to other memory, which is for at least as many work requests as the former. A size that the
   * present memory holds is for `modifySrq`.
   */
  resizeSrq(srq: Handle, key: Handle, attr: Partial<SrqAttr>, mask: number): Pick<SrqModifyOps, 'maxWr'>;
}

/** A CQ in memory of another. */
export interface DirectCqOps {
  /** The provider's number of the queue. */
  readonly handle: Handle;
  /** Capacity, at least what was asked for. */
  readonly cqe: number;
}

/** A QP in memory of another. */
export interface DirectQpOps {
  /** The provider's number of the QP. */
  readonly handle: Handle;
  /** QP number, 24 bits. */
  readonly qpNum: number;
  /** Actual capacities. */
  readonly cap: QpCap;
  /** The state that the device has it in, by `QpState`; it may have failed since it was modified. */
  state(): number;
  /** See {@link DirectSrqOps.taken}; sends and receives together, from 0 when the QP is reset. */
  taken?(): number;
  /** Bytes of payload of the sends that the device is done with, from 0 when the QP is reset; left out where the device does not tell. */
  payloadBytes?(): number;
}

/** An SRQ in memory of another. */
export interface DirectSrqOps extends Omit<SrqOps, 'dataPath'> {
  /** How many work requests the device is done with, modulo 2^32; left out where the device does not tell. */
  taken?(): number;
}

/** What the memory of a CQ has to be like. A driver's own has more in it, for {@link UserHalf.cqRings}. */
export interface CqGeometry {
  /** Actual capacity. */
  readonly cqe: number;
  /** How much memory: one run of whole pages of at least so many bytes, zeroed. */
  readonly bytes: number;
}

/** What the memory of a QP has to be like, see {@link CqGeometry}. */
export interface QpGeometry {
  /** Actual capacities. */
  readonly cap: QpCap;
  /** How much memory. */
  readonly bytes: number;
}

/** What the memory of an SRQ has to be like, see {@link CqGeometry}. */
export interface SrqGeometry {
  /** Work requests that the memory holds, whatever was asked for. */
  readonly ringWr: number;
  /** Actual capacity. */
  readonly maxWr: number;
  /** SGEs of a work request. */
  readonly maxSge: number;
  /** How much memory. */
  readonly bytes: number;
}

/** What decides how large the memory of a QP is. Both halves are told the same, as it was asked for. */
export interface QpShape {
  /** One of `QpType`. */
  readonly qpType: number;
  /** As asked for. */
  readonly cap: QpCap;
  /** Whether its receives come from an SRQ. */
  readonly withSrq: boolean;
}

/**
 * The user half of a driver, for one handle. Addresses are byte offsets into the memory that the rings' views show; a geometry is one
 * that this object gave.
 */
export interface UserHalf {
  /** The doorbells: of every queue that is made here. */
  readonly doorbell: Doorbell;
  /** For a CQ of at least `cqe` entries. Throws EINVAL at a limit, as the next two. */
  cqGeometry(cqe: number): CqGeometry;
  /** For a QP. */
  qpGeometry(shape: QpShape): QpGeometry;
  /** For an SRQ. */
  srqGeometry(maxWr: number, maxSge: number): SrqGeometry;
  /** The rings of a CQ whose memory begins at `addr`. */
  cqRings(addr: number, geometry: CqGeometry): CqRings;
  /** The rings of a QP. */
  qpRings(addr: number, geometry: QpGeometry, qpNum: number): QpRings;
  /** The rings of an SRQ; `maxWr` is below that of the geometry once the SRQ was made smaller. */
  srqRings(addr: number, geometry: SrqGeometry, maxWr?: number): SrqRings;
}

/** What a user half gets from the program that it works in. */
export interface UserHalfHost {
  /** The machine memory that this thread has joined, as its package has it; drivers that need none do not look at it. */
  readonly machine: unknown;
  /** undefined for the host's. */
  readonly clock?: ProviderClock | undefined;
  /** See `Doorbell.inlineSource`: only this program knows what its addresses mean. Called in posts: it does not allocate. */
  inlineSource(addr: number, length: number): number;
}

/** Makes user halves. A front-end is given a table of these, by name. */
export interface UserDriver {
  /** As {@link UserHalfHandle.driver} says it. */
  readonly name: string;
  /** Throws EINVAL for a handle that is none of this driver, or of another machine. */
  open(handle: UserHalfHandle, host: UserHalfHost): UserHalf;
}
