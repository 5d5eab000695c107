/**
 * Bypass: queues lie in the guest's own pages. Stage one registers these through the back-end, stage two makes the queue on the key;
 * from then on post, poll and arm go straight to the device, and the back-end is not asked.
 */
import { XEN_PAGE_BYTES } from '@openverbs/hypervisor';
import { Errno } from '@openverbs/verbs';
import type { SrqAttr } from '@openverbs/verbs';
import type {
  CqGeometry,
  CqOps,
  CqResizeOps,
  QpOps,
  QpRequest,
  SrqGeometry,
  SrqModifyOps,
  SrqOps,
  UserHalf,
  XrcSrqRequest,
} from '@openverbs/verbs/driver';
import { Commands, RegionUse } from '../protocol/commands.ts';
import type { CommandChannel } from './command-channel.ts';
import type { Cookies } from './cookies.ts';
import { pagesOf } from './guest-memory.ts';
import type { GuestMemory, GuestRun } from './guest-memory.ts';
import type { CqRequest, Queues } from './queues.ts';
import { makeRegion } from './regions.ts';

/** Memory of a queue: pages of the guest and the key of stage one. */
interface QueueMemory {
  readonly run: GuestRun;
  readonly key: number;
}

/** A queue that lives. */
interface Queue {
  memory: QueueMemory;
  readonly cookie: number;
}

/** An SRQ, with what its memory holds. */
interface Srq extends Queue {
  geometry: SrqGeometry;
}

/** What the queues of a context need. */
export interface BypassParts {
  readonly context: number;
  readonly channel: CommandChannel;
  readonly memory: GuestMemory;
  readonly userHalf: UserHalf;
  readonly cookies: Cookies;
}

export class BypassQueues implements Queues {
  readonly #parts: BypassParts;
  readonly #cqs = new Map<number, Queue>();
  readonly #qps = new Map<number, Queue>();
  /** Cookies of openings of QPs, by handle. */
  readonly #openings = new Map<number, number>();
  readonly #srqs = new Map<number, Srq>();

  constructor(parts: BypassParts) {
    this.#parts = parts;
  }

  createCq(request: CqRequest): CqOps {
    const { context, channel, userHalf, cookies } = this.#parts;
    const geometry = userHalf.cqGeometry(request.cqe);
    const cookie = cookies.next();
    return this.#inMemory(geometry.bytes, (memory) => {
      const { key } = memory;
      const { cq, cqe } = channel.call(Commands.CREATE_CQ, { context, ...request, cookie, key });
      this.#cqs.set(cq, { memory, cookie });
      cookies.bind(cookie, cq);
      return { handle: cq, cqe, dataPath: userHalf.cqRings(memory.run.at, geometry) };
    });
  }

  resizeCq(cq: number, cqe: number): CqResizeOps {
    const { context, channel, userHalf } = this.#parts;
    const geometry: CqGeometry = userHalf.cqGeometry(cqe);
    const queue = this.#cqs.get(cq)!;
    return this.#inMemory(geometry.bytes, (memory) => {
      const resized = channel.call(Commands.RESIZE_CQ, { context, cq, cqe, key: memory.key });
      this.#free(queue.memory);
      queue.memory = memory;
      return { cqe: resized.cqe, dataPath: userHalf.cqRings(memory.run.at, geometry) };
    });
  }

  destroyCq(cq: number): void {
    const { context, channel } = this.#parts;
    channel.call(Commands.DESTROY_CQ, { context, cq });
    this.#end(this.#cqs, cq);
  }

  createQp(request: QpRequest): QpOps {
    const { context, channel, userHalf, cookies } = this.#parts;
    const { qpType, cap, srq, xrcd } = request;
    const geometry = userHalf.qpGeometry({ qpType, cap, withSrq: srq !== null });
    const cookie = cookies.next();
    return this.#inMemory(geometry.bytes, (memory) => {
      const { key } = memory;
      const arguments_ = { ...request, context, srq: srq ?? 0, xrcd: xrcd ?? 0, cookie, key };
      const made = channel.call(Commands.CREATE_QP, arguments_);
      this.#qps.set(made.qp, { memory, cookie });
      cookies.bind(cookie, made.qp);
      const dataPath = userHalf.qpRings(memory.run.at, geometry, made.qp);
      return { handle: made.qp, qpNum: made.qp, cap: made.cap, dataPath };
    });
  }

  /** Without memory: an opening has no rings. */
  openQp(xrcd: number, qpNum: number): QpOps {
    const { context, channel, cookies } = this.#parts;
    const cookie = cookies.next();
    const { qp, cap } = channel.call(Commands.OPEN_QP, { context, xrcd, qpNum, cookie });
    this.#openings.set(qp, cookie);
    cookies.bind(cookie, qp);
    const refuse = (): number => Errno.EINVAL;
    return { handle: qp, qpNum, cap, dataPath: { kind: 'calls', badWrIndex: 0, postSend: refuse, postRecv: refuse } };
  }

  beforeReset(): void {} // verbs has the rings, and forgets what is in them

  resetQp(): void {}

  destroyQp(qp: number): void {
    const { context, channel } = this.#parts;
    channel.call(Commands.DESTROY_QP, { context, qp });
    const cookie = this.#openings.get(qp);
    if (cookie === undefined) this.#end(this.#qps, qp);
    else this.#parts.cookies.release(cookie);
    this.#openings.delete(qp);
  }

  createSrq(pd: number, attr: SrqAttr, xrc: XrcSrqRequest | null): SrqOps {
    const { context, channel, userHalf, cookies } = this.#parts;
    const geometry = userHalf.srqGeometry(attr.maxWr, attr.maxSge);
    const cookie = cookies.next();
    return this.#inMemory(geometry.bytes, (memory) => {
      const { key } = memory;
      const { xrcd, cq } = xrc ?? { xrcd: 0, cq: 0 };
      const made = channel.call(Commands.CREATE_SRQ, { context, pd, attr, xrcd, cq, cookie, key });
      this.#srqs.set(made.srq, { memory, cookie, geometry });
      cookies.bind(cookie, made.srq);
      const { srq: handle, maxWr, maxSge, srqNum } = made;
      return { handle, maxWr, maxSge, srqNum, dataPath: userHalf.srqRings(memory.run.at, geometry, maxWr) };
    });
  }

  modifySrq(srq: number, attr: Partial<SrqAttr>): SrqModifyOps {
    const { context, channel, userHalf } = this.#parts;
    const queue = this.#srqs.get(srq)!;
    const { maxWr } = attr;
    if (maxWr === undefined) return channel.call(Commands.MODIFY_SRQ, { context, srq, attr, key: 0 });
    if (maxWr <= queue.geometry.ringWr) {
      const made = channel.call(Commands.MODIFY_SRQ, { context, srq, attr, key: 0 });
      return { ...made, dataPath: userHalf.srqRings(queue.memory.run.at, queue.geometry, made.maxWr) };
    }
    const geometry = userHalf.srqGeometry(maxWr, queue.geometry.maxSge);
    return this.#inMemory(geometry.bytes, (memory) => {
      const made = channel.call(Commands.MODIFY_SRQ, { context, srq, attr, key: memory.key });
      this.#free(queue.memory);
      queue.memory = memory;
      queue.geometry = geometry;
      return { ...made, dataPath: userHalf.srqRings(memory.run.at, geometry, made.maxWr) };
    });
  }

  destroySrq(srq: number): void {
    const { context, channel } = this.#parts;
    channel.call(Commands.DESTROY_SRQ, { context, srq });
    this.#end(this.#srqs, srq);
  }

  /** Stage one, and what `make` does in it; when that fails the memory is given back. */
  #inMemory<T>(bytes: number, make: (memory: QueueMemory) => T): T {
    const { context, channel, memory } = this.#parts;
    const run = memory.alloc(Math.ceil(bytes / XEN_PAGE_BYTES) * XEN_PAGE_BYTES, XEN_PAGE_BYTES);
    let queueMemory: QueueMemory;
    try {
      const init = {
        context,
        use: RegionUse.RINGS,
        mr: 0,
        flags: 0,
        pd: 0,
        access: 0,
        iova: run.addr,
        length: run.length,
      };
      queueMemory = { run, key: makeRegion(channel, init, pagesOf(run.frame, 0, run.length)).mr };
    } catch (error) {
      memory.free(run);
      throw error;
    }
    try {
      return make(queueMemory);
    } catch (error) {
      this.#free(queueMemory);
      throw error;
    }
  }

  #end(queues: Map<number, Queue>, handle: number): void {
    const { memory, cookie } = queues.get(handle)!;
    queues.delete(handle);
    this.#parts.cookies.release(cookie);
    this.#free(memory);
  }

  #free({ run, key }: QueueMemory): void {
    const { context, channel, memory } = this.#parts;
    channel.call(Commands.DEREG_MR, { context, mr: key });
    memory.free(run);
  }
}
