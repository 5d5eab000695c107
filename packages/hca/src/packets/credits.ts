/**
 * End-to-end credits (IBTA 9.7.7.2): a responder says in its acknowledges how many receive WQEs it has, and a requester sends no more
 * messages that take one.
 *
 * Both count messages: the requester those that it has begun (SSN), the responder those that it has completed (MSN). MSN plus credits
 * is the SSN up to which the requester may go (LSN, its limit); one message more may be begun, a limited one, so that somebody asks
 * when no credits are left. RNR NAKs are there for it, and for whoever does not count.
 */
import {
  addPsn,
  AETH_KIND_MASK,
  AETH_VALUE_MASK,
  AethKind,
  comparePsn,
  CREDIT_CODE_UNLIMITED,
  creditCode,
  creditCount,
} from '@openverbs/rocev2';
import { QpDoorbellRecord, QP_STATE_STARVED } from '@openverbs/verbs/rings';
import { Qpc, QpcType } from '../layout.ts';
import { Opcode } from '../opcode.ts';
import { Qpt } from './layout.ts';

const { SSN, LSN } = Qpt;
const { RECORD, RQ_CONSUMER, RQ_LOG2_COUNT } = Qpc;
/** LSN when the peer counts no credits. */
const UNLIMITED = -1;

/**
 * What the responder at `p` says in an acknowledge. When it has no receive WQE left, the host is asked for a doorbell with the next
 * one, so that the requester hears of it.
 */
export function acknowledge(i32: Int32Array, p: number, t: number): number {
  // What lies in a shared queue is for others as well: it gives no credits.
  if ((i32[p + Qpc.SRQ] | i32[p + Qpc.XRCD]) !== 0) return CREDIT_CODE_UNLIMITED;
  const posted = receivesPosted(i32, p);
  if (posted !== 0) return creditCode(posted);
  i32[t + Qpt.STARVED] = 1;
  Atomics.store(i32, i32[p + RECORD] + QpDoorbellRecord.STATE, i32[p + Qpc.STATE] | QP_STATE_STARVED);
  // A receive that was posted before the host could see that is not missed.
  return creditCode(receivesPosted(i32, p));
}

/** A receive was posted to the QP at `p`, says a doorbell: true when its requester was told that there was none. */
export function isRelieved(i32: Int32Array, p: number, t: number): boolean {
  if (i32[t + Qpt.STARVED] === 0) return false;
  i32[t + Qpt.STARVED] = 0;
  Atomics.store(i32, i32[p + RECORD] + QpDoorbellRecord.STATE, i32[p + Qpc.STATE]);
  return true;
}

/** Before the first message the requester knows of no credits; XRC has none. */
export function startCredits(i32: Int32Array, q: number, t: number): void {
  i32[t + SSN] = 0;
  i32[t + LSN] = i32[q + Qpc.TYPE] === QpcType.XRC_SEND ? UNLIMITED : 0;
}

/** Takes what an AETH grants. An old one that comes late takes nothing back. */
export function takeCredits(i32: Int32Array, t: number, syndrome: number, msn: number): void {
  if ((syndrome & AETH_KIND_MASK) !== AethKind.ACK || i32[t + LSN] === UNLIMITED) return;
  const code = syndrome & AETH_VALUE_MASK;
  if (code === CREDIT_CODE_UNLIMITED) {
    i32[t + LSN] = UNLIMITED;
    return;
  }
  const limit = addPsn(msn, creditCount(code));
  if (comparePsn(limit, i32[t + LSN]) > 0) i32[t + LSN] = limit;
}

/**
 * Whether the next message may be begun. When nothing is under way it may, whatever the limit says: no acknowledge would come that
 * moves it.
 */
export function mayBegin(i32: Int32Array, t: number, opcode: number): boolean {
  return !takesReceive(opcode) || !isLimited(i32, t) || i32[t + Qpt.UNACKED] === i32[t + Qpt.NEXT];
}

/** LSN after a message has begun: one that takes no receive WQE moves the MSN, and the limit with it. */
export function limitAfter(i32: Int32Array, t: number, opcode: number): number {
  const lsn = i32[t + LSN];
  return lsn === UNLIMITED || takesReceive(opcode) ? lsn : addPsn(lsn, 1);
}

/** Whether the newest message, if it takes a receive WQE, is one for which there were no credits. */
export function isLimited(i32: Int32Array, t: number): boolean {
  return i32[t + LSN] !== UNLIMITED && comparePsn(i32[t + SSN], i32[t + LSN]) > 0;
}

/** Whether a message of this operation takes a receive WQE of the peer. */
export function takesReceive(opcode: number): boolean {
  return (opcode !== Opcode.RDMA_WRITE && opcode < Opcode.RDMA_READ) || opcode === Opcode.SEND_WITH_INV;
}

/** Receive WQEs that lie in the QP's own queue; a doorbell record that claims more than the ring holds gets what it holds. */
function receivesPosted(i32: Int32Array, p: number): number {
  const producer = Atomics.load(i32, i32[p + RECORD] + QpDoorbellRecord.RQ_PRODUCER);
  return Math.min((producer - i32[p + RQ_CONSUMER]) >>> 0, 1 << i32[p + RQ_LOG2_COUNT]);
}
