/**
 * The model of completions: which may come for what was posted in one direction of a round. Written from the verbs' semantics
 * (IBTA volume 1, 10.8, 11.6; the man pages), and from nothing of the device.
 */
import { WcFlags, WcOpcode, WcStatus, wcStatusStr } from 'openverbs';
import { isLocal, operates } from './operations.ts';
import { hear, lengthOf } from './program.ts';
import type { Mistake } from './program.ts';
import { Deviation } from './record.ts';
import type { Completion, Lane, ReceiveRecord, RoundRecord, SendRecord } from './record.ts';

const { SUCCESS, WR_FLUSH_ERR, RETRY_EXC_ERR, RNR_RETRY_EXC_ERR } = WcStatus;
const { REM_ACCESS_ERR, REM_INV_REQ_ERR, REM_OP_ERR, LOC_PROT_ERR, LOC_LEN_ERR } = WcStatus;
const RNR_RETRY_INFINITE = 7;
/** Retries that outlast what is bad of the weather. */
const RETRIES_ENOUGH = 6;

/** Status of an operation with a mistake, and of the receive that it takes. */
const OUTCOMES: Readonly<Record<Mistake, { readonly send: number; readonly receive?: number }>> = {
  rkey: { send: REM_ACCESS_ERR },
  range: { send: REM_ACCESS_ERR },
  access: { send: REM_ACCESS_ERR },
  unaligned: { send: REM_INV_REQ_ERR },
  lkey: { send: LOC_PROT_ERR },
  short: { send: REM_INV_REQ_ERR, receive: LOC_LEN_ERR },
  window: { send: REM_ACCESS_ERR },
  recvKey: { send: REM_OP_ERR, receive: LOC_PROT_ERR },
  srqn: { send: REM_INV_REQ_ERR },
};

/** How much of a direction is known to be done: the rest may be. */
export interface Known {
  /** Sends that succeeded, so that responses have come too. */
  readonly succeeded: number;
  /** Sends that were carried out for sure. */
  readonly done: number;
  /** From here on none can have been. */
  readonly possible: number;
  /** Receives that were completed with success. */
  readonly received: number;
}

/** Whether anything happened in a round that may fail work requests. */
export function isTroubled(record: RoundRecord, isLossy: boolean): boolean {
  return (
    record.cutOff ||
    record.breakages.length > 0 ||
    record.ends.some(({ sends }) => sends.some(({ operation }) => operation.mistake !== null)) ||
    (isLossy && record.plan.retryCnt < RETRIES_ENOUGH) ||
    hasFewRnrRetries(record)
  );
}

/**
 * XRC: puts the receives, which come from several queues, into the order of the operations that took them. Each queue gives its own in
 * order, and the operations take theirs in order: once one has none, none behind it has.
 */
export function orderReceives(lane: Lane): void {
  const { receives } = lane.responder;
  const left = [...receives];
  receives.length = 0;
  for (const { operation } of takers(lane)) {
    const at = left.findIndex(({ srq }) => srq === operation.srq);
    if (at < 0) break;
    receives.push(...left.splice(at, 1));
  }
  if (left.length > 0)
    throw deviation(lane, 'recv-extra', `${left.length} receives were taken by nothing, or too early`);
}

/** Checks the completions of a direction. */
export function checkCompletions(lane: Lane, isLossy: boolean): Known {
  const succeeded = checkSends(lane, isLossy);
  const received = checkReceives(lane, isLossy);
  const taking = takers(lane);
  const last = received === 0 ? 0 : lane.requester.sends.indexOf(taking[received - 1]) + 1;
  const isHeard = hear(lane.record.plan);
  // Nothing goes to a peer that does not hear.
  const first = lane.requester.sends.findIndex(({ operation: { mistake, opcode } }) =>
    isHeard ? mistake !== null : !isLocal(opcode),
  );
  const { sends } = lane.requester;
  // An operation whose receive is too small may have left some of its message behind, and nothing comes after it.
  const possible = first < 0 ? sends.length : first;
  const done = Math.max(succeeded, last);
  if (done > possible) {
    throw deviation(lane, 'done', `${describe(sends[possible])} was carried out, although it can't be`);
  }
  if (!lane.responder.destroyed) checkTaken(lane, succeeded, received);
  return { succeeded, done, possible, received };
}

/** Sends that take receives. */
export function takers({ requester }: Lane): SendRecord[] {
  return requester.sends.filter(({ operation }) => operation.receive !== null);
}

/** Successes, then perhaps an error, then flushes. Answers how many succeeded, those without completions among them. */
export function checkSends(lane: Lane, isLossy: boolean): number {
  const { requester, record } = lane;
  let done = 0;
  let failed = false;
  // Those before it without completions have succeeded, since an error would have flushed them.
  const fail = (index: number): void => {
    if (!failed) done = index;
    failed = true;
  };
  requester.sends.forEach((send, index) => {
    const { completion } = send;
    if (completion === null) {
      const mayBeSilent = !send.signaled && (!failed || requester.destroyed);
      if (!mayBeSilent && !requester.destroyed) throw deviation(lane, 'missing', `no completion for ${describe(send)}`);
      return;
    }
    checkNumber(lane, requester.qpNum, completion);
    if (completion.status === SUCCESS) {
      if (failed) throw deviation(lane, 'order', `${describe(send)} succeeded behind a failed one`);
      if (!send.signaled)
        throw deviation(lane, 'unsignaled', `a completion for ${describe(send)}, which asked for none`);
      checkSuccess(lane, send, completion);
      done = index + 1;
    } else if (completion.status === WR_FLUSH_ERR) {
      const mayFlush = requester.failed && isTroubled(record, isLossy);
      if (!mayFlush) throw deviation(lane, 'flush', `${describe(send)} was flushed`);
      fail(index);
    } else {
      if (failed)
        throw deviation(lane, 'second', `a second error, ${wcStatusStr(completion.status)}, of ${describe(send)}`);
      if (!isAllowed(lane, send, completion.status, isLossy)) {
        throw deviation(lane, 'status', `'${wcStatusStr(completion.status)}' of ${describe(send)}`);
      }
      if (!requester.failed && !requester.destroyed)
        throw deviation(lane, 'state', `${describe(send)} failed, and its QP is not in ERR`);
      fail(index);
    }
  });
  return done;
}

/** Whether an operation may end in this error. */
function isAllowed(lane: Lane, send: SendRecord, status: number, isLossy: boolean): boolean {
  const { responder, record } = lane;
  const { mistake } = send.operation;
  if (mistake !== null && status === OUTCOMES[mistake].send) return true;
  if (status === RETRY_EXC_ERR) {
    return (
      responder.failed || responder.destroyed || record.cutOff || (isLossy && record.plan.retryCnt < RETRIES_ENOUGH)
    );
  }
  return status === RNR_RETRY_EXC_ERR && hasFewRnrRetries(record) && send.operation.receive !== null;
}

function checkSuccess(lane: Lane, send: SendRecord, completion: Completion): void {
  const { opcode, pieces, mistake } = send.operation;
  if (mistake !== null) throw deviation(lane, 'success', `${describe(send)} succeeded`);
  const { completesAs: expected, moves } = operates(opcode);
  if (completion.opcode !== expected) {
    throw deviation(lane, 'opcode', `opcode ${completion.opcode} instead of ${expected} of ${describe(send)}`);
  }
  if ((moves === 'fromAddress' || moves === 'old') && completion.byteLen !== lengthOf(pieces)) {
    throw deviation(lane, 'byteLen', `byteLen ${completion.byteLen} of ${describe(send)}`);
  }
}

/** Receives are taken in order, by the operations in order. Answers how many succeeded. */
function checkReceives(lane: Lane, isLossy: boolean): number {
  const { responder, record } = lane;
  const taking = takers(lane);
  let received = 0;
  let failed = false;
  responder.receives.forEach((receive, index) => {
    const { completion } = receive;
    if (completion === null) return;
    checkNumber(lane, responder.qpNum, completion);
    if (completion.status === SUCCESS) {
      if (failed || received !== index) throw deviation(lane, 'recv-order', `receive ${index} succeeded out of order`);
      if (index >= taking.length) throw deviation(lane, 'recv-extra', `receive ${index} was taken by nothing`);
      checkReceive(lane, receive, taking[index], completion);
      received++;
    } else {
      const mistake = receive.operation?.mistake ?? null;
      const isMistaken = mistake !== null && completion.status === OUTCOMES[mistake].receive;
      const isFlush = completion.status === WR_FLUSH_ERR && isTroubled(record, isLossy) && responder.failed;
      if (isMistaken ? failed || received !== index : !isFlush) {
        throw deviation(lane, 'recv-status', `'${wcStatusStr(completion.status)}' of receive ${index}`);
      }
      failed = true;
    }
  });
  return received;
}

function checkReceive(lane: Lane, receive: ReceiveRecord, send: SendRecord, completion: Completion): void {
  const { opcode, pieces, imm, mistake } = send.operation;
  const { moves, hasImm, invalidates } = operates(opcode);
  const expected = {
    opcode: moves === 'toReceive' ? WcOpcode.RECV : WcOpcode.RECV_RDMA_WITH_IMM,
    byteLen: lengthOf(pieces),
    wcFlags: hasImm ? WcFlags.WITH_IMM : invalidates ? WcFlags.WITH_INV : 0,
    ...(hasImm && { immData: imm }),
    ...(invalidates && { immData: send.invalidates }),
  };
  const found = completion as unknown as Record<string, unknown>;
  for (const [field, value] of Object.entries(expected)) {
    if (found[field] === value) continue;
    throw deviation(lane, 'recv-field', `${field} ${String(found[field])} instead of ${value}, for ${describe(send)}`);
  }
  if (mistake !== null) throw deviation(lane, 'recv-success', `${describe(send)} was received`);
  if (receive.operation !== null && receive.step !== send.step)
    throw deviation(lane, 'recv-other', `${describe(send)} took another receive`);
}

/** What succeeded at one end has taken its receives at the other. */
function checkTaken(lane: Lane, done: number, received: number): void {
  const taken = lane.requester.sends.slice(0, done).filter(({ operation }) => operation.receive !== null).length;
  if (taken > received)
    throw deviation(
      lane,
      'unreceived',
      `${taken} operations that take receives succeeded, and ${received} were received`,
    );
}

function checkNumber(lane: Lane, qpNum: number, completion: Completion): void {
  if (completion.qpNum !== qpNum) throw deviation(lane, 'qpNum', `qpNum ${completion.qpNum} instead of ${qpNum}`);
}

/** Whether a receiver that is not ready may fail a round. */
function hasFewRnrRetries({ plan, ends }: RoundRecord): boolean {
  const takes = ends.some(({ sends }) => sends.some(({ operation }) => operation.receive !== null));
  return plan.rnrRetry !== RNR_RETRY_INFINITE && takes;
}

/** An operation, for people. */
export function describe({ step, operation }: SendRecord): string {
  const mistake = operation.mistake === null ? '' : ` with the mistake '${operation.mistake}'`;
  return `${operates(operation.opcode).name} of ${lengthOf(operation.pieces)} bytes (step ${step})${mistake}`;
}

/** A deviation of a direction. */
export function deviation({ record, side }: Lane, kind: string, message: string): Deviation {
  return new Deviation(kind, `connection ${record.connection}, round ${record.round}, from end ${side}: ${message}`);
}
