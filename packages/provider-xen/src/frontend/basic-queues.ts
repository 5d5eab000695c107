/** Basic: queues lie in the device domain. Every post goes there, and every poll that the buffer can't answer. */
import { QpType } from '@openverbs/verbs';
import type { SrqAttr } from '@openverbs/verbs';
import type {
  CqOps,
  CqResizeOps,
  QpOps,
  QpRequest,
  SrqModifyOps,
  SrqOps,
  XrcSrqRequest,
} from '@openverbs/verbs/driver';
import { Commands } from '../protocol/commands.ts';
import { BasicCq } from './basic-cq.ts';
import { BasicQp } from './basic-qp.ts';
import { BasicSrq } from './basic-srq.ts';
import type { CommandChannel } from './command-channel.ts';
import type { Cookies } from './cookies.ts';
import type { GuestMemory } from './guest-memory.ts';
import type { CqRequest, Queues } from './queues.ts';
import { countOf, kindOf, SlotKind, srqNumberOf } from './wr-slots.ts';

/** What the queues of a context need. */
export interface BasicParts {
  readonly context: number;
  readonly channel: CommandChannel;
  readonly memory: GuestMemory;
  readonly cookies: Cookies;
}

export class BasicQueues implements Queues {
  readonly #parts: BasicParts;
  readonly #cqs = new Map<number, BasicCq>();
  readonly #qps = new Map<number, BasicQp>();
  readonly #srqs = new Map<number, BasicSrq>();
  /** SRQs by the number that work requests name. */
  readonly #srqNumbers: (BasicSrq | undefined)[] = [];

  constructor(parts: BasicParts) {
    this.#parts = parts;
  }

  createCq(request: CqRequest): CqOps {
    const { context, channel, cookies } = this.#parts;
    const cookie = cookies.next();
    const { cq, cqe } = channel.call(Commands.CREATE_CQ, { context, ...request, cookie, key: 0 });
    cookies.bind(cookie, cq);
    const dataPath = new BasicCq({
      context,
      channel,
      cq,
      cqe,
      cookie,
      retire: (wrId, qpNum) => this.#retire(wrId, qpNum),
    });
    this.#cqs.set(cq, dataPath);
    return { handle: cq, cqe, dataPath };
  }

  resizeCq(cq: number, cqe: number): CqResizeOps {
    const { context, channel } = this.#parts;
    const queue = this.#cqs.get(cq)!;
    const resized = channel.call(Commands.RESIZE_CQ, { context, cq, cqe: queue.beforeResize(cqe), key: 0 });
    return { cqe: queue.resize(resized.cqe) };
  }

  destroyCq(cq: number): void {
    const { context, channel, cookies } = this.#parts;
    channel.call(Commands.DESTROY_CQ, { context, cq });
    cookies.release(this.#cqs.get(cq)!.cookie);
    this.#cqs.delete(cq);
  }

  createQp(request: QpRequest): QpOps {
    const { context, channel, memory, cookies } = this.#parts;
    const { srq, xrcd, sendCq, recvCq, qpType } = request;
    const receives = srq === null && qpType !== QpType.XRC_SEND && qpType !== QpType.XRC_RECV;
    const cookie = cookies.next();
    const made = channel.call(Commands.CREATE_QP, {
      ...request,
      context,
      srq: srq ?? 0,
      xrcd: xrcd ?? 0,
      cookie,
      key: 0,
    });
    const { qp, cap } = made;
    cookies.bind(cookie, qp);
    const dataPath = new BasicQp({ context, channel, memory, qp, cap, cookie, cqs: [sendCq, recvCq], receives });
    this.#qps.set(qp, dataPath);
    return { handle: qp, qpNum: qp, cap, dataPath };
  }

  beforeReset(): void {
    this.#drainAll();
  }

  resetQp(qp: number): void {
    const queue = this.#qps.get(qp)!;
    this.#purge(qp, queue);
    queue.reset();
  }

  destroyQp(qp: number): void {
    const { context, channel, cookies } = this.#parts;
    this.#drainAll();
    channel.call(Commands.DESTROY_QP, { context, qp });
    const queue = this.#qps.get(qp)!;
    this.#purge(qp, queue);
    cookies.release(queue.cookie);
    this.#qps.delete(qp);
  }

  createSrq(pd: number, attr: SrqAttr, xrc: XrcSrqRequest | null): SrqOps {
    const { context, channel, cookies } = this.#parts;
    const { xrcd, cq } = xrc ?? { xrcd: 0, cq: 0 };
    const cookie = cookies.next();
    const { srq, maxWr, maxSge, srqNum } = channel.call(Commands.CREATE_SRQ, {
      context,
      pd,
      attr,
      xrcd,
      cq,
      cookie,
      key: 0,
    });
    cookies.bind(cookie, srq);
    const number = this.#freeSrqNumber();
    const dataPath = new BasicSrq({ context, channel, srq, maxWr, number, cookie });
    this.#srqNumbers[number] = dataPath;
    this.#srqs.set(srq, dataPath);
    return { handle: srq, maxWr, maxSge, srqNum, dataPath };
  }

  modifySrq(srq: number, attr: Partial<SrqAttr>): SrqModifyOps {
    const { context, channel } = this.#parts;
    const { maxWr } = channel.call(Commands.MODIFY_SRQ, { context, srq, attr, key: 0 });
    this.#srqs.get(srq)!.resize(maxWr);
    return { maxWr };
  }

  destroySrq(srq: number): void {
    const { context, channel, cookies } = this.#parts;
    channel.call(Commands.DESTROY_SRQ, { context, srq });
    const queue = this.#srqs.get(srq)!;
    cookies.release(queue.cookie);
    for (const cq of this.#cqs.values()) {
      cq.purge(({ wrId }) => kindOf(wrId) === SlotKind.SRQ && srqNumberOf(wrId) === queue.number);
    }
    this.#srqNumbers[queue.number] = undefined;
    this.#srqs.delete(srq);
  }

  /** A completion was polled: its work request is retired. Returns the application's `wrId`. */
  #retire(wrId: number, qpNum: number): number {
    const kind = kindOf(wrId);
    const count = countOf(wrId);
    if (kind === SlotKind.SRQ) return this.#srqNumbers[srqNumberOf(wrId)]?.slots.retire(count) ?? 0;
    const qp = this.#qps.get(qpNum);
    if (qp === undefined) return 0;
    return (kind === SlotKind.SEND ? qp.sends : qp.receives).retire(count);
  }

  /**
   * Brings all completions here. What ends with a QP, in the lower CQ, would otherwise not be known here, and neither which receives of
   * an SRQ went with it.
   */
  #drainAll(): void {
    if (this.#srqs.size > 0) for (const cq of this.#cqs.values()) cq.drainAll();
  }

  /** Removes a QP's completions from the buffers of its CQs; what they took of an SRQ is given back. */
  #purge(qpNum: number, { cqs }: BasicQp): void {
    for (const cq of new Set(cqs)) {
      for (const { wrId } of this.#cqs.get(cq)?.purge((each) => each.qpNum === qpNum) ?? []) {
        if (kindOf(wrId) === SlotKind.SRQ) this.#srqNumbers[srqNumberOf(wrId)]?.slots.retire(countOf(wrId));
      }
    }
  }

  #freeSrqNumber(): number {
    const free = this.#srqNumbers.indexOf(undefined);
    return free < 0 ? this.#srqNumbers.length : free;
  }
}
