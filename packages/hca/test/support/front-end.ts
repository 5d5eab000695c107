/**
 * A split driver of the bypass kind, as little of it as shows direct access: a back-end, which has a context of the HCA and calls the
 * checked functions of verbs, and a front-end, which is a provider over the user half, with queues in pages of its own.
 */
import type { Machine } from '@openverbs/machine';
import { PAGE_BYTES } from '@openverbs/machine';
import { Device, type Context, type CompletionQueue, type ProtectionDomain, type QueuePair } from '@openverbs/verbs';
import type { CompletionChannel, QpAttr, QpCap, SharedReceiveQueue, SrqAttr } from '@openverbs/verbs';
import {
  createCqOn,
  createQpOn,
  createSrqOn,
  regQueueBuffer,
  resizeCqOn,
  resizeSrqOn,
  userHalfOf,
  type ContextOps,
  type CqResizeOps,
  type CqExRequest,
  type CqOps,
  type EventSource,
  type QpOps,
  type QpQueryOps,
  type QpRequest,
  type QueueBuffer,
  type SrqGeometry,
  type SrqModifyOps,
  type SrqOps,
  type UserDriver,
  type UserHalf,
} from '@openverbs/verbs/driver';
import { HOST_ADDRESS_BASE } from '../../src/driver/index.ts';
import { dispatcher } from './dispatcher.ts';

/** Owner of the pages of a domain, which no thread's end frees. */
export const DOMAIN = 0x20000;

/** What a front-end asks of its back-end; pages are bus addresses. */
export interface BackEndCalls {
  createCq(pages: readonly number[], request: CqExRequest): { readonly handle: number; readonly cqe: number };
  createQp(
    pages: readonly number[],
    request: QpRequest,
  ): { readonly handle: number; readonly qpNum: number; readonly cap: QpCap };
  modifyQp(qp: number, attr: QpAttr, mask: number): void;
}

/** The kernel half only: the objects that the front-end's handles stand for. */
export class BackEnd implements BackEndCalls {
  readonly context: Context;
  readonly channel: CompletionChannel;
  readonly pds = new Map<number, ProtectionDomain>();
  readonly cqs = new Map<number, CompletionQueue>();
  readonly qps = new Map<number, QueuePair>();
  readonly srqs = new Map<number, SharedReceiveQueue>();
  /** Where each queue lies, by the object. */
  readonly buffers = new Map<object, QueueBuffer>();

  constructor(context: Context) {
    this.context = context;
    this.channel = context.createCompChannel();
  }

  allocPd(): number {
    const pd = this.context.allocPd();
    this.pds.set(pd.handle, pd);
    return pd.handle;
  }

  createCq(pages: readonly number[], { cqe, timestamps, ignoreOverrun }: CqExRequest): { handle: number; cqe: number } {
    const { channel } = this;
    return this.#on(pages, this.cqs, (buffer) => createCqOn(buffer, { cqe, timestamps, ignoreOverrun, channel }));
  }

  resizeCq(handle: number, pages: readonly number[], cqe: number): number {
    const cq = this.cqs.get(handle)!;
    this.#move(pages, cq, (buffer) => {
      resizeCqOn(buffer, cq, cqe);
    });
    return cq.cqe;
  }

  createQp(pages: readonly number[], request: QpRequest): QueuePair {
    const { pd, sendCq, recvCq, srq, qpType, sqSigAll, cap } = request;
    const init = {
      qpType: qpType as QueuePair['qpType'],
      sqSigAll,
      cap,
      sendCq: this.cqs.get(sendCq)!,
      recvCq: this.cqs.get(recvCq)!,
      srq: srq === null ? null : this.srqs.get(srq)!,
    };
    return this.#on(pages, this.qps, (buffer) => createQpOn(buffer, this.pds.get(pd)!, init));
  }

  modifyQp(qp: number, attr: QpAttr, mask: number): void {
    this.qps.get(qp)!.modify(attr, mask);
  }

  createSrq(pages: readonly number[], pd: number, attr: SrqAttr): SharedReceiveQueue {
    return this.#on(pages, this.srqs, (buffer) => createSrqOn(buffer, this.pds.get(pd)!, { attr }));
  }

  resizeSrq(handle: number, pages: readonly number[], attr: Pick<SrqAttr, 'maxWr'>): number {
    const srq = this.srqs.get(handle)!;
    this.#move(pages, srq, (buffer) => {
      resizeSrqOn(buffer, srq, attr);
    });
    return srq.maxWr;
  }

  destroy(objects: Map<number, QueuePair | CompletionQueue | SharedReceiveQueue>, handle: number): void {
    const object = objects.get(handle)!;
    object.destroy();
    objects.delete(handle);
    this.buffers.get(object)!.dereg();
  }

  /** Both stages; what the second refuses leaves nothing of the first. */
  #on<T extends { readonly handle: number }>(
    pages: readonly number[],
    objects: Map<number, T>,
    create: (buffer: QueueBuffer) => T,
  ): T {
    const buffer = regQueueBuffer(this.context, pages);
    try {
      const made = create(buffer);
      objects.set(made.handle, made);
      this.buffers.set(made, buffer);
      return made;
    } catch (error) {
      buffer.dereg();
      throw error;
    }
  }

  #move(pages: readonly number[], queue: object, move: (buffer: QueueBuffer) => void): void {
    const buffer = regQueueBuffer(this.context, pages);
    move(buffer);
    this.buffers.get(queue)!.dereg();
    this.buffers.set(queue, buffer);
  }
}

const NO_EVENTS: EventSource = { next: () => false, setInterruptHandler() {}, hold() {}, release() {} };

/** A provider over the user half: where the memory of its queues is, and whom it asks, is handed in. */
export class FrontEnd implements ContextOps {
  readonly events = NO_EVENTS;
  readonly user: UserHalf;
  readonly #lower: Pick<Context, 'queryDevice'>;
  readonly #back: BackEnd;
  readonly #alloc: (bytes: number) => number;
  readonly #srqs = new Map<number, { addr: number; geometry: SrqGeometry }>();

  constructor(user: UserHalf, back: BackEnd, alloc: (bytes: number) => number) {
    this.user = user;
    this.#lower = back.context;
    this.#back = back;
    this.#alloc = alloc;
  }

  close(): void {}

  queryDevice(): ReturnType<ContextOps['queryDevice']> {
    return this.#lower.queryDevice();
  }

  queryPort(port: number): ReturnType<ContextOps['queryPort']> {
    return this.#back.context.queryPort(port);
  }

  queryGid(port: number, index: number): ReturnType<NonNullable<ContextOps['queryGid']>> {
    return this.#back.context.queryGidEntry(port, index);
  }

  queryPkey(port: number, index: number): number {
    return this.#back.context.queryPkey(port, index);
  }

  allocPd(): number {
    return this.#back.allocPd();
  }

  createCq({ cqe, compVector }: { readonly cqe: number; readonly compVector: number }): CqOps {
    return this.createCqEx({ cqe, compVector, timestamps: false, ignoreOverrun: false });
  }

  createCqEx(request: CqExRequest): CqOps {
    const geometry = this.user.cqGeometry(request.cqe);
    const addr = this.#alloc(geometry.bytes);
    const { handle, cqe } = this.#back.createCq(pagesOf(addr, geometry.bytes), request);
    return { handle, cqe, dataPath: this.user.cqRings(addr, geometry) };
  }

  resizeCq(cq: number, asked: number): CqResizeOps {
    const geometry = this.user.cqGeometry(asked);
    const addr = this.#alloc(geometry.bytes);
    const cqe = this.#back.resizeCq(cq, pagesOf(addr, geometry.bytes), asked);
    return { cqe, dataPath: this.user.cqRings(addr, geometry) };
  }

  destroyCq(cq: number): void {
    this.#back.destroy(this.#back.cqs, cq);
  }

  createQp(request: QpRequest): QpOps {
    const { qpType, cap: asked, srq } = request;
    const geometry = this.user.qpGeometry({ qpType, cap: asked, withSrq: srq !== null });
    const addr = this.#alloc(geometry.bytes);
    const { handle, qpNum, cap } = this.#back.createQp(pagesOf(addr, geometry.bytes), request);
    return { handle, qpNum, cap, dataPath: this.user.qpRings(addr, geometry, qpNum) };
  }

  modifyQp(qp: number, attr: QpAttr, mask: number): void {
    this.#back.modifyQp(qp, attr, mask);
  }

  queryQp(qp: number): QpQueryOps {
    const { attr, init } = this.#back.qps.get(qp)!.query();
    return { attr, cap: init.cap };
  }

  destroyQp(qp: number): void {
    this.#back.destroy(this.#back.qps, qp);
  }

  createSrq(pd: number, attr: SrqAttr): SrqOps {
    const geometry = this.user.srqGeometry(attr.maxWr, attr.maxSge);
    const addr = this.#alloc(geometry.bytes);
    const { handle, maxWr, maxSge, srqNum } = this.#back.createSrq(pagesOf(addr, geometry.bytes), pd, attr);
    this.#srqs.set(handle, { addr, geometry });
    return { handle, maxWr, maxSge, srqNum, dataPath: this.user.srqRings(addr, geometry) };
  }

  modifySrq(srq: number, { maxWr }: Partial<SrqAttr>): SrqModifyOps {
    const now = this.#srqs.get(srq)!;
    const geometry = this.user.srqGeometry(maxWr!, now.geometry.maxSge);
    if (geometry.ringWr <= now.geometry.ringWr) {
      this.#back.srqs.get(srq)!.modify({ maxWr: maxWr! });
      return { maxWr: maxWr!, dataPath: this.user.srqRings(now.addr, now.geometry, maxWr) };
    }
    const addr = this.#alloc(geometry.bytes);
    const size = this.#back.resizeSrq(srq, pagesOf(addr, geometry.bytes), { maxWr: maxWr! });
    this.#srqs.set(srq, { addr, geometry });
    return { maxWr: size, dataPath: this.user.srqRings(addr, geometry) };
  }

  querySrq(srq: number): Required<SrqAttr> {
    return this.#back.srqs.get(srq)!.query();
  }

  destroySrq(srq: number): void {
    this.#back.destroy(this.#back.srqs, srq);
  }
}

/** A guest on `machine`, with a back-end of its own over `lower`. */
export function openGuest(
  machine: Machine,
  driver: UserDriver,
  lower: Device,
): { readonly back: BackEnd; readonly front: FrontEnd; readonly context: Context } {
  const back = new BackEnd(lower.open());
  const inlineSource = (addr: number): number => addr - HOST_ADDRESS_BASE;
  const user = driver.open(userHalfOf(back.context), { machine, inlineSource });
  const front = new FrontEnd(user, back, (bytes) => allocPages(machine, bytes));
  return { back, front, context: deviceOver(front, lower.fabric).open() };
}

/** The device of a front-end, on the fabric of the lower one. */
export function deviceOver(front: ContextOps, fabric?: string): Device {
  const supports = { rc: true, uc: true, ud: true, srq: true, inlineData: true, directAccess: true };
  const ops = {
    name: 'guest0',
    guid: 2n,
    nodeType: 1,
    transportType: 0,
    capabilities: { version: 1, supports },
  } as const;
  return new Device({ ...ops, ...(fabric === undefined ? {} : { fabric }), open: () => front }, 'guest', dispatcher);
}

/** Zeroed pages of a domain. */
export function allocPages(machine: Machine, bytes: number): number {
  return machine.pages.alloc(bytes, PAGE_BYTES, DOMAIN);
}

/** The pages of a run of bytes. */
export function pagesOf(addr: number, bytes: number): number[] {
  return Array.from({ length: Math.ceil(bytes / PAGE_BYTES) }, (_, n) => addr + n * PAGE_BYTES);
}
