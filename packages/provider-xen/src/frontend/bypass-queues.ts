/**
 * Bypass: queues lie in the guest's own pages. Stage one registers these through the back-end, stage two makes the queue on the key;
 * from then on post, poll and arm go straight to the device, and the back-end is not asked.
 */
import { XEN_PAGE_BYTES } from '@openverbs/hypervisor';
import { Errno } from '@openverbs/verbs';
import type { SrqAttr } from '@openverbs/verbs';
import { QueueMemory } from '@openverbs/verbs/driver';
import type {
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
interface GuestRing {
  readonly run: GuestRun;
  readonly key: number;
}

/** What the queues of a context need. */
export interface BypassParts {
  readonly context: number;
  readonly channel: CommandChannel;
  readonly memory: GuestMemory;
  readonly userHalf: UserHalf;
  readonly cookies: Cookies;
}

/** Queues of one kind, by handle: their memory, and the cookie that events name each by. */
interface Kind {
  readonly memory: QueueMemory<GuestRing>;
  readonly cookies: Map<number, number>;
}

export class BypassQueues implements Queues {
  readonly #parts: BypassParts;
  readonly #cqs: Kind;
  readonly #qps: Kind;
  readonly #srqs: Kind;
  /** What the memory of each SRQ holds. */
  readonly #srqGeometries = new Map<number, SrqGeometry>();

  constructor(parts: BypassParts) {
    this.#parts = parts;
    const source = { alloc: (bytes: number) => this.#alloc(bytes), free: (ring: GuestRing) => this.#free(ring) };
    const kind = (): Kind => ({ memory: new QueueMemory(source), cookies: new Map() });
    this.#cqs = kind();
    this.#qps = kind();
    this.#srqs = kind();
  }

  createCq(request: CqRequest): CqOps {
    const { context, channel, userHalf, cookies } = this.#parts;
    const geometry = userHalf.cqGeometry(request.cqe);
    const cookie = cookies.next();
    return this.#cqs.memory.create(geometry.bytes, ({ run, key }) => {
      const { cq, cqe } = channel.call(Commands.CREATE_CQ, { context, ...request, cookie, key });
      this.#bind(this.#cqs, cookie, cq);
      return { handle: cq, cqe, dataPath: userHalf.cqRings(run.at, geometry) };
    });
  }

  resizeCq(cq: number, cqe: number): CqResizeOps {
    const { context, channel, userHalf } = this.#parts;
    const geometry = userHalf.cqGeometry(cqe);
    return this.#cqs.memory.move(cq, geometry.bytes, ({ run, key }) => {
      const resized = channel.call(Commands.RESIZE_CQ, { context, cq, cqe, consumed: 0, key });
      return { cqe: resized.cqe, dataPath: userHalf.cqRings(run.at, geometry) };
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
    return this.#qps.memory.create(geometry.bytes, ({ run, key }) => {
      const arguments_ = { ...request, context, srq: srq ?? 0, xrcd: xrcd ?? 0, cookie, key };
      const made = channel.call(Commands.CREATE_QP, arguments_);
      this.#bind(this.#qps, cookie, made.qp);
      const dataPath = userHalf.qpRings(run.at, geometry, made.qp);
      return { handle: made.qp, qpNum: made.qp, cap: made.cap, dataPath };
    });
  }

  /** Without memory: an opening has no rings. */
  openQp(xrcd: number, qpNum: number): QpOps {
    const { context, channel, cookies } = this.#parts;
    const cookie = cookies.next();
    const { qp, cap } = channel.call(Commands.OPEN_QP, { context, xrcd, qpNum, cookie });
    this.#bind(this.#qps, cookie, qp);
    const refuse = (): number => Errno.EINVAL;
    return { handle: qp, qpNum, cap, dataPath: { kind: 'calls', badWrIndex: 0, postSend: refuse, postRecv: refuse } };
  }

  beforeReset(): void {} // verbs has the rings, and forgets what is in them

  resetQp(): void {}

  destroyQp(qp: number): void {
    const { context, channel } = this.#parts;
    channel.call(Commands.DESTROY_QP, { context, qp });
    this.#end(this.#qps, qp);
  }

  createSrq(pd: number, attr: SrqAttr, xrc: XrcSrqRequest | null): SrqOps {
    const { context, channel, userHalf, cookies } = this.#parts;
    const geometry = userHalf.srqGeometry(attr.maxWr, attr.maxSge);
    const cookie = cookies.next();
    return this.#srqs.memory.create(geometry.bytes, ({ run, key }) => {
      const { xrcd, cq } = xrc ?? { xrcd: 0, cq: 0 };
      const made = channel.call(Commands.CREATE_SRQ, { context, pd, attr, xrcd, cq, cookie, key });
      this.#srqGeometries.set(made.srq, geometry);
      this.#bind(this.#srqs, cookie, made.srq);
      const { srq: handle, maxWr, maxSge, srqNum } = made;
      return { handle, maxWr, maxSge, srqNum, dataPath: userHalf.srqRings(run.at, geometry, maxWr) };
    });
  }

  modifySrq(srq: number, attr: Partial<SrqAttr>): SrqModifyOps {
    const { context, channel, userHalf } = this.#parts;
    const former = this.#srqGeometries.get(srq)!;
    const { maxWr } = attr;
    if (maxWr === undefined) return channel.call(Commands.MODIFY_SRQ, { context, srq, attr, key: 0 });
    if (maxWr <= former.ringWr) {
      const made = channel.call(Commands.MODIFY_SRQ, { context, srq, attr, key: 0 });
      return { ...made, dataPath: userHalf.srqRings(this.#srqs.memory.of(srq)!.run.at, former, made.maxWr) };
    }
    const geometry = userHalf.srqGeometry(maxWr, former.maxSge);
    return this.#srqs.memory.move(srq, geometry.bytes, ({ run, key }) => {
      const made = channel.call(Commands.MODIFY_SRQ, { context, srq, attr, key });
      this.#srqGeometries.set(srq, geometry);
      return { ...made, dataPath: userHalf.srqRings(run.at, geometry, made.maxWr) };
    });
  }

  destroySrq(srq: number): void {
    const { context, channel } = this.#parts;
    channel.call(Commands.DESTROY_SRQ, { context, srq });
    this.#srqGeometries.delete(srq);
    this.#end(this.#srqs, srq);
  }

  #bind({ cookies }: Kind, cookie: number, handle: number): void {
    cookies.set(handle, cookie);
    this.#parts.cookies.bind(cookie, handle);
  }

  #end({ memory, cookies }: Kind, handle: number): void {
    this.#parts.cookies.release(cookies.get(handle)!);
    cookies.delete(handle);
    memory.release(handle);
  }

  /** Stage one. */
  #alloc(bytes: number): GuestRing {
    const { context, channel, memory } = this.#parts;
    const run = memory.alloc(Math.ceil(bytes / XEN_PAGE_BYTES) * XEN_PAGE_BYTES, XEN_PAGE_BYTES);
    try {
      const { addr: iova, length } = run;
      const init = { context, use: RegionUse.RINGS, mr: 0, flags: 0, pd: 0, access: 0, iova, length };
      return { run, key: makeRegion(channel, init, pagesOf(run.frame, 0, length)).mr };
    } catch (error) {
      memory.free(run);
      throw error;
    }
  }

  #free({ run, key }: GuestRing): void {
    const { context, channel, memory } = this.#parts;
    channel.call(Commands.DEREG_MR, { context, mr: key });
    memory.free(run);
  }
}
