/** Basic: queues lie in the device domain. Every post goes there, and every poll that the buffer can't answer. */
import { QpType } from '@openverbs/verbs';
import type { SrqAttr } from '@openverbs/verbs';
import type {
  CqePollerOps,
  CqOps,
  CqResizeOps,
  QpOps,
  QpRequest,
  SrqModifyOps,
  SrqOps,
  XrcSrqRequest,
} from '@openverbs/verbs/driver';
import { QpSlots, QpTable } from '@openverbs/verbs/rings';
import { Commands } from '../protocol/commands.ts';
import { BasicCq, WorkUnderWay } from './basic-cq.ts';
import { BasicQp } from './basic-qp.ts';
import { BasicSrq } from './basic-srq.ts';
import type { CommandChannel } from './command-channel.ts';
import type { Cookies } from './cookies.ts';
import type { GuestMemory } from './guest-memory.ts';
import { DrainSource } from './drain-source.ts';
import type { QpStates } from './qp-states.ts';
import type { CqRequest, Queues } from './queues.ts';

/** What the queues of a context need. */
export interface BasicParts {
  readonly context: number;
  readonly channel: CommandChannel;
  readonly memory: GuestMemory;
  readonly cookies: Cookies;
  readonly qpStates: QpStates;
  /** Makes the pollers of CQs. */
  readonly cqePoller: CqePollerOps;
  /** Whether a trip to a CQ fetches all that it holds. */
  readonly cqeBuffering: boolean;
  /** Where the pollers count. */
  readonly pollerCounts: Float64Array;
}

/** Another opening of a QP neither posts nor completes anything. */
const OPENING = { sendCq: null, recvCq: null, srq: null, receives: false };

export class BasicQueues implements Queues {
  readonly #parts: BasicParts;
  readonly #cqs = new Map<number, BasicCq>();
  /** Where polls find the queues that completions are of. */
  readonly #qpTable = new QpTable();
  readonly #qps = new Map<number, BasicQp>();
  readonly #srqs = new Map<number, BasicSrq>();
  /** SRQs by the number that work requests name. */
  readonly #srqNumbers: (BasicSrq | undefined)[] = [];

  constructor(parts: BasicParts) {
    this.#parts = parts;
  }

  createCq(request: CqRequest): CqOps {
    const {
      context,
      channel,
      cookies,
      qpStates,
      cqePoller,
      cqeBuffering: buffering,
      pollerCounts: counts,
    } = this.#parts;
    const cookie = cookies.next();
    const { cq, cqe } = channel.call(Commands.CREATE_CQ, { context, ...request, cookie, key: 0 });
    cookies.bind(cookie, cq);
    const xrcSrqNum = (number: number): number => this.#srqNumbers[number]?.xrcSrqNum ?? 0;
    const work = new WorkUnderWay();
    const underWay = request.ignoreOverrun ? null : work;
    const source = new DrainSource({ context, channel, cq, qpStates, underWay, xrcSrqNum });
    const dataPath = cqePoller.attach(source, cqe, this.#qpTable, { buffering, counts });
    this.#cqs.set(cq, new BasicCq(cookie, dataPath, work));
    return { handle: cq, cqe, dataPath };
  }

  resizeCq(cq: number, cqe: number): CqResizeOps {
    return { cqe: this.#cqs.get(cq)!.poller.resize(cqe) };
  }

  destroyCq(cq: number): void {
    const { context, channel, cookies } = this.#parts;
    channel.call(Commands.DESTROY_CQ, { context, cq });
    cookies.release(this.#cqs.get(cq)!.cookie);
    this.#cqs.delete(cq);
  }

  createQp(request: QpRequest): QpOps {
    const { context, channel, memory, cookies, qpStates } = this.#parts;
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
    const [sends, recvs] = [this.#cqs.get(sendCq) ?? null, this.#cqs.get(recvCq) ?? null];
    const shared = srq === null ? null : this.#srqs.get(srq)!;
    qpStates.add(qp);
    const init = {
      context,
      channel,
      memory,
      qpStates,
      qp,
      cap,
      cookie,
      sendCq: sends,
      recvCq: recvs,
      srq: shared,
      receives,
    };
    const dataPath = new BasicQp(init);
    this.#qps.set(qp, dataPath);
    // A receive of an XRC SRQ is found by that.
    if (qpType !== QpType.XRC_RECV) {
      this.#qpTable.add(new QpSlots(qp, dataPath.sends.slots, dataPath.receives.slots, shared?.slots ?? null));
    }
    return { handle: qp, qpNum: qp, cap, dataPath };
  }

  openQp(xrcd: number, qpNum: number): QpOps {
    const { context, channel, memory, cookies, qpStates } = this.#parts;
    const cookie = cookies.next();
    const { qp, cap } = channel.call(Commands.OPEN_QP, { context, xrcd, qpNum, cookie });
    cookies.bind(cookie, qp);
    qpStates.add(qp);
    const dataPath = new BasicQp({ context, channel, memory, qpStates, qp, cap, cookie, ...OPENING });
    this.#qps.set(qp, dataPath);
    return { handle: qp, qpNum, cap, dataPath };
  }

  beforeReset(): void {
    this.#prefetchAll();
  }

  resetQp(qp: number): void {
    const queue = this.#qps.get(qp)!;
    this.#purge(qp, queue);
    queue.reset();
  }

  destroyQp(qp: number): void {
    const { context, channel, cookies, qpStates } = this.#parts;
    this.#prefetchAll();
    channel.call(Commands.DESTROY_QP, { context, qp });
    const queue = this.#qps.get(qp)!;
    this.#purge(qp, queue);
    queue.end();
    this.#qpTable.remove(qp);
    qpStates.remove(qp);
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
    const dataPath = new BasicSrq({
      context,
      channel,
      srq,
      maxWr,
      number,
      cookie,
      xrcSrqNum: xrc === null ? 0 : srqNum,
      xrcCq: this.#cqs.get(cq) ?? null,
    });
    if (xrc !== null) this.#qpTable.addXrcSrq(srqNum, dataPath.slots);
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
    queue.end();
    cookies.release(queue.cookie);
    if (queue.xrcSrqNum !== 0) this.#qpTable.removeXrcSrq(queue.xrcSrqNum);
    this.#srqNumbers[queue.number] = undefined;
    this.#srqs.delete(srq);
  }

  /**
   * Brings the completions here. What ends with a QP, in the lower CQ, would otherwise not be known here, and neither which receives of
   * an SRQ went with it.
   */
  #prefetchAll(): void {
    if (this.#srqs.size > 0) for (const { poller } of this.#cqs.values()) poller.prefetch();
  }

  /** Removes a QP's completions from the buffers of its CQs; what they took of an SRQ is given back. */
  #purge(qpNum: number, { cqs }: BasicQp): void {
    for (const { poller } of cqs) poller.purge(qpNum);
  }

  #freeSrqNumber(): number {
    const free = this.#srqNumbers.indexOf(undefined);
    return free < 0 ? this.#srqNumbers.length : free;
  }
}
