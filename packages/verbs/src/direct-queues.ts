/**
 * Queues in memory of somebody else's: stage two of direct access. They are ordinary objects of the context that makes them, which
 * modifies, queries and ends them and gets their events; but posts and polls are for who has the memory, and answer EOPNOTSUPP here.
 * The checks are those of the ordinary verbs.
 */
import { assertCapability } from './assert-capability.ts';
import type { CqInitAttr } from './attributes/device.ts';
import type { QpInitAttr, SrqAttr, SrqInitAttr } from './attributes/qp.ts';
import { checkInstance, checkInteger } from './check.ts';
import { CompletionQueue } from './completion-queue.ts';
import type { Context } from './context.ts';
import { checkCqInit } from './create-cq.ts';
import { type CheckedQpInit, checkQpInit, checkXrcRecvInit } from './create-qp.ts';
import { checkSrqInit } from './create-srq.ts';
import type { RecvPath, SendPath } from './data-path.ts';
import type { CqCalls, QpCalls, SrqCalls } from './driver/data-path.ts';
import type { DirectQpOps, UserHalfHandle } from './driver/direct-access.ts';
import { Errno, VerbsError } from './errors.ts';
import { literalKeys } from './literal-keys.ts';
import type { ProtectionDomain } from './protection-domain.ts';
import { assertDirectAccess, callDirectAccess, QueueBuffer } from './queue-buffer.ts';
import { QueuePair } from './queue-pair.ts';
import { SharedReceiveQueue } from './shared-receive-queue.ts';
import type { XrcDomain } from './xrc-domain.ts';

const { EOPNOTSUPP } = Errno;
const VERB_CQ = 'ibv_create_cq';
const VERB_QP = 'ibv_create_qp';
const VERB_SRQ = 'ibv_create_srq';

/** How to make a CQ in memory of another: also what an extended one is asked for. */
export interface DirectCqInit extends CqInitAttr {
  /** See `CqExRequest`. */
  readonly timestamps?: boolean;
  /** See `CqExRequest`. */
  readonly ignoreOverrun?: boolean;
}

const CQ_KEYS = literalKeys<DirectCqInit>({
  cqe: true,
  channel: true,
  compVector: true,
  cqContext: true,
  timestamps: true,
  ignoreOverrun: true,
});

/** What a user half of the context's driver is made of. Throws EOPNOTSUPP on a device without direct access. */
export function userHalfOf(context: Context): UserHalfHandle {
  const verb = 'userHalfOf';
  context.assertLive(verb);
  return callDirectAccess(context, verb, ({ userHalf }) => userHalf);
}

/** How to ask the device for what it counts of a queue. */
const countsOf = new WeakMap<QueuePair | SharedReceiveQueue, Pick<DirectQpOps, 'taken' | 'payloadBytes'>>();

/**
 * How many work requests the device is done with of a QP (sends and receives) or an SRQ in memory of another, modulo 2^32; from 0 at create
 * and at reset. Undefined for queues whose posts go through verbs, and where the device does not tell.
 */
export function workRequestsTaken(queue: QueuePair | SharedReceiveQueue): number | undefined {
  return countsOf.get(queue)?.taken?.();
}

/**
 * How many bytes of payload the sends (also writes, reads and atomics) had that the device is done with of a QP in memory of another; from 0 at
 * create and at reset. Those that failed count nothing. Undefined for queues whose posts go through verbs, and where the device does not tell.
 */
export function payloadBytesDone(queue: QueuePair | SharedReceiveQueue): number | undefined {
  return countsOf.get(queue)?.payloadBytes?.();
}

/** As `context.createCq` and `createCqEx`, in `buffer`. */
export function createCqOn(buffer: QueueBuffer, init: DirectCqInit): CompletionQueue {
  const context = contextOf(VERB_CQ, buffer);
  const channel = checkCqInit(VERB_CQ, context, init, CQ_KEYS);
  const { cqe, compVector = 0, cqContext, timestamps = false, ignoreOverrun = false } = init;
  if (timestamps) assertCapability(context, VERB_CQ, 'completionTimestamps', 'leave the timestamps out');
  if (ignoreOverrun) assertCapability(context, VERB_CQ, 'extendedCq', 'leave ignoreOverrun out');
  buffer.assertFree(VERB_CQ, context);
  const request = { cqe, compVector, timestamps, ignoreOverrun };
  const ops = callDirectAccess(context, VERB_CQ, (direct) => direct.createCq(buffer.key, request));
  return new CompletionQueue(context, channel, { ...ops, dataPath: new ElsewhereCq() }, cqContext, context, buffer);
}

/** As `cq.resize`, to `buffer`; the former may be deregistered then. Throws EINVAL for a CQ that has memory of its own. */
export function resizeCqOn(buffer: QueueBuffer, cq: CompletionQueue, cqe: number): void {
  const verb = 'ibv_resize_cq';
  const context = contextOf(verb, buffer);
  checkInstance(verb, 'cq', cq, CompletionQueue);
  cq.moveTo(buffer, verb, () => {
    checkInteger(verb, 'cqe', cqe, 1, context.queryDevice().maxCqe, 'maxCqe of the device');
    buffer.assertFree(verb, cq.context);
    return callDirectAccess(context, verb, (direct) => direct.resizeCq(cq.handle, buffer.key, cqe));
  });
}

/** As `pd.createQp`, in `buffer`. */
export function createQpOn(buffer: QueueBuffer, pd: ProtectionDomain, init: QpInitAttr): QueuePair {
  contextOf(VERB_QP, buffer);
  pd.assertLive(VERB_QP);
  return bindElsewhere(buffer, pd, checkQpInit(pd, init));
}

/** As `xrcd.createQp`, in `buffer`. */
export function createXrcRecvQpOn(
  buffer: QueueBuffer,
  xrcd: XrcDomain,
  init: { readonly qpContext?: unknown } = {},
): QueuePair {
  contextOf(VERB_QP, buffer);
  xrcd.assertLive(VERB_QP);
  return bindElsewhere(buffer, xrcd, checkXrcRecvInit(xrcd, init.qpContext));
}

/** As `pd.createSrq`, in `buffer`. */
export function createSrqOn(buffer: QueueBuffer, pd: ProtectionDomain, init: SrqInitAttr): SharedReceiveQueue {
  const context = contextOf(VERB_SRQ, buffer);
  pd.assertLive(VERB_SRQ);
  const { attr, xrc } = checkSrqInit(pd, init);
  buffer.assertFree(VERB_SRQ, pd.context);
  const ops = callDirectAccess(context, VERB_SRQ, (direct) => direct.createSrq(buffer.key, pd.handle, attr, xrc));
  const dataPath: SrqCalls = { kind: 'calls', badWrIndex: 0, postRecv: () => EOPNOTSUPP };
  const srq = new SharedReceiveQueue(pd, { ...ops, dataPath }, init, buffer);
  countsOf.set(srq, ops);
  return srq;
}

/**
 * As `srq.modify` with another size, to `buffer`; the former may be deregistered then. A size that the present memory holds is for
 * `srq.modify`. Throws EINVAL for an SRQ that has memory of its own.
 */
export function resizeSrqOn(
  buffer: QueueBuffer,
  srq: SharedReceiveQueue,
  attr: Pick<SrqAttr, 'maxWr'> & Partial<Pick<SrqAttr, 'srqLimit'>>,
): void {
  const verb = 'ibv_modify_srq';
  const context = contextOf(verb, buffer);
  checkInstance(verb, 'srq', srq, SharedReceiveQueue);
  srq.moveTo(buffer, verb, attr, (mask) => {
    buffer.assertFree(verb, srq.context);
    return callDirectAccess(context, verb, (direct) => direct.resizeSrq(srq.handle, buffer.key, attr, mask));
  });
}

function contextOf(verb: string, buffer: QueueBuffer): Context {
  checkInstance(verb, 'buffer', buffer, QueueBuffer);
  buffer.assertLive(verb);
  assertDirectAccess(buffer.context, verb);
  return buffer.context;
}

function bindElsewhere(buffer: QueueBuffer, owner: ProtectionDomain | XrcDomain, checked: CheckedQpInit): QueuePair {
  const { init, request } = checked;
  buffer.assertFree(VERB_QP, owner.context);
  const ops = callDirectAccess(owner.context, VERB_QP, (direct) => direct.createQp(buffer.key, request));
  const { handle, qpNum, cap } = ops;
  const dataPath: QpCalls = {
    kind: 'calls',
    badWrIndex: 0,
    postSend: () => EOPNOTSUPP,
    postRecv: () => EOPNOTSUPP,
    state: () => ops.state(),
  };
  const [sendPath, recvPath] = [new ElsewhereSends(), new ElsewhereReceives()];
  const qp = new QueuePair(owner, { handle, qpNum, cap, init, dataPath, sendPath, recvPath, buffer });
  countsOf.set(qp, ops);
  return qp;
}

/** Sends that are posted elsewhere, whatever the state. */
class ElsewhereSends implements SendPath {
  readonly badWrIndex = 0;
  readonly badWr = null;
  post(): number {
    return EOPNOTSUPP;
  }
  append(): number {
    return EOPNOTSUPP;
  }
  setSgeList(): number {
    return EOPNOTSUPP;
  }
  setInlineData(): number {
    return EOPNOTSUPP;
  }
  complete(): number {
    return EOPNOTSUPP;
  }
  setReady(): void {} // who has the memory keeps books
  reset(): void {}
}

/** Receives that are posted elsewhere. */
class ElsewhereReceives implements RecvPath {
  readonly badWrIndex = 0;
  post(): number {
    return EOPNOTSUPP;
  }
  setReady(): void {} // as above
  reset(): void {}
}

/** Completions that are polled elsewhere. */
class ElsewhereCq implements CqCalls {
  readonly kind = 'calls';
  poll(): number {
    return -EOPNOTSUPP;
  }
  reqNotify(): void {
    const message = 'the memory of this CQ is of another, who polls and arms it';
    throw new VerbsError({ code: 'EOPNOTSUPP', verb: 'ibv_req_notify_cq', message, hint: 'arm where the memory is' });
  }
}
