/** Shared receive queues. */
import type { AsyncEventSubject } from './async-event.ts';
import { AsyncEventTarget } from './async-event-target.ts';
import type { SrqAttr, SrqInitAttr } from './attributes/qp.ts';
import { assertOp, callOp } from './call-op.ts';
import { CallsRecvQueue } from './calls/calls-recv-queue.ts';
import { checkInteger } from './check.ts';
import type { CompletionQueue } from './completion-queue.ts';
import type { SrqCalls, SrqDataPath } from './driver/data-path.ts';
import type { SrqOps } from './driver/device-ops.ts';
import { SrqAttrMask, SrqType } from './enums/srq.ts';
import { invalid } from './errors.ts';
import { inspectCustom, inspectLine } from './inspect.ts';
import { refuseLeftOut } from './left-out.ts';
import type { VerbsObject } from './lifetime.ts';
import { checkLiteral, literalKeys } from './literal-keys.ts';
import { postRecvError } from './post-error.ts';
import type { QueueBuffer } from './queue-buffer.ts';
import type { ProtectionDomain } from './protection-domain.ts';
import { RecvStaging } from './recv-staging.ts';
import { RecvWr, type RecvWrInit } from './recv-wr.ts';
import { RingSharedReceiveQueue } from './rings/ring-shared-receive-queue.ts';
import type { SrqSlots } from './rings/work-queue-slots.ts';
import { traceRecvs } from './tracing/trace-posts.ts';
import type { XrcDomain } from './xrc-domain.ts';

type SrqChange = Partial<Pick<SrqAttr, 'maxWr' | 'srqLimit'>>;

const CHANGE_KEYS = literalKeys<SrqChange>({ maxWr: true, srqLimit: true });

/** A shared receive queue (`struct ibv_srq`), from `pd.createSrq`: receives for any of the queue pairs that use it. */
export class SharedReceiveQueue extends AsyncEventTarget {
  /** The protection domain. */
  readonly pd: ProtectionDomain;
  /** What it is for. */
  readonly srqType: SrqType;
  /** XRC: the domain; else null. */
  readonly xrcd: XrcDomain | null;
  /** XRC: where receives complete to; else null. */
  readonly cq: CompletionQueue | null;
  /** What an XRC message names it by, 24 bits; 0 on a device that numbers no SRQs. Source: `ibv_get_srq_num`(3). */
  readonly srqNum: number;
  /** The application's own. */
  readonly srqContext: unknown;
  /** SGEs of a work request. */
  readonly maxSge: number;
  /** As it was at create. @internal */
  readonly dataPath: SrqDataPath;
  readonly #path: CallsRecvQueue | RingSharedReceiveQueue;
  readonly #staging = new RecvStaging();
  #maxWr: number;
  /** Where its ring lies, when that is memory of another. */
  #buffer: QueueBuffer | null;

  /** @internal */
  constructor(pd: ProtectionDomain, ops: SrqOps, init: SrqInitAttr, buffer: QueueBuffer | null = null) {
    const { srqType = SrqType.BASIC, xrcd = null, cq = null, srqContext } = init;
    super(pd.context, 'srq', ops.handle, partsOf(pd, xrcd, cq, buffer));
    this.pd = pd;
    this.srqType = srqType;
    this.xrcd = xrcd;
    this.cq = cq;
    this.srqNum = ops.srqNum ?? 0;
    this.srqContext = srqContext;
    this.#buffer = buffer;
    this.#maxWr = ops.maxWr;
    this.maxSge = ops.maxSge;
    const { dataPath } = ops;
    this.dataPath = dataPath;
    this.#path = dataPath.kind === 'rings' ? new RingSharedReceiveQueue(dataPath) : new CallsRecvQueue(dataPath);
    this.#path.setReady(true);
    traceRecvs(this);
    if (srqType === SrqType.XRC) pd.context.qpTable.addXrcSrq(this.srqNum, this.slots);
  }

  /** What messages call it. */
  get label(): string {
    return `SRQ ${this.handle}`;
  }

  /** Work requests that it has room for. */
  get maxWr(): number {
    return this.#maxWr;
  }

  /** What the poll of a receive asks. @internal */
  get slots(): SrqSlots {
    if (this.#path instanceof RingSharedReceiveQueue) return this.#path;
    const calls = this.dataPath as SrqCalls;
    return { complete: (wqeIndex) => calls.complete?.(wqeIndex) ?? 0 };
  }

  /** Posts receives: one, a chain by `next`, or a list. Throws as `qp.postRecv` does. Source: `ibv_post_srq_recv`(3). */
  postRecv(wr: RecvWr | RecvWrInit | readonly (RecvWr | RecvWrInit)[]): void {
    const verb = 'ibv_post_srq_recv';
    const single = wr instanceof RecvWr;
    const first = single ? wr : this.#staging.chain(verb, wr, this.#maxWr);
    const errno = first === null ? 0 : this.#path.post(first);
    if (errno !== 0) {
      const { label, destroyed, maxWr, maxSge } = this;
      const queue = { label, destroyed, reset: false, maxWr, maxSge };
      throw postRecvError(verb, errno, this.#path.badWrIndex, queue, first);
    }
    if (!single && this.#staging.fault !== null) throw this.#staging.fault;
  }

  /**
   * Changes the number of work requests, where the device can, or arms the limit: once fewer receives are left, the event
   * SRQ_LIMIT_REACHED is raised, and the limit is 0 again. Throws EINVAL for a limit above the number of work requests, and for a number
   * below what is posted. All of it or, with an error, nothing. Source: `ibv_modify_srq`(3).
   */
  modify(attr: Partial<Pick<SrqAttr, 'maxWr' | 'srqLimit'>>): void {
    const verb = 'ibv_modify_srq';
    this.assertLive(verb);
    assertOp(this.context, verb, 'modifySrq');
    const mask = this.#checkModify(verb, attr);
    const modified = callOp(this.context, verb, 'modifySrq', this.handle, attr, mask);
    this.#maxWr = modified.maxWr;
    const { dataPath } = modified;
    if (dataPath !== undefined && this.#path instanceof RingSharedReceiveQueue) this.#path.rebind(dataPath);
  }

  /** As `modify` with another size, in other memory of another; EINVAL when it was in none. @internal */
  moveTo(
    buffer: QueueBuffer,
    verb: string,
    attr: Partial<Pick<SrqAttr, 'maxWr' | 'srqLimit'>>,
    resize: (mask: number) => { readonly maxWr: number },
  ): void {
    this.assertLive(verb);
    if (this.#buffer === null) throw invalid(verb, `${this.label} has memory of its own`, 'use srq.modify()');
    this.#maxWr = resize(this.#checkModify(verb, attr)).maxWr;
    this.#buffer = buffer;
    this.reparent(partsOf(this.pd, this.xrcd, this.cq, buffer));
  }

  /** What a modify asks for, `SrqAttrMask` bits. */
  #checkModify(verb: string, attr: Partial<Pick<SrqAttr, 'maxWr' | 'srqLimit'>>): number {
    checkLiteral(verb, 'attr', attr, CHANGE_KEYS);
    const { maxWr, srqLimit } = attr;
    if (maxWr === undefined && srqLimit === undefined)
      throw invalid(verb, 'nothing to modify', 'give maxWr or srqLimit');
    const { maxSrqWr } = this.context.queryDevice();
    if (maxWr !== undefined) checkInteger(verb, 'maxWr', maxWr, 1, maxSrqWr, 'maxSrqWr of the device');
    if (srqLimit !== undefined) checkInteger(verb, 'srqLimit', srqLimit, 0, maxWr ?? this.#maxWr, 'maxWr');
    return (maxWr === undefined ? 0 : SrqAttrMask.MAX_WR) | (srqLimit === undefined ? 0 : SrqAttrMask.LIMIT);
  }

  /** Its attributes; `srqLimit` is 0 when it is not armed. Source: `ibv_query_srq`(3). */
  query(): SrqAttr {
    this.assertLive('ibv_query_srq');
    return callOp(this.context, 'ibv_query_srq', 'querySrq', this.handle);
  }

  /** Left out: tag matching throws EOPNOTSUPP. */
  postOps(): never {
    refuseLeftOut('ibv_post_srq_ops');
  }

  /** Ends it. Throws EBUSY while queue pairs use it, or events are not acknowledged. Source: `ibv_destroy_srq`(3). */
  destroy(): void {
    this.endStrictly('ibv_destroy_srq');
  }

  /** @internal */
  [inspectCustom](): string {
    return inspectLine('SharedReceiveQueue', { handle: this.handle });
  }

  /** @internal */ protected override asEventSubject(): AsyncEventSubject {
    return { srq: this };
  }

  /** @internal */ protected override releaseInProvider(): void {
    callOp(this.context, 'ibv_destroy_srq', 'destroySrq', this.handle);
  }

  /** @internal */ protected override onEnded(): void {
    super.onEnded();
    this.#path.setReady(false);
    if (this.srqType === SrqType.XRC) this.context.qpTable.removeXrcSrq(this.srqNum);
  }
}

/** What holds an SRQ. */
function partsOf(...parts: readonly (VerbsObject | null)[]): VerbsObject[] {
  return parts.filter((part) => part !== null);
}
