/** Makes completion queues: checks, and asks the provider. */
import { assertCapability } from './assert-capability.ts';
import type { CqInitAttr, CqInitAttrEx } from './attributes/device.ts';
import { assertOp, callOp } from './call-op.ts';
import { checkFlags, checkInstance, checkInteger, U32_MAX } from './check.ts';
import { CompletionChannel } from './completion-channel.ts';
import { CompletionQueue } from './completion-queue.ts';
import { CompletionQueueEx } from './completion-queue-ex.ts';
import type { Context } from './context.ts';
import { CreateCqFlags, WC_STANDARD_FLAGS, WcExFlags } from './enums/cq.ts';
import { namedBits } from './enums/named-bits.ts';
import { invalid } from './errors.ts';
import { checkLiteral, type LiteralKeys, literalKeys } from './literal-keys.ts';
import { ParentDomain } from './parent-domain.ts';
import { type LeftOutVerb, refuseLeftOut } from './left-out.ts';

const VERB_EX = 'ibv_create_cq_ex';
const WC_KNOWN = namedBits(WcExFlags);
const FLAGS_KNOWN = namedBits(CreateCqFlags);
const CQ_KEYS = literalKeys<CqInitAttr>({ cqe: true, channel: true, compVector: true, cqContext: true });
const CQ_EX_KEYS = literalKeys<CqInitAttrEx>({
  cqe: true,
  channel: true,
  compVector: true,
  cqContext: true,
  wcFlags: true,
  flags: true,
  parentDomain: true,
});
const TIMES = WcExFlags.COMPLETION_TIMESTAMP | WcExFlags.COMPLETION_TIMESTAMP_WALLCLOCK;

/** Parts of completions that are left out, by the verb that would read them. */
const LEFT_OUT_PARTS: readonly (readonly [flag: number, verb: LeftOutVerb])[] = [
  [WcExFlags.CVLAN, 'ibv_wc_read_cvlan'],
  [WcExFlags.FLOW_TAG, 'ibv_wc_read_flow_tag'],
  [WcExFlags.TM_INFO, 'ibv_wc_read_tm_info'],
];

/** See `Context.createCq`. */
export function createCompletionQueue(context: Context, init: CqInitAttr): CompletionQueue {
  const verb = 'ibv_create_cq';
  context.assertLive(verb);
  assertOp(context, verb, 'createCq');
  const channel = checkCqInit(verb, context, init, CQ_KEYS);
  const { cqe, compVector = 0, cqContext } = init;
  return new CompletionQueue(context, channel, callOp(context, verb, 'createCq', { cqe, compVector }), cqContext);
}

/** See `Context.createCqEx`. */
export function createCompletionQueueEx(context: Context, init: CqInitAttrEx): CompletionQueueEx {
  context.assertLive(VERB_EX);
  assertOp(context, VERB_EX, 'createCqEx');
  const channel = checkCqInit(VERB_EX, context, init, CQ_EX_KEYS);
  const { cqe, compVector = 0, cqContext, wcFlags = WC_STANDARD_FLAGS, flags = 0, parentDomain = null } = init;
  checkFlags(VERB_EX, 'wcFlags', wcFlags, WcExFlags, WC_KNOWN);
  checkFlags(VERB_EX, 'flags', flags, CreateCqFlags, FLAGS_KNOWN);
  if (parentDomain !== null) {
    checkInstance(VERB_EX, 'parentDomain', parentDomain, ParentDomain);
    parentDomain.assertLive(VERB_EX);
    if (parentDomain.context !== context) throw invalid(VERB_EX, `${parentDomain.label} is of another context`);
  }
  for (const [flag, verb] of LEFT_OUT_PARTS) if ((wcFlags & flag) !== 0) refuseLeftOut(verb);
  const timestamps = (wcFlags & TIMES) !== 0;
  if (timestamps) assertCapability(context, VERB_EX, 'completionTimestamps', 'leave the timestamps out of wcFlags');
  const ignoreOverrun = (flags & CreateCqFlags.IGNORE_OVERRUN) !== 0;
  const ops = callOp(context, VERB_EX, 'createCqEx', { cqe, compVector, timestamps, ignoreOverrun });
  return new CompletionQueueEx(context, channel, ops, { wcFlags, cqContext, owner: parentDomain ?? context });
}

/** Checks what every CQ is asked for; answers its channel. */
export function checkCqInit(
  verb: string,
  context: Context,
  init: CqInitAttr,
  keys: LiteralKeys,
): CompletionChannel | null {
  checkLiteral(verb, 'init', init, keys);
  const { cqe, channel = null, compVector = 0 } = init;
  checkInteger(verb, 'cqe', cqe, 1, context.queryDevice().maxCqe, 'maxCqe of the device');
  checkInteger(verb, 'compVector', compVector, 0, U32_MAX);
  if (channel === null) return null;
  checkInstance(verb, 'channel', channel, CompletionChannel);
  channel.assertLive(verb);
  if (channel.context !== context) throw invalid(verb, 'the channel is of another context');
  return channel;
}
