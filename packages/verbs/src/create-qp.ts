/** Makes queue pairs: checks, asks the provider, and binds the data path. */
import { assertCapability } from './assert-capability.ts';
import type { QpInitAttr, QpOpenAttr } from './attributes/qp.ts';
import { assertOp, callOp } from './call-op.ts';
import { CallsRecvQueue } from './calls/calls-recv-queue.ts';
import { CallsSendQueue } from './calls/calls-send-queue.ts';
import { checkInstance, checkInteger, checkOneOf } from './check.ts';
import { CompletionQueue } from './completion-queue.ts';
import type { Context } from './context.ts';
import type { CapabilityName } from './driver/capabilities.ts';
import type { QpOps, QpRequest } from './driver/device-ops.ts';
import { QpType, qpTypeStr } from './enums/qp.ts';
import { SrqType } from './enums/srq.ts';
import { invalid } from './errors.ts';
import type { VerbsObject } from './lifetime.ts';
import { checkLiteral, literalKeys } from './literal-keys.ts';
import type { ProtectionDomain } from './protection-domain.ts';
import { checkCap } from './qp-attr-rules.ts';
import { QueuePair, type QueuePairInit } from './queue-pair.ts';
import { RingRecvQueue } from './rings/ring-recv-queue.ts';
import { RingSendBuilder } from './rings/ring-send-builder.ts';
import { QpSlots } from './rings/work-queue-slots.ts';
import { SharedReceiveQueue } from './shared-receive-queue.ts';
import type { XrcDomain } from './xrc-domain.ts';

const VERB = 'ibv_create_qp';
const QP_KEYS = literalKeys<QpInitAttr>({
  sendCq: true,
  recvCq: true,
  srq: true,
  cap: true,
  qpType: true,
  sqSigAll: true,
  qpContext: true,
});
const OPEN_KEYS = literalKeys<QpOpenAttr>({ qpNum: true, qpType: true, qpContext: true });
const QPN_MAX = 0xffffff;
/** An XRC_RECV queue pair has no queues. */
const NO_CAP = { maxSendWr: 0, maxRecvWr: 0, maxSendSge: 0, maxRecvSge: 0, maxInlineData: 0 };

/** What a type needs of the device. */
const CAPABILITY: Readonly<Partial<Record<QpType, CapabilityName>>> = {
  [QpType.RC]: 'rc',
  [QpType.UC]: 'uc',
  [QpType.UD]: 'ud',
  [QpType.XRC_SEND]: 'xrc',
  [QpType.XRC_RECV]: 'xrc',
};

/** See `ProtectionDomain.createQp`. */
export function createQueuePair(pd: ProtectionDomain, given: QpInitAttr): QueuePair {
  pd.assertLive(VERB);
  assertOp(pd.context, VERB, 'createQp');
  const checked = checkQpInit(pd, given);
  return bindQueuePair(pd, checked, callOp(pd.context, VERB, 'createQp', checked.request));
}

/** What a QP is asked for, once it was found right. */
export interface CheckedQpInit {
  readonly init: QueuePairInit;
  readonly request: QpRequest;
}

/** Checks what a QP is to be made of. */
export function checkQpInit(pd: ProtectionDomain, given: QpInitAttr): CheckedQpInit {
  const { context } = pd;
  checkLiteral(VERB, 'init', given, QP_KEYS);
  const init = given.qpType === QpType.XRC_SEND ? withoutReceives(given) : given;
  const { sendCq, recvCq, srq = null, qpType, sqSigAll = false } = init;
  checkType(context, qpType);
  checkObjects(pd, init);
  const cap = checkCap(VERB, context, init.cap);
  const request = {
    pd: pd.handle,
    sendCq: sendCq.handle,
    recvCq: recvCq?.handle ?? 0,
    srq: srq?.handle ?? null,
    xrcd: null,
    qpType,
    sqSigAll,
    cap,
  };
  return { init, request };
}

/** See `XrcDomain.createQp`. */
export function createXrcRecvQp(xrcd: XrcDomain, qpContext: unknown): QueuePair {
  xrcd.assertLive(VERB);
  assertOp(xrcd.context, VERB, 'createQp');
  const checked = checkXrcRecvInit(xrcd, qpContext);
  return bindQueuePair(xrcd, checked, callOp(xrcd.context, VERB, 'createQp', checked.request));
}

/** See `XrcDomain.openQp`. */
export function openXrcRecvQp(xrcd: XrcDomain, attr: QpOpenAttr): QueuePair {
  const verb = 'ibv_open_qp';
  xrcd.assertLive(verb);
  assertOp(xrcd.context, verb, 'openQp');
  checkLiteral(verb, 'attr', attr, OPEN_KEYS);
  const { qpNum, qpType = QpType.XRC_RECV, qpContext } = attr;
  checkInteger(verb, 'qpNum', qpNum, 1, QPN_MAX, '24 bits');
  if (qpType !== QpType.XRC_RECV)
    throw invalid(verb, `a queue pair of the type ${qpTypeStr(qpType)} is not opened`, 'XRC_RECV is');
  const checked = checkXrcRecvInit(xrcd, qpContext);
  const qp = bindQueuePair(xrcd, checked, callOp(xrcd.context, verb, 'openQp', xrcd.handle, qpNum));
  qp.query(); // it may be in any state
  return qp;
}

/** What an XRC_RECV QP is asked for. */
export function checkXrcRecvInit(xrcd: XrcDomain, qpContext: unknown): CheckedQpInit {
  const qpType = QpType.XRC_RECV;
  checkType(xrcd.context, qpType);
  const request = { pd: 0, sendCq: 0, recvCq: 0, srq: null, xrcd: xrcd.handle, qpType, sqSigAll: false, cap: NO_CAP };
  return { init: { qpType, cap: NO_CAP, qpContext }, request };
}

function bindQueuePair(owner: ProtectionDomain | XrcDomain, { init, request }: CheckedQpInit, ops: QpOps): QueuePair {
  const { context } = owner;
  const { qpType, sqSigAll } = request;
  const { srq } = init;
  const { handle, qpNum, dataPath } = ops;
  const domain = request.xrcd === null ? (owner as ProtectionDomain).domain : null;
  if (dataPath.kind === 'calls') {
    const sendPath = new CallsSendQueue(dataPath, ops.cap, domain);
    const recvPath = new CallsRecvQueue(dataPath);
    return new QueuePair(owner, { handle, qpNum, cap: ops.cap, init, dataPath, sendPath, recvPath });
  }
  const sendPath = new RingSendBuilder(dataPath, qpType, sqSigAll, domain);
  const recvPath = new RingRecvQueue(dataPath);
  // A receive of an XRC SRQ is found by that.
  if (qpType !== QpType.XRC_RECV)
    context.qpTable.add(new QpSlots(qpNum, sendPath.slots, recvPath.slots, srq?.slots ?? null));
  return new QueuePair(owner, { handle, qpNum, cap: ops.cap, init, dataPath, sendPath, recvPath });
}

/** XRC_SEND has no receive queue; as in C, what is said of one does not count. */
function withoutReceives({ recvCq, srq, ...init }: QpInitAttr): QpInitAttr {
  return init;
}

function checkType(context: Context, qpType: QpType): void {
  checkOneOf(VERB, 'qpType', qpType, QpType);
  const capability = CAPABILITY[qpType];
  if (capability === undefined) return;
  const hint = `device.supports() tells what ${context.device.name} can do`;
  assertCapability(context, VERB, capability, hint, `${qpTypeStr(qpType)} queue pairs`);
}

function checkObjects({ context }: ProtectionDomain, { sendCq, recvCq, srq, qpType }: QpInitAttr): void {
  if (qpType === QpType.XRC_RECV) throw invalid(VERB, 'an XRC_RECV queue pair has no PD', 'make it by xrcd.createQp()');
  const sends = qpType === QpType.XRC_SEND;
  for (const [what, object] of Object.entries({ sendCq, recvCq, srq })) {
    if (object == null) {
      if (what === 'sendCq' || (what === 'recvCq' && !sends)) throw invalid(VERB, `${what} is missing`);
      continue;
    }
    // The handle of another kind of object may be that of a CQ, too.
    checkInstance<VerbsObject>(VERB, what, object, what === 'srq' ? SharedReceiveQueue : CompletionQueue);
    object.assertLive(VERB);
    if (object instanceof SharedReceiveQueue && object.srqType !== SrqType.BASIC)
      throw invalid(VERB, `${object.label} is for XRC`, 'messages name it; make the QP with a basic SRQ');
    if (object.context !== context) throw invalid(VERB, `${what} is ${object.label} of another context`);
  }
}
