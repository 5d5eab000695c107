/**
 * An open context on a device of the split driver: packs each control operation into a command and has it done by the back-end.
 *
 * Handles are the lower device's own numbers; the back-end knows which of them are this context's.
 */
import { XEN_PAGE_BYTES } from '@openverbs/hypervisor';
import type { Mapping } from '@openverbs/hypervisor';
import { QpState, SrqAttrMask } from '@openverbs/verbs';
import type {
  AhAttr,
  CqInitAttr,
  CqModerate,
  DeviceAttr,
  DeviceAttrEx,
  Gid,
  GidEntry,
  PortAttr,
  QpAttr,
  SrqAttr,
} from '@openverbs/verbs';
import { newQpAttr } from '@openverbs/verbs/driver';
import type {
  AhOps,
  ContextOps,
  CqExOps,
  CqExRequest,
  CqOps,
  CqResizeOps,
  DmaMapping,
  DmaBufferOps,
  EventSource,
  MrOps,
  MrRequest,
  MwOps,
  PhysMrRequest,
  QpOps,
  QpQueryOps,
  QpRequest,
  SrqModifyOps,
  SrqOps,
  XrcSrqRequest,
} from '@openverbs/verbs/driver';
import type { Command } from '../protocol/command.ts';
import { Commands } from '../protocol/commands.ts';
import type { CommandChannel } from './command-channel.ts';
import type { GuestBuffers } from './guest-memory.ts';
import { inodeOf, NO_FILE } from './inode.ts';
import type { QpStates } from './qp-states.ts';
import type { Queues } from './queues.ts';
import { changeOf, NEW_REGION, registerMemory, registerPages } from './regions.ts';

/** What a context is made of. */
export interface XenContextParts {
  /** The back-end's number of it. */
  readonly context: number;
  readonly channel: CommandChannel;
  readonly buffers: GuestBuffers;
  readonly queues: Queues;
  readonly qpStates: QpStates;
  /** Bypass: the pages of its UAR. */
  readonly uar: Mapping | null;
  readonly events: EventSource & { close(): void };
  /** What turns the device's time into that of the world. */
  readonly wallclockOffsetNs: () => number;
  onClosed(context: XenContext): void;
}

export class XenContext implements ContextOps {
  readonly events: EventSource;
  readonly #parts: XenContextParts;
  #lastTd = 0;

  constructor(parts: XenContextParts) {
    this.#parts = parts;
    this.events = parts.events;
  }

  /**
   * The back-end ends what is left, as the kernel does when a process closes the device. It can't take a UAR back that is mapped, so that
   * is given back first.
   */
  close(): void {
    const { channel, context, buffers, events, uar } = this.#parts;
    uar?.unmap();
    try {
      channel.call(Commands.CLOSE_CONTEXT, { context });
    } finally {
      events.close();
      buffers.freeAll();
      this.#parts.onClosed(this);
    }
  }

  queryDevice(): DeviceAttr {
    return this.#call(Commands.QUERY_DEVICE, {}).attr;
  }

  queryDeviceEx(): Omit<DeviceAttrEx, 'origAttr'> {
    return this.#call(Commands.QUERY_DEVICE_EX, {}).attr;
  }

  queryPort(port: number): PortAttr {
    return this.#call(Commands.QUERY_PORT, { port }).attr;
  }

  queryGid(port: number, index: number): GidEntry {
    const { gid, gidType, ndevIfindex } = this.#call(Commands.QUERY_GID, { port, index });
    return { gid, gidIndex: index, portNum: port, gidType: gidType as GidEntry['gidType'], ndevIfindex };
  }

  queryPkey(port: number, index: number): number {
    return this.#call(Commands.QUERY_PKEY, { port, index }).pkey;
  }

  queryHwCounters(port: number): Readonly<Record<string, number>> {
    const { counters } = this.#call(Commands.QUERY_HW_COUNTERS, { port });
    return Object.fromEntries(counters.map(({ name, value }) => [name, value]));
  }

  queryRawClock(): number {
    return this.#call(Commands.QUERY_RT_VALUES, {}).rawClock;
  }

  allocBuf(length: number, alignment: number): DmaBufferOps {
    return this.#parts.buffers.alloc(length, alignment);
  }

  freeBuf(buffer: number): void {
    this.#parts.buffers.free(buffer);
  }

  allocPd(): number {
    return this.#call(Commands.ALLOC_PD, {}).pd;
  }

  deallocPd(pd: number): void {
    this.#call(Commands.DEALLOC_PD, { pd });
  }

  /** A PD and its parent domains are one and the same to the device. */
  allocParentDomain(pd: number): number {
    return pd;
  }

  deallocParentDomain(): void {}

  /** Objects belong to one thread anyway. */
  allocTd(): number {
    return ++this.#lastTd;
  }

  deallocTd(): void {}

  openXrcd(fd: number, oflags: number): number {
    return this.#call(Commands.OPEN_XRCD, { inode: fd === NO_FILE ? null : inodeOf(fd), oflags }).xrcd;
  }

  closeXrcd(xrcd: number): void {
    this.#call(Commands.CLOSE_XRCD, { xrcd });
  }

  allocNullMr(pd: number): MrOps {
    const { mr, lkey } = this.#call(Commands.ALLOC_NULL_MR, { pd });
    return { handle: mr, lkey, rkey: 0, addr: 0 };
  }

  regMr(request: MrRequest): MrOps {
    return registerMemory(this.#parts, NEW_REGION, request);
  }

  reregMr(mr: number, flags: number, request: MrRequest): MrOps {
    return registerMemory(this.#parts, changeOf(mr, flags), request);
  }

  regPhysMr(request: PhysMrRequest): MrOps {
    return registerPages(this.#parts, NEW_REGION, request);
  }

  reregPhysMr(mr: number, flags: number, request: PhysMrRequest): MrOps {
    return registerPages(this.#parts, changeOf(mr, flags), request);
  }

  getDmaMr(pd: number, access: number): MrOps {
    const { mr, lkey, rkey } = this.#call(Commands.GET_DMA_MR, { pd, access });
    return { handle: mr, lkey, rkey, addr: 0 };
  }

  /** As in all domains of Xen, a bus address is a machine address. */
  mapDma(request: Pick<MrRequest, 'buffer' | 'offset' | 'view' | 'length'>): DmaMapping {
    const { frames, firstOffset } = this.#parts.buffers.locate(request);
    return { pages: frames.map((frame) => frame * XEN_PAGE_BYTES), firstOffset, length: request.length };
  }

  deregMr(mr: number): void {
    this.#call(Commands.DEREG_MR, { mr });
  }

  allocMw(pd: number, type: number): MwOps {
    const { mw, rkey } = this.#call(Commands.ALLOC_MW, { pd, type });
    return { handle: mw, rkey };
  }

  deallocMw(mw: number): void {
    this.#call(Commands.DEALLOC_MW, { mw });
  }

  createAh(pd: number, attr: AhAttr): AhOps {
    return { handle: this.#call(Commands.CREATE_AH, { pd, attr }).ah };
  }

  destroyAh(ah: number): void {
    this.#call(Commands.DESTROY_AH, { ah });
  }

  attachMcast(qp: number, gid: Gid, lid: number): void {
    this.#call(Commands.ATTACH_MCAST, { qp, gid, lid });
  }

  detachMcast(qp: number, gid: Gid, lid: number): void {
    this.#call(Commands.DETACH_MCAST, { qp, gid, lid });
  }

  createCq({ cqe, compVector }: Required<Pick<CqInitAttr, 'cqe' | 'compVector'>>): CqOps {
    return this.#parts.queues.createCq({
      cqe,
      compVector,
      timestamps: false,
      ignoreOverrun: false,
      extended: false,
    });
  }

  createCqEx(request: CqExRequest): CqExOps {
    const { wallclockOffsetNs } = this.#parts;
    return { ...this.#parts.queues.createCq({ ...request, extended: true }), wallclockOffsetNs };
  }

  resizeCq(cq: number, cqe: number): CqResizeOps {
    return this.#parts.queues.resizeCq(cq, cqe);
  }

  modifyCq(cq: number, { cqCount, cqPeriod }: CqModerate): void {
    this.#call(Commands.MODIFY_CQ, { cq, cqCount, cqPeriod });
  }

  destroyCq(cq: number): void {
    this.#parts.queues.destroyCq(cq);
  }

  createQp(request: QpRequest): QpOps {
    return this.#parts.queues.createQp(request);
  }

  openQp(xrcd: number, qpNum: number): QpOps {
    return this.#parts.queues.openQp(xrcd, qpNum);
  }

  modifyQp(qp: number, attr: QpAttr): void {
    const { queues, qpStates } = this.#parts;
    const resets = attr.qpState === QpState.RESET;
    if (resets) queues.beforeReset();
    this.#call(Commands.MODIFY_QP, { qp, attr });
    qpStates.modified(qp, attr.qpState);
    if (resets) queues.resetQp(qp);
  }

  queryQp(qp: number): QpQueryOps {
    const { attr, cap } = this.#call(Commands.QUERY_QP, { qp });
    if (attr.qpState !== undefined) this.#parts.qpStates.answered(qp, attr.qpState);
    return { attr: { ...newQpAttr(cap), ...(attr as QpAttr) }, cap };
  }

  queryQpDataInOrder(qp: number, opcode: number, deviceOnly: boolean): number {
    return this.#call(Commands.QUERY_QP_DATA_IN_ORDER, { qp, opcode, deviceOnly }).caps;
  }

  destroyQp(qp: number): void {
    this.#parts.queues.destroyQp(qp);
  }

  createSrq(pd: number, attr: SrqAttr, xrc: XrcSrqRequest | null): SrqOps {
    return this.#parts.queues.createSrq(pd, attr, xrc);
  }

  modifySrq(srq: number, attr: Partial<SrqAttr>, mask: number): SrqModifyOps {
    const given: Partial<SrqAttr> = {
      ...((mask & SrqAttrMask.MAX_WR) === 0 ? {} : { maxWr: attr.maxWr }),
      ...((mask & SrqAttrMask.LIMIT) === 0 ? {} : { srqLimit: attr.srqLimit }),
    };
    return this.#parts.queues.modifySrq(srq, given);
  }

  querySrq(srq: number): Required<SrqAttr> {
    return { maxWr: 0, maxSge: 0, srqLimit: 0, ...this.#call(Commands.QUERY_SRQ, { srq }).attr };
  }

  destroySrq(srq: number): void {
    this.#parts.queues.destroySrq(srq);
  }

  /** Has a command of this context done. */
  #call<Q extends { readonly context: number }, R>(command: Command<Q, R>, request: Omit<Q, 'context'>): R {
    const { channel, context } = this.#parts;
    return channel.call(command, { ...request, context } as Q);
  }
}
