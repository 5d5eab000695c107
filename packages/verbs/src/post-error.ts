/** Explains why a post was refused. Slow on purpose: the post itself only returned a number. */
import { ENDLESS, isEndless } from './chain.ts';
import { enumName } from './enums/name-of.ts';
import { MwType } from './enums/mw.ts';
import { QpState, qpStateStr, QpType, qpTypeStr } from './enums/qp.ts';
import { SendFlags, WrOpcode } from './enums/wr.ts';
import { Errno, errnoName, VerbsError } from './errors.ts';
import type { QpCap } from './attributes/qp.ts';
import type { ProtectionDomain } from './protection-domain.ts';
import { isFlush } from './rings/is-flush.ts';
import type { RecvWr } from './recv-wr.ts';
import { flushReason, type Reason, recvFault, type SendFacts, sendFacts } from './send-facts.ts';
import type { SendWr } from './send-wr.ts';

/** A QP, as far as an explanation needs it. */
export interface PostedQp {
  readonly label: string;
  readonly destroyed: boolean;
  readonly state: number;
  readonly qpType: number;
  readonly cap: QpCap;
  /** Its protection domain; an XRC_RECV queue pair has none. */
  readonly pd: ProtectionDomain | null;
  /** Whether `wrStart` was called and the building goes on. */
  readonly building: boolean;
}

/** The error of a work request that can't even be copied: what is wrong with it, and which one it was. */
export function postFault(verb: string, badWrIndex: number, error: unknown): VerbsError {
  const { code, hint, details } = VerbsError.is(error) ? error : { code: 'EINVAL' as const, hint: '', details: {} };
  const message = `work request ${badWrIndex}: ${error instanceof Error ? error.message : String(error)}`;
  return new VerbsError({ code, verb, message, hint, details: { ...details, badWrIndex }, cause: error });
}

/** The error of more work requests in one post than the queue has room for. */
export function queueFull(max: number): VerbsError {
  return new VerbsError({ code: 'ENOMEM', message: `one post of more than the queue holds, ${max}` });
}

/** The error of a refused send. `bad` is what is known of the work request, or what is wrong. */
export function postSendError(
  verb: string,
  errno: number,
  badWrIndex: number,
  qp: PostedQp,
  bad: SendFacts | Reason,
): VerbsError {
  const [message, hint] = sendReason(verb, errno, qp, bad);
  return new VerbsError({
    code: errnoName(errno),
    verb,
    message: `${qp.label}, work request ${badWrIndex}: ${message}`,
    hint,
    details: { badWrIndex },
  });
}

/** The error of a refused chain of sends, whose first one is given. */
export function postChainError(
  verb: string,
  errno: number,
  badWrIndex: number,
  qp: PostedQp,
  first: SendWr | null,
): VerbsError {
  if (errno === Errno.ENOMEM && first !== null && isEndless(first))
    return postSendError(verb, Errno.EINVAL, badWrIndex, qp, ENDLESS);
  const bad = wrAt(first, badWrIndex);
  return postSendError(verb, errno, badWrIndex, qp, bad === null ? ['the provider refused it', ''] : sendFacts(bad));
}

function sendReason(verb: string, errno: number, qp: PostedQp, bad: SendFacts | Reason): Reason {
  if (qp.destroyed) return ['the QP is already destroyed', ''];
  if (errno === Errno.EOPNOTSUPP) return ELSEWHERE;
  if (errno === Errno.ENOMEM) return fullReason(verb, qp.cap.maxSendWr);
  if (qp.state <= QpState.RTR) return [`a QP in ${qpStateStr(qp.state)} takes no sends`, 'modify it to RTS first'];
  if (isReason(bad)) return bad;
  if (qp.building && verb === 'ibv_post_send')
    return ['wrStart was called, and neither wrComplete nor wrAbort', 'end that first'];
  if (qp.cap.maxSendWr === 0) return NO_SENDS;
  if (errno === Errno.EFAULT) return ['inline data is not in memory of this program', 'give it as inlineData'];
  return invalidReason(qp, bad);
}

/** A queue of direct access, at the context that it was made with. */
const ELSEWHERE: Reason = ['its memory is of another, who posts there', 'post where the memory is'];
const NO_SENDS: Reason = ['the send queue has room for none', 'give cap.maxSendWr to createQp'];

function fullReason(verb: string, maxSendWr: number): Reason {
  if (maxSendWr === 0) return NO_SENDS;
  if (verb === 'ibv_wr_complete') {
    const message = `the list and what is outstanding are more than ${maxSendWr} (cap.maxSendWr)`;
    return [message, 'poll completions, or complete shorter lists'];
  }
  const hint = 'poll completions; one that is not signaled is freed by the next completion';
  return [`the send queue is full, ${maxSendWr} are outstanding (cap.maxSendWr)`, hint];
}

function isReason(bad: SendFacts | Reason): bad is Reason {
  return Array.isArray(bad);
}

function invalidReason(qp: PostedQp, facts: SendFacts): Reason {
  const { qpType, cap } = qp;
  const { opcode, sgeCount, inlineBytes, ah } = facts;
  const inline = (facts.sendFlags & SendFlags.INLINE) !== 0;
  if (facts.hasInlineData && !inline) return ['it has inlineData but not the flag', 'add SendFlags.INLINE'];
  const atomic = opcode === WrOpcode.ATOMIC_CMP_AND_SWP || opcode === WrOpcode.ATOMIC_FETCH_AND_ADD;
  if (opcode === WrOpcode.FLUSH || opcode === WrOpcode.ATOMIC_WRITE) return withoutListReason(qpType, facts);
  if (inline && inlineBytes > cap.maxInlineData) {
    return [`${inlineBytes} bytes of inline data; the limit is ${cap.maxInlineData} (cap.maxInlineData)`, ''];
  }
  if (!inline && sgeCount > cap.maxSendSge) {
    return [`${sgeCount} SGEs; the limit is ${cap.maxSendSge} (cap.maxSendSge)`, ''];
  }
  if (atomic && sgeCount !== 1) return [`an atomic operation has one SGE, not ${sgeCount}`, ''];
  if (qpType === QpType.UD && (ah === null || ah.destroyed)) {
    const message = `a datagram needs an address handle${ah === null ? '' : ' that lives'}`;
    return [message, 'set ah, remoteQpn and remoteQkey'];
  }
  if (ah !== null) {
    const foreign = foreignReason(qp, ah);
    if (foreign !== null) return foreign;
  }
  if (opcode === WrOpcode.BIND_MW) return bindReason(qp, facts);
  const name = enumName(WrOpcode, opcode);
  return [`opcode ${name} is not one that this ${qpTypeStr(qpType)} QP can do${inline ? ' inline' : ''}`, ''];
}

function withoutListReason(qpType: number, facts: SendFacts): Reason {
  const { opcode, sgeCount, inlineBytes, flushType, flushLevel } = facts;
  const inline = (facts.sendFlags & SendFlags.INLINE) !== 0;
  if (opcode === WrOpcode.FLUSH) {
    if (inline || sgeCount > 0) return ['FLUSH with SGEs or inline data', 'leave them out'];
    if (!isFlush(flushType, flushLevel)) return flushReason(flushType, flushLevel);
  } else {
    if (inline && inlineBytes !== 8) return [`an atomic write is of 8 bytes, not ${inlineBytes}`, ''];
    if (!inline && sgeCount !== 1)
      return [`an atomic write has one SGE or 8 bytes of inline data, not ${sgeCount} SGEs`, ''];
  }
  return [`opcode ${enumName(WrOpcode, opcode)} is not one that this ${qpTypeStr(qpType)} QP can do`, ''];
}

/** Something that a work request names, of another PD, context or device than the QP; null when it is of the same. */
function foreignReason(
  { label, pd }: PostedQp,
  object: { readonly label: string; readonly pd: ProtectionDomain },
): Reason | null {
  if (pd === null || object.pd.domain === pd.domain) return null;
  const hint = 'make both in one protection domain';
  const [there, here] = [object.pd.context, pd.context];
  if (there === here) return [`${object.label} is of ${object.pd.label}, and ${label} of ${pd.label}`, hint];
  const { name } = here.device;
  const other = there.device === here.device ? 'another context of ' : there.device.name === name ? 'another ' : '';
  const far = `${object.pd.label} of ${other}${there.device.name}`;
  return [`${object.label} is of ${far}, and ${label} of ${pd.label} of ${name}`, hint];
}

function bindReason(qp: PostedQp, { bind, sgeCount, hasInlineData }: SendFacts): Reason {
  if (bind === null) return ['BIND_MW without bindMw', 'say which window is to show what'];
  if (sgeCount > 0 || hasInlineData) return ['BIND_MW with SGEs or inline data', 'leave them out'];
  const { mw, mr } = bind;
  if (mw.destroyed || mr?.destroyed === true) return [`${(mw.destroyed ? mw : mr)?.label} is already destroyed`, ''];
  const foreign = foreignReason(qp, mw) ?? (mr === null ? null : foreignReason(qp, mr));
  if (foreign !== null) return foreign;
  if (mw.type !== MwType.TYPE_2) return [`${mw.label} is of type 1`, 'use qp.bindMw()'];
  return ['BIND_MW is not an operation that this QP can do', ''];
}

/** A queue of receives, as far as an explanation needs it. */
export interface PostedRecvQueue {
  readonly label: string;
  readonly destroyed: boolean;
  /** Whether it is that of a QP in RESET. */
  readonly reset: boolean;
  /** What messages call the SRQ of a QP that has one; else nothing. */
  readonly srq?: string | undefined;
  readonly maxWr: number;
  readonly maxSge: number;
}

/** The error of a refused receive; `first` is that of the chain. */
export function postRecvError(
  verb: string,
  errno: number,
  badWrIndex: number,
  queue: PostedRecvQueue,
  first: RecvWr | null,
): VerbsError {
  const endless = errno === Errno.ENOMEM && first !== null && isEndless(first);
  const [message, hint] = endless ? ENDLESS : recvReason(errno, queue, wrAt(first, badWrIndex));
  return new VerbsError({
    code: endless ? 'EINVAL' : errnoName(errno),
    verb,
    message: `${queue.label}, work request ${badWrIndex}: ${message}`,
    hint,
    details: { badWrIndex },
  });
}

function recvReason(errno: number, queue: PostedRecvQueue, bad: RecvWr | null): Reason {
  if (queue.destroyed) return ['it is already destroyed', ''];
  if (errno === Errno.ENOMEM) return [`the queue is full, ${queue.maxWr} are outstanding`, 'poll completions'];
  if (errno === Errno.EOPNOTSUPP) return ELSEWHERE;
  if (queue.srq !== undefined) return [`the QP's receives come from ${queue.srq}`, 'post them there'];
  if (queue.reset) return ['a QP in RESET takes no receives', 'modify it to INIT first'];
  if (queue.maxWr === 0) return ['the receive queue has room for none', 'give cap.maxRecvWr to createQp'];
  const fault = bad === null ? null : recvFault(bad);
  return fault ?? [`too many SGEs; the limit is ${queue.maxSge}`, ''];
}

function wrAt<Wr extends { readonly next: Wr | null }>(first: Wr | null, index: number): Wr | null {
  let wr = first;
  for (let i = 0; i < index && wr !== null; i++) wr = wr.next;
  return wr;
}
