/** Makes queue pairs: checks, asks the provider, and binds the data path. */
import { assertCapability } from './assert-capability.ts';
import type { QpInitAttr } from './attributes/qp.ts';
import { assertOp, callOp } from './call-op.ts';
import { CallsRecvQueue } from './calls/calls-recv-queue.ts';
import { CallsSendQueue } from './calls/calls-send-queue.ts';
import { checkInstance, checkOneOf } from './check.ts';
import { CompletionQueue } from './completion-queue.ts';
import type { CapabilityName } from './driver/capabilities.ts';
import { QpType, qpTypeStr } from './enums/qp.ts';
import { invalid } from './errors.ts';
import type { VerbsObject } from './lifetime.ts';
import type { ProtectionDomain } from './protection-domain.ts';
import { checkCap } from './qp-attr-rules.ts';
import { QueuePair } from './queue-pair.ts';
import { RingRecvQueue } from './rings/ring-recv-queue.ts';
import { RingSendBuilder } from './rings/ring-send-builder.ts';
import { QpSlots } from './rings/work-queue-slots.ts';
import { SharedReceiveQueue } from './shared-receive-queue.ts';

const VERB = 'ibv_create_qp';

/** What a type needs of the device. */
const CAPABILITY: Readonly<Partial<Record<QpType, CapabilityName>>> = {
  [QpType.RC]: 'rc',
  [QpType.UC]: 'uc',
  [QpType.UD]: 'ud',
  [QpType.XRC_SEND]: 'xrc',
  [QpType.XRC_RECV]: 'xrc',
};

/** See `ProtectionDomain.createQp`. */
export function createQueuePair(pd: ProtectionDomain, init: QpInitAttr): QueuePair {
  pd.assertLive(VERB);
  const { context } = pd;
  assertOp(context, VERB, 'createQp');
  const { sendCq, recvCq, srq = null, qpType, sqSigAll = false } = init;
  checkType(pd, qpType);
  checkObjects(pd, init);
  const cap = checkCap(VERB, context, init.cap);
  const ops = callOp(context, VERB, 'createQp', {
    pd: pd.handle,
    sendCq: sendCq.handle,
    recvCq: recvCq.handle,
    srq: srq?.handle ?? null,
    qpType,
    sqSigAll,
    cap,
  });
  const { handle, qpNum, dataPath } = ops;
  if (dataPath.kind === 'calls') {
    const sendPath = new CallsSendQueue(dataPath, ops.cap);
    const recvPath = new CallsRecvQueue(dataPath);
    return new QueuePair(pd, { handle, qpNum, cap: ops.cap, init, dataPath, sendPath, recvPath });
  }
  const sendPath = new RingSendBuilder(dataPath, qpType, sqSigAll);
  const recvPath = new RingRecvQueue(dataPath);
  context.qpTable.add(new QpSlots(qpNum, sendPath.slots, recvPath.slots, srq?.slots ?? null));
  return new QueuePair(pd, { handle, qpNum, cap: ops.cap, init, dataPath, sendPath, recvPath });
}

function checkType({ context }: ProtectionDomain, qpType: QpType): void {
  checkOneOf(VERB, 'qpType', qpType, QpType);
  const capability = CAPABILITY[qpType];
  if (capability === undefined) return;
  const hint = `device.supports() tells what ${context.device.name} can do`;
  assertCapability(context, VERB, capability, hint, `${qpTypeStr(qpType)} queue pairs`);
}

function checkObjects({ context }: ProtectionDomain, { sendCq, recvCq, srq }: QpInitAttr): void {
  for (const [what, object] of Object.entries({ sendCq, recvCq, srq })) {
    if (object == null) {
      if (what !== 'srq') throw invalid(VERB, `${what} is missing`);
      continue;
    }
    // The handle of another kind of object may be that of a CQ, too.
    checkInstance<VerbsObject>(VERB, what, object, what === 'srq' ? SharedReceiveQueue : CompletionQueue);
    object.assertLive(VERB);
    if (object.context !== context) throw invalid(VERB, `${what} is ${object.label} of another context`);
  }
}
