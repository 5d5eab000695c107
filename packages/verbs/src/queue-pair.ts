/** Queue pairs. */
import { assertCapability } from './assert-capability.ts';
import type { AsyncEventSubject } from './async-event.ts';
import type { QpAttrInit, QpCap, QpEndpoint, QpInitAttr, QpQuery } from './attributes/qp.ts';
import { bindRequest } from './bind-request.ts';
import { assertOp, callOp } from './call-op.ts';
import { checkFlags, checkOneOf } from './check.ts';
import type { CompletionQueue } from './completion-queue.ts';
import type { RecvPath, SendPath } from './data-path.ts';
import type { QpDataPath } from './driver/data-path.ts';
import {
  MigState,
  QpAttrMask,
  QpDataInOrderCaps,
  QpDataInOrderFlags,
  QpState,
  qpStateStr,
  QpType,
  qpTypeStr,
} from './enums/qp.ts';
import { WrOpcode } from './enums/wr.ts';
import { Errno, inVerb, type VerbsError } from './errors.ts';
import type { Gid } from './gid.ts';
import { inspectCustom, inspectLine } from './inspect.ts';
import { refuseLeftOut } from './left-out.ts';
import type { MemoryWindow, MwBindInit } from './memory-window.ts';
import { checkModify } from './modify-qp.ts';
import { MulticastGroups } from './multicast-groups.ts';
import { type PostedQp, postChainError, postRecvError, postSendError } from './post-error.ts';
import type { ProtectionDomain } from './protection-domain.ts';
import { bringToInit, bringToRtr, bringToRts, makeEndpoint, type QpInitOptions } from './qp-endpoint.ts';
import type { QueueBuffer } from './queue-buffer.ts';
import { QueuePairEx } from './queue-pair-ex.ts';
import { RecvStaging } from './recv-staging.ts';
import { RecvWr, type RecvWrInit } from './recv-wr.ts';
import { QP_STATE_MASK, QpDoorbellRecord } from './rings/layout.ts';
import { type Reason, type SendFacts, sendFacts } from './send-facts.ts';
import { SendStaging } from './send-staging.ts';
import { SendWr, type SendWrInit } from './send-wr.ts';
import type { SharedReceiveQueue } from './shared-receive-queue.ts';
import { traceRecvs, traceSends } from './tracing/trace-posts.ts';
import type { XrcDomain } from './xrc-domain.ts';

const { EINVAL } = Errno;

/** What the constructor wants to know of the attributes; an XRC QP lacks queues. @internal */
export type QueuePairInit = Partial<QpInitAttr> & Pick<QpInitAttr, 'qpType' | 'cap'>;

/** What a queue pair is made of. @internal */
export interface QueuePairParts {
  readonly handle: number;
  readonly qpNum: number;
  readonly cap: QpCap;
  readonly init: QueuePairInit;
  readonly dataPath: QpDataPath;
  readonly sendPath: SendPath;
  readonly recvPath: RecvPath;
  /** Where its rings lie, when that is memory of another. */
  readonly buffer?: QueueBuffer;
}

/**
 * A queue pair (`struct ibv_qp`), from `pd.createQp`: a send queue and a receive queue.
 *
 * @example
 * ```ts
 * import { SendFlags, SendWr, WrOpcode, type MemoryRegion, type QpEndpoint, type QueuePair } from '@openverbs/verbs';
 *
 * function connect(qp: QueuePair, remote: QpEndpoint): void {
 *   qp.toInit();
 *   qp.toRtr(remote);
 *   qp.toRts(remote);
 * }
 *
 * function write(qp: QueuePair, mr: MemoryRegion, rkey: number, remoteAddr: number): void {
 *   const opcode = WrOpcode.RDMA_WRITE;
 *   qp.postSend(new SendWr({ opcode, sendFlags: SendFlags.SIGNALED, sgList: [mr.sge()], rkey, remoteAddr }));
 * }
 * ```
 */
export class QueuePair extends QueuePairEx {
  /** The protection domain. An XRC_RECV queue pair has none: there it is null, which the type does not say. */
  readonly pd: ProtectionDomain;
  /** Where send completions go. XRC_RECV: null, as before. */
  readonly sendCq: CompletionQueue;
  /** Where receive completions go. XRC_SEND and XRC_RECV: null, as before. */
  readonly recvCq: CompletionQueue;
  /** XRC_RECV: the XRC domain; else null. */
  readonly xrcd: XrcDomain | null;
  /** Where receives come from, or null for the QP's own queue. */
  readonly srq: SharedReceiveQueue | null;
  /** Transport service. */
  readonly qpType: QpType;
  /** QP number, 24 bits. */
  readonly qpNum: number;
  /** Capacities, at least what was asked for. */
  readonly cap: QpCap;
  /** Whether every send work request makes a completion. */
  readonly sqSigAll: boolean;
  /** The application's own. */
  readonly qpContext: unknown;
  /** @internal */
  protected readonly recvPath: RecvPath;
  readonly #dataPath: QpDataPath;
  readonly #sendStaging = new SendStaging();
  readonly #recvStaging = new RecvStaging();
  #state: QpState = QpState.RESET;
  #portNum = 1;
  readonly #groups = new MulticastGroups(this);

  /** @internal */
  constructor(owner: ProtectionDomain | XrcDomain, parts: QueuePairParts) {
    const { init, sendPath } = parts;
    const { sendCq, recvCq, srq = null, qpType, sqSigAll = false, qpContext } = init;
    const parents = [owner, sendCq, recvCq, srq, parts.buffer].filter((parent) => parent != null);
    super(
      owner.context,
      parts.handle,
      parents,
      traceSends(sendPath, () => this),
    );
    const isTarget = qpType === QpType.XRC_RECV;
    this.pd = (isTarget ? null : owner) as ProtectionDomain;
    this.xrcd = isTarget ? (owner as XrcDomain) : null;
    this.sendCq = (sendCq ?? null) as CompletionQueue;
    this.recvCq = (recvCq ?? null) as CompletionQueue;
    this.srq = srq;
    this.qpType = qpType;
    this.qpNum = parts.qpNum;
    this.cap = parts.cap;
    this.sqSigAll = sqSigAll;
    this.qpContext = qpContext;
    this.recvPath = parts.recvPath;
    this.#dataPath = parts.dataPath;
    traceRecvs(this);
  }

  /** What messages call it. */
  get label(): string {
    return `QP ${this.qpNum}`;
  }

  /**
   * The state, as far as it is known here. When the device changes it by itself, the emulated provider and `xen:bypass` tell at once; `xen:basic`
   * tells as soon as the poll that fetched the error, or the event, has come from the device domain; of others, a {@link QueuePair.query} tells.
   */
  get state(): QpState {
    const path = this.#dataPath;
    if (path.kind === 'rings' && !this.destroyed) {
      const word = path.i32[(path.doorbellRecordAddr >>> 2) + QpDoorbellRecord.STATE];
      this.#state = (word & QP_STATE_MASK) as QpState;
    } else if (path.kind === 'calls' && path.state !== undefined && !this.destroyed)
      this.#state = path.state() as QpState;
    return this.#state;
  }

  /** The port that it is on; 1 until a modify sets one. */
  get portNum(): number {
    return this.#portNum;
  }

  /**
   * Sets attributes; most of the time, goes to another state with what that needs. The attributes that are given are those that
   * are set; with `mask`, `QpAttrMask` bits, only those of the given ones that it names.
   *
   * Throws EINVAL with `details` of `from` and `to`, and the names of attributes that are `missing`, `superfluous` or `invalid`.
   * Each transition needs some attributes and takes some: see
   * [States of queue pairs](https://github.com/openverbs/openverbs/blob/main/docs/qp-states.md). Source: `ibv_modify_qp`(3).
   */
  modify(attr: QpAttrInit, mask?: number): void {
    const verb = 'ibv_modify_qp';
    this.assertLive(verb);
    assertOp(this.context, verb, 'modifyQp');
    const checked = checkModify(this, attr, mask);
    if (checked.to === QpState.SQD) assertCapability(this.context, verb, 'sqDrain', 'wait for the completions instead');
    const migrates = (checked.attr.pathMigState ?? MigState.MIGRATED) !== MigState.MIGRATED;
    if (migrates || (checked.mask & QpAttrMask.ALT_PATH) !== 0) {
      assertCapability(this.context, verb, 'pathMigration', 'leave the alternate path out');
    }
    callOp(this.context, verb, 'modifyQp', this.handle, checked.attr, checked.mask);
    this.#portNum = checked.attr.portNum ?? this.#portNum;
    this.#enter(checked.to as QpState);
  }

  /** Asks the device for all attributes, and what the QP was made of; C's mask is a hint that no device needs. Source: `ibv_query_qp`(3). */
  query(): QpQuery {
    this.assertLive('ibv_query_qp');
    const { attr, cap } = callOp(this.context, 'ibv_query_qp', 'queryQp', this.handle);
    this.#state = attr.qpState;
    this.#portNum = attr.portNum || this.#portNum; // the path may have migrated
    const { sendCq, recvCq, srq, qpType, sqSigAll, qpContext } = this;
    return { attr, init: { sendCq, recvCq, srq, qpType, sqSigAll, qpContext, cap } };
  }

  /**
   * Posts sends: one, a chain by `next`, or a list. `SendWr` objects that are reused are fastest, literals are copied.
   *
   * Throws ENOMEM when the queue is full, EINVAL for a work request that is wrong or a state that takes none, EFAULT for inline data
   * that is named by SGEs and is not in memory of this program. As in C the work requests before `details.badWrIndex` are posted. Source: `ibv_post_send`(3).
   */
  postSend(wr: SendWr | SendWrInit | readonly (SendWr | SendWrInit)[]): void {
    if (wr instanceof SendWr) {
      const errno = this.building ? EINVAL : this.sendPath.post(wr);
      if (errno !== 0) throw this.#sendError(errno, wr);
    } else {
      this.#postSendCopy(wr);
    }
  }

  /**
   * Binds a memory window of type 1, as a work request of the send queue, and sets its new `rkey`, which works once the completion is
   * there. Without a region it is bound to nothing. Throws EINVAL for a window of type 2, which BIND_MW binds, else as
   * {@link QueuePair.postSend}. Source: `ibv_bind_mw`(3).
   */
  bindMw(mw: MemoryWindow, bind: MwBindInit): void {
    const verb = 'ibv_bind_mw';
    const wr = bindRequest(verb, mw, bind);
    mw.binding = true;
    const errno = this.building ? EINVAL : this.sendPath.post(wr);
    mw.binding = false;
    if (errno !== 0) throw postSendError(verb, errno, 0, this.#posted(), sendFacts(wr));
    mw.rkey = wr.bindMw!.rkey;
  }

  /** Posts receives: one, a chain by `next`, or a list. Throws as {@link QueuePair.postSend}. Source: `ibv_post_recv`(3). */
  postRecv(wr: RecvWr | RecvWrInit | readonly (RecvWr | RecvWrInit)[]): void {
    if (wr instanceof RecvWr) {
      const errno = this.recvPath.post(wr);
      if (errno !== 0) throw this.#recvError(errno, wr);
    } else {
      this.#postRecvCopy(wr);
    }
  }

  /**
   * What the peer needs to know; it survives JSON. The address is the first RoCE v2 one of the port that the QP is on, unless said. Throws
   * EINVAL for a port or an index that isn't there.
   */
  endpoint(options: { readonly port?: number; readonly gidIndex?: number } = {}): QpEndpoint {
    this.assertLive('ibv_query_gid');
    return makeEndpoint(this, options);
  }

  /**
   * To INIT, with the P_Key at index 0, port 1 and all rights of a peer unless said. Throws as {@link QueuePair.modify} does.
   */
  toInit(options: QpInitOptions = {}): void {
    bringToInit(this, options);
  }

  /**
   * To RTR, ready to receive from `remote`. `overrides` are attributes that take the place of the usual ones. Throws as
   * {@link QueuePair.modify} does.
   */
  toRtr(remote: QpEndpoint, overrides: QpAttrInit = {}): void {
    bringToRtr(this, remote, overrides);
  }

  /**
   * To RTS. With `remote`, also from RESET and INIT, by way of the states between; `overrides` are for the last modify. Throws as
   * {@link QueuePair.modify} does.
   */
  toRts(remote?: QpEndpoint, overrides: QpAttrInit = {}): void {
    bringToRts(this, remote, overrides);
  }

  /**
   * UD: takes part in the multicast group of an address; `lid` is 0 on Ethernet. A second time changes nothing. Throws EINVAL for another type
   * of QP, and for an address that is no multicast one; ENOMEM when all attachments are taken. Source: `ibv_attach_mcast`(3).
   */
  attachMcast(gid: Gid | string, lid = 0): void {
    this.#groups.attach(gid, lid);
  }

  /** UD: leaves a multicast group. Throws EINVAL when it is in none of this address. Source: `ibv_detach_mcast`(3). */
  detachMcast(gid: Gid | string, lid = 0): void {
    this.#groups.detach(gid, lid);
  }

  /**
   * Whether the data of messages is written in order, so that a program may wait for the last byte instead of a completion: of reads
   * that are posted here, of writes and sends that arrive here. 1 or 0, or with `QpDataInOrderFlags.RETURN_CAPS` what is in order, as
   * `QpDataInOrderCaps` bits. Source: `ibv_query_qp_data_in_order`(3).
   */
  queryDataInOrder(opcode: WrOpcode, flags = 0): number {
    const verb = 'ibv_query_qp_data_in_order';
    this.assertLive(verb);
    checkOneOf(verb, 'opcode', opcode, WrOpcode);
    checkFlags(verb, 'flags', flags, QpDataInOrderFlags, 3);
    const { ops } = this.context;
    const deviceOnly = (flags & QpDataInOrderFlags.DEVICE_ONLY) !== 0;
    const caps = inVerb(verb, () => ops.queryQpDataInOrder?.(this.handle, opcode, deviceOnly)) ?? 0;
    return (flags & QpDataInOrderFlags.RETURN_CAPS) !== 0 ? caps : caps & QpDataInOrderCaps.WHOLE_MSG;
  }

  /** Left out: flow steering throws EOPNOTSUPP. */
  createFlow(): never {
    refuseLeftOut('ibv_create_flow');
  }

  /** Left out: packet pacing throws EOPNOTSUPP. */
  modifyRateLimit(): never {
    refuseLeftOut('ibv_modify_qp_rate_limit');
  }

  /** Left out: throws EOPNOTSUPP. */
  queryEce(): never {
    refuseLeftOut('ibv_query_ece');
  }

  /** Left out: throws EOPNOTSUPP. */
  setEce(): never {
    refuseLeftOut('ibv_set_ece');
  }

  /**
   * Ends it; what is posted makes no completions any more. Throws EBUSY for unacknowledged events, and while it is attached to a
   * multicast group. Source: `ibv_destroy_qp`(3).
   */
  destroy(): void {
    const verb = 'ibv_destroy_qp';
    this.assertLive(verb);
    this.#groups.assertNone(verb);
    this.endStrictly(verb);
  }

  /** @internal */
  [inspectCustom](): string {
    const { qpNum, qpType, state } = this;
    return inspectLine('QueuePair', { qpNum, type: qpTypeStr(qpType), state: qpStateStr(state) });
  }

  /** @internal */ protected override asEventSubject(): AsyncEventSubject {
    return { qp: this };
  }

  /** @internal */ protected override extendedError(
    errno: number,
    badWrIndex: number,
    bad: SendFacts | Reason,
  ): VerbsError {
    return postSendError('ibv_wr_complete', errno, badWrIndex, this.#posted(), bad);
  }

  /** @internal */ protected override releaseInProvider(): void {
    callOp(this.context, 'ibv_destroy_qp', 'destroyQp', this.handle);
  }

  /** @internal */ protected override onEnded(): void {
    super.onEnded();
    this.#state = QpState.RESET;
    this.giveUp();
    this.sendPath.setReady(false);
    this.recvPath.setReady(false);
    this.#cleanCqs();
    this.context.qpTable.remove(this.qpNum);
  }

  #enter(state: QpState): void {
    this.#state = state;
    this.giveUp(); // it was built for the state before
    if (state === QpState.RESET) {
      // The device makes no more completions of this QP, so what is left in the CQs can go, and the indices begin anew.
      this.#cleanCqs();
      this.sendPath.reset();
      this.recvPath.reset();
    }
    this.sendPath.setReady(state >= QpState.RTS);
    this.recvPath.setReady(state !== QpState.RESET);
  }

  #cleanCqs(): void {
    for (const cq of new Set([this.sendCq, this.recvCq])) (cq as CompletionQueue | null)?.path.clean(this.qpNum);
  }

  #postSendCopy(wr: SendWrInit | readonly (SendWr | SendWrInit)[]): void {
    const staging = this.#sendStaging;
    const first = staging.chain('ibv_post_send', wr, this.cap.maxSendWr);
    const errno = first === null ? 0 : this.building ? EINVAL : this.sendPath.post(first);
    if (errno !== 0) throw this.#sendError(errno, first);
    if (staging.fault !== null) throw staging.fault;
  }

  #postRecvCopy(wr: RecvWrInit | readonly (RecvWr | RecvWrInit)[]): void {
    const staging = this.#recvStaging;
    const first = staging.chain('ibv_post_recv', wr, this.cap.maxRecvWr);
    const errno = first === null ? 0 : this.recvPath.post(first);
    if (errno !== 0) throw this.#recvError(errno, first);
    if (staging.fault !== null) throw staging.fault;
  }

  #sendError(errno: number, first: SendWr | null): VerbsError {
    const badWrIndex = this.building ? 0 : this.sendPath.badWrIndex;
    return postChainError('ibv_post_send', errno, badWrIndex, this.#posted(), first);
  }

  #posted(): PostedQp {
    const { label, destroyed, state, qpType, cap, pd, building } = this;
    return { label, destroyed, state, qpType, cap, pd, building };
  }

  #recvError(errno: number, first: RecvWr | null): VerbsError {
    const { label, destroyed, state, cap } = this;
    const { maxRecvWr: maxWr, maxRecvSge: maxSge } = cap;
    const queue = { label, destroyed, reset: state === QpState.RESET, srq: this.srq?.label, maxWr, maxSge };
    return postRecvError('ibv_post_recv', errno, this.recvPath.badWrIndex, queue, first);
  }
}
