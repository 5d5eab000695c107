/** Makes shared receive queues: checks, and asks the provider. */
import { assertCapability } from './assert-capability.ts';
import type { SrqAttr, SrqInitAttr } from './attributes/qp.ts';
import { assertOp, callOp } from './call-op.ts';
import { checkInstance, checkInteger, checkOneOf } from './check.ts';
import { CompletionQueue } from './completion-queue.ts';
import type { XrcSrqRequest } from './driver/device-ops.ts';
import { SrqType } from './enums/srq.ts';
import { invalid, VerbsError } from './errors.ts';
import type { VerbsObject } from './lifetime.ts';
import { checkLiteral, literalKeys } from './literal-keys.ts';
import type { ProtectionDomain } from './protection-domain.ts';
import { SharedReceiveQueue } from './shared-receive-queue.ts';
import { XrcDomain } from './xrc-domain.ts';

const VERB = 'ibv_create_srq';
const SRQ_KEYS = literalKeys<SrqInitAttr>({ attr: true, srqType: true, xrcd: true, cq: true, srqContext: true });
const ATTR_KEYS = literalKeys<SrqAttr>({ maxWr: true, maxSge: true, srqLimit: true });

/** See `ProtectionDomain.createSrq`. */
export function createSharedReceiveQueue(pd: ProtectionDomain, init: SrqInitAttr): SharedReceiveQueue {
  pd.assertLive(VERB);
  assertOp(pd.context, VERB, 'createSrq');
  const { attr, xrc } = checkSrqInit(pd, init);
  return new SharedReceiveQueue(pd, callOp(pd.context, VERB, 'createSrq', pd.handle, attr, xrc), init);
}

/** Checks what an SRQ is to be made of. */
export function checkSrqInit(
  pd: ProtectionDomain,
  init: SrqInitAttr,
): { readonly attr: SrqAttr; readonly xrc: XrcSrqRequest | null } {
  checkLiteral(VERB, 'init', init, SRQ_KEYS);
  checkLiteral(VERB, 'attr', init.attr, ATTR_KEYS);
  const { maxSrqWr, maxSrqSge } = pd.context.queryDevice();
  const { maxWr, maxSge = 1, srqLimit = 0 } = init.attr;
  checkInteger(VERB, 'attr.maxWr', maxWr, 1, maxSrqWr, 'maxSrqWr of the device');
  checkInteger(VERB, 'attr.maxSge', maxSge, 0, maxSrqSge, 'maxSrqSge of the device');
  checkInteger(VERB, 'attr.srqLimit', srqLimit, 0, maxWr, 'maxWr');
  return { attr: { maxWr, maxSge, srqLimit }, xrc: xrcOf(pd, init) };
}

/** The parts of an XRC SRQ; null of a basic one, which has none of them. */
function xrcOf(pd: ProtectionDomain, { srqType = SrqType.BASIC, xrcd, cq }: SrqInitAttr): XrcSrqRequest | null {
  checkOneOf(VERB, 'srqType', srqType, SrqType);
  if (srqType === SrqType.BASIC) {
    if (xrcd == null && cq == null) return null;
    throw invalid(VERB, 'xrcd and cq are of an XRC SRQ', 'say srqType: SrqType.XRC, or leave them out');
  }
  const { device } = pd.context;
  if (srqType === SrqType.TM) {
    throw new VerbsError({ code: 'EOPNOTSUPP', verb: VERB, message: `${device.name} has no tag matching` });
  }
  assertCapability(pd.context, VERB, 'xrc', `device.supports() tells what ${device.name} can do`, 'XRC SRQs');
  checkPart(pd, 'xrcd', xrcd, XrcDomain);
  checkPart(pd, 'cq', cq, CompletionQueue);
  return { xrcd: xrcd!.handle, cq: cq!.handle };
}

function checkPart<T extends VerbsObject & { readonly context: unknown }>(
  { context }: ProtectionDomain,
  what: string,
  part: unknown,
  type: abstract new (...args: never[]) => T,
): void {
  checkInstance<T>(VERB, what, part, type);
  part.assertLive(VERB);
  if (part.context !== context) throw invalid(VERB, `${what} is ${part.label} of another context`);
}
