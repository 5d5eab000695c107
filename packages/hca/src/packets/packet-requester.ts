/**
 * The requester of packets: cuts the WQEs of a send queue into packets, within the window, and sends again what was lost.
 *
 * A WQE gets its PSNs once, when its first packet goes out; from then on the device goes by its own copy of what the PSNs mean. The
 * WQE is fetched and checked again whenever a run of its packets is sent: its owner may have spoiled it.
 */
import type { Machine } from '@openverbs/machine';
import { addPsn, comparePsn, packetCount, psnDistance } from '@openverbs/rocev2';
import { CqeSyndrome, QpDoorbellRecord, SendWqe, VendorErr } from '@openverbs/verbs/rings';
import { AsyncEvent } from '../async-event.ts';
import type { Completer } from '../completer.ts';
import { Count, type Counters } from '../counters.ts';
import { Qpc, QpcState, QpcType, Waiting } from '../layout.ts';
import type { LocalOperations } from '../local-operations.ts';
import { Opcode, SendFlag, WC_OPCODE } from '../opcode.ts';
import type { QpStateMachine } from '../qp-state.ts';
import { ackTimeoutNs } from '../retry-timer.ts';
import { LOCAL_OPERATION, type SendWqeFetcher } from '../send-wqe-fetcher.ts';
import type { TimerQueue } from '../timer-queue.ts';
import { isLimited, limitAfter, mayBegin, startCredits, takesReceive } from './credits.ts';
import type { FramePort } from './frame-port.ts';
import { Qpt, Slot } from './layout.ts';
import { ACK_REQ_PACKETS, FRAMES_RESERVED, WINDOW_PACKETS } from './limits.ts';
import { Part, wireOpcode } from './wire-opcode.ts';

const { STATE, SQ_CONSUMER, SQ_PSN, PATH_MTU, WAITING, SQ_BASE, SQ_LOG2_COUNT, SQ_LOG2_WORDS, RECORD, TYPE } = Qpc;
const { UNACKED, NEXT, SEND_INDEX, ASSIGNED, READS, STARTED, SSN, LSN } = Qpt;
const { RTS, SQD } = QpcState;
const { RDMA_READ, ATOMIC_CMP_AND_SWP, FLUSH, ATOMIC_WRITE } = Opcode;
const FLAGS_SHIFT = 8;
const SRQN_MAX = 0xffffff;

export class PacketRequester {
  readonly #i32: Int32Array;
  readonly #port: FramePort;
  readonly #wqe: SendWqeFetcher;
  readonly #local: LocalOperations;
  readonly #completer: Completer;
  readonly #states: QpStateMachine;
  readonly #timers: TimerQueue;
  readonly #counters: Counters;
  readonly #nowNs: () => number;

  constructor(parts: {
    machine: Machine;
    port: FramePort;
    wqe: SendWqeFetcher;
    local: LocalOperations;
    completer: Completer;
    states: QpStateMachine;
    timers: TimerQueue;
    counters: Counters;
    nowNs: () => number;
  }) {
    this.#i32 = parts.machine.i32;
    this.#port = parts.port;
    this.#wqe = parts.wqe;
    this.#local = parts.local;
    this.#completer = parts.completer;
    this.#states = parts.states;
    this.#timers = parts.timers;
    this.#counters = parts.counters;
    this.#nowNs = parts.nowNs;
  }

  /** Sends what the QP at `q` may send, up to `budget` packets; true when budget or frames ended it. */
  run(q: number, t: number, budget: number): boolean {
    const i32 = this.#i32;
    if (!this.#maySend(q, t)) return false;
    let fetched = -1;
    let left = budget;
    for (;;) {
      const index = i32[t + SEND_INDEX];
      if (index === i32[t + ASSIGNED]) {
        if (!this.#assign(q, t, index)) break;
        if (i32[t + SEND_INDEX] !== index) continue; // done without a packet
        fetched = index;
      } else if (fetched !== index) {
        if (!this.#fetchAgain(q, t, index)) break;
        fetched = index;
      }
      if (!this.#isAllowed(q, t, index)) break;
      if (left-- === 0 || this.#port.frames.available <= FRAMES_RESERVED) {
        this.startTimer(q, t);
        return true;
      }
      this.#sendPacket(q, t, index);
    }
    this.startTimer(q, t);
    return false;
  }

  /** Word index of the slot of a WQE. */
  slot(q: number, t: number, index: number): number {
    const mask = (1 << this.#i32[q + SQ_LOG2_COUNT]) - 1;
    return this.#i32[t + Qpt.SLOTS] + (index & mask) * Slot.WORDS;
  }

  /** Word index of a WQE in its ring. */
  wqeAt(q: number, index: number): number {
    const i32 = this.#i32;
    return i32[q + SQ_BASE] + ((index & ((1 << i32[q + SQ_LOG2_COUNT]) - 1)) << i32[q + SQ_LOG2_WORDS]);
  }

  /** Begins again at the oldest packet that is not acknowledged. */
  rewind(q: number, t: number): void {
    const i32 = this.#i32;
    i32[t + SEND_INDEX] = i32[q + SQ_CONSUMER];
    i32[t + NEXT] = i32[t + UNACKED];
    i32[t + READS] = 0;
  }

  /** Starts the retransmission timer if something is under way and it does not run. */
  startTimer(q: number, t: number): void {
    const i32 = this.#i32;
    if (i32[q + WAITING] !== Waiting.NOT || i32[t + UNACKED] === i32[t + NEXT]) return;
    i32[q + WAITING] = Waiting.RESPONSE;
    const waitNs = ackTimeoutNs(i32[q + Qpc.TIMEOUT]);
    if (waitNs !== Infinity) this.#timers.start(q, this.#nowNs() + waitNs);
  }

  /** The WQE at the head failed: its completion, the QP's error state, and the flush of what stands behind it. */
  fail(q: number, index: number, opcode: number, syndrome: number, vendorErr: number): void {
    this.#completer.enterError(q, -1);
    this.#states.settle(q);
    this.#completer.prepareSend(q, index, opcode, syndrome, vendorErr, 0);
    this.#completer.commit(q, 0, 0);
    this.#states.flush(q);
  }

  /** After a thread died: UNACKED is at least where the WQE at the head begins, and everything behind it is sent again. */
  recover(q: number, t: number): void {
    const i32 = this.#i32;
    if (i32[t + STARTED] === 0) return;
    const index = i32[q + SQ_CONSUMER];
    if (((i32[t + ASSIGNED] - index) | 0) < 0) i32[t + ASSIGNED] = index;
    const first = index === i32[t + ASSIGNED] ? i32[q + SQ_PSN] : i32[this.slot(q, t, index) + Slot.FIRST_PSN];
    if (comparePsn(i32[t + UNACKED], first) < 0) i32[t + UNACKED] = first;
    i32[t + Qpt.RESENT_AT] = 0;
    this.rewind(q, t);
  }

  #maySend(q: number, t: number): boolean {
    const i32 = this.#i32;
    const state = i32[q + STATE];
    if (state === QpcState.ERR) {
      this.#states.flush(q);
      return false;
    }
    if ((state !== RTS && state !== SQD) || i32[q + WAITING] === Waiting.RNR) return false;
    if (i32[q + TYPE] === QpcType.XRC_RECV) return false; // it has no send queue, whatever its doorbell record says
    if (i32[t + STARTED] === 0) {
      i32[t + UNACKED] = i32[t + NEXT] = i32[t + Qpt.SENT] = i32[q + SQ_PSN];
      i32[t + SEND_INDEX] = i32[t + ASSIGNED] = i32[q + SQ_CONSUMER];
      i32[t + READS] = i32[t + Qpt.RESENT_AT] = 0;
      i32[q + Qpc.WAIT_REASON] = VendorErr.NO_RESPONSE;
      startCredits(i32, q, t);
      i32[t + STARTED] = 1;
      this.#states.settle(q);
    }
    return true;
  }

  /** Gives the next WQE its PSNs; false when there is none, it has to wait, or it failed. */
  #assign(q: number, t: number, index: number): boolean {
    const i32 = this.#i32;
    const producer = Atomics.load(i32, i32[q + RECORD] + QpDoorbellRecord.SQ_PRODUCER);
    if (index === producer || i32[q + STATE] === SQD) return false;
    if ((producer - i32[q + SQ_CONSUMER]) >>> 0 > 1 << i32[q + SQ_LOG2_COUNT]) {
      this.#states.fail(q, AsyncEvent.QP_FATAL); // a doorbell record that claims more than the ring holds
      return false;
    }
    const wqe = this.#wqe;
    const failed = wqe.fetch(q, this.wqeAt(q, index));
    if (failed === LOCAL_OPERATION) return this.#executeLocal(q, t, index);
    if (failed !== 0) return this.#refuse(q, index, wqe.syndrome, failed);
    const { opcode, flags } = wqe.request;
    if ((flags & SendFlag.FENCE) !== 0 && i32[t + READS] !== 0) return false; // IBTA 10.8.3.3
    if (!mayBegin(i32, t, opcode)) return false;
    const isOne = isResponded(opcode) && opcode !== RDMA_READ;
    const packets = isOne ? 1 : packetCount(wqe.list.length, i32[q + PATH_MTU]);
    const s = this.slot(q, t, index);
    const nextPsn = addPsn(i32[q + SQ_PSN], packets);
    const ssn = addPsn(i32[t + SSN], 1);
    const lsn = limitAfter(i32, t, opcode);
    i32[s + Slot.FIRST_PSN] = i32[q + SQ_PSN];
    i32[s + Slot.PACKETS] = packets;
    i32[s + Slot.OPCODE] = opcode | (flags << FLAGS_SHIFT);
    i32[s + Slot.LENGTH] = wqe.list.length;
    // Stores only: a thread does not die in the middle of them.
    i32[q + SQ_PSN] = nextPsn;
    i32[t + SSN] = ssn;
    i32[t + LSN] = lsn;
    i32[t + ASSIGNED] = (index + 1) | 0;
    return true;
  }

  /** BIND_MW and LOCAL_INV: in their turn, since completions keep the order, and without a PSN. */
  #executeLocal(q: number, t: number, index: number): boolean {
    const i32 = this.#i32;
    if (index !== i32[q + SQ_CONSUMER]) return false;
    const failed = this.#local.execute(q, index);
    if (failed !== 0) return this.#refuse(q, index, this.#wqe.syndrome, failed);
    // A thread that dies between the commit and these stores leaves what `recover` mends.
    i32[t + ASSIGNED] = i32[t + SEND_INDEX] = (index + 1) | 0;
    if (i32[q + STATE] !== QpcState.ERR) return true;
    this.#states.flush(q); // its CQ overran
    return false;
  }

  /** Fetches a WQE whose packets have PSNs already; false when it is not what it was. */
  #fetchAgain(q: number, t: number, index: number): boolean {
    const i32 = this.#i32;
    const wqe = this.#wqe;
    const failed = wqe.fetch(q, this.wqeAt(q, index));
    if (failed !== 0) return this.#refuse(q, index, wqe.syndrome, failed);
    const s = this.slot(q, t, index);
    const same = wqe.request.opcode === (i32[s + Slot.OPCODE] & 0xff) && (wqe.list.length | 0) === i32[s + Slot.LENGTH];
    return same || this.#refuse(q, index, CqeSyndrome.LOCAL_QP_OP_ERR, VendorErr.WQE_CHANGED);
  }

  /** A bad WQE fails when those before it are done, since completions keep the order. */
  #refuse(q: number, index: number, syndrome: number, vendorErr: number): boolean {
    if (index !== this.#i32[q + SQ_CONSUMER]) return false;
    const wqe = this.#wqe;
    this.#completer.faultKey = wqe.faultKey;
    this.#completer.faultAddrLo = wqe.faultAddrLo;
    this.#completer.faultAddrHi = wqe.faultAddrHi;
    this.fail(q, index, WC_OPCODE[wqe.request.opcode >>> 0] ?? 0, syndrome, vendorErr);
    return false;
  }

  /** Whether the window, the credits, and for reads and atomics the peer's resources, take another packet of the WQE. */
  #isAllowed(q: number, t: number, index: number): boolean {
    const i32 = this.#i32;
    const s = this.slot(q, t, index);
    const opcode = i32[s + Slot.OPCODE] & 0xff;
    if (isResponded(opcode) && i32[t + READS] >= i32[q + Qpc.MAX_RD_ATOMIC]) return false;
    const next = i32[t + NEXT];
    if (next !== i32[s + Slot.FIRST_PSN] && next !== i32[t + UNACKED] && this.#isLimited(t, index, opcode))
      return false;
    return psnDistance(i32[t + UNACKED], next) < WINDOW_PACKETS;
  }

  /** Whether there were no credits for a message: its packets go one by one, each after the acknowledge of the one before. */
  #isLimited(t: number, index: number, opcode: number): boolean {
    return takesReceive(opcode) && isLimited(this.#i32, t) && ((index + 1) | 0) === this.#i32[t + ASSIGNED];
  }

  #sendPacket(q: number, t: number, index: number): void {
    const i32 = this.#i32;
    const s = this.slot(q, t, index);
    const { out } = this.#port;
    const { request, list } = this.#wqe;
    const opcode = i32[s + Slot.OPCODE] & 0xff;
    const packets = i32[s + Slot.PACKETS];
    const n = psnDistance(i32[s + Slot.FIRST_PSN], i32[t + NEXT]);
    const offset = n * (1 << (7 + i32[q + PATH_MTU]));
    const isRead = opcode === RDMA_READ;
    const last = isRead || n === packets - 1;
    let part: number = n === 0 ? Part.FIRST : Part.MIDDLE;
    if (last) part = n === 0 || isRead ? Part.ONLY : Part.LAST;
    out.opcode = wireOpcode(i32[q + TYPE], opcode, part);
    out.psn = i32[t + NEXT];
    out.destQpn = i32[q + Qpc.DEST_QPN];
    out.solicited = last && (request.flags & SendFlag.SOLICITED) !== 0 ? 1 : 0;
    out.ackReq = last || (n + 1) % ACK_REQ_PACKETS === 0 || this.#isLimited(t, index, opcode) ? 1 : 0;
    out.imm = out.invalidateRkey = request.imm;
    if (i32[q + TYPE] === QpcType.XRC_SEND) this.#setSrq(i32[this.wqeAt(q, index) + SendWqe.REMOTE_SRQN]);
    this.#setRemote(opcode, offset, list.length - offset);
    const hasPayload = !isResponded(opcode) || opcode === ATOMIC_WRITE;
    const length = hasPayload ? Math.min(list.length - offset, 1 << (7 + i32[q + PATH_MTU])) : 0;
    this.#port.send(q, t, list, offset, length);
    this.#advance(q, t, isRead ? packets - n : 1);
    if (isResponded(opcode)) i32[t + READS]++;
    if (last) i32[t + SEND_INDEX] = (index + 1) | 0;
  }

  /** XRCETH. A number of more than 24 bits is that of no SRQ, and no part of it may become somebody's. */
  #setSrq(srqn: number): void {
    this.#port.out.xrcSrqn = srqn >>> 0 > SRQN_MAX ? 0 : srqn;
  }

  /** The next packet is `psns` later. */
  #advance(q: number, t: number, psns: number): void {
    const i32 = this.#i32;
    if (comparePsn(i32[t + NEXT], i32[t + Qpt.SENT]) < 0) this.#counters.add(q, Count.RETRANSMITTED_PKTS);
    i32[t + NEXT] = addPsn(i32[t + NEXT], psns);
    if (comparePsn(i32[t + NEXT], i32[t + Qpt.SENT]) > 0) i32[t + Qpt.SENT] = i32[t + NEXT];
  }

  /** RETH, FETH and AtomicETH: of a read that begins again, only the rest is asked for. */
  #setRemote(opcode: number, offset: number, length: number): void {
    const { out } = this.#port;
    const { request } = this.#wqe;
    const sum = (request.remoteAddrLo >>> 0) + offset;
    out.vaLo = sum | 0;
    out.vaHi = (request.remoteAddrHi + Math.floor(sum / 4294967296)) | 0;
    out.rkey = request.rkey;
    out.dmaLength = length | 0;
    if (opcode < ATOMIC_CMP_AND_SWP) return;
    if (opcode === FLUSH) {
      out.dmaLength = request.flushLength;
      out.placement = request.placement;
      out.selectivity = request.selectivity;
      return;
    }
    // One field of the AtomicETH is what is swapped in or added (IBTA 9.4.5.1).
    const swaps = opcode === ATOMIC_CMP_AND_SWP;
    out.swapLo = swaps ? request.swapLo : request.compareAddLo;
    out.swapHi = swaps ? request.swapHi : request.compareAddHi;
    out.compareLo = swaps ? request.compareAddLo : 0;
    out.compareHi = swaps ? request.compareAddHi : 0;
  }
}

/** Whether an operation has a response of its own, so that an acknowledge does not complete it. */
export function isResponded(opcode: number): boolean {
  return (opcode >= RDMA_READ && opcode <= Opcode.ATOMIC_FETCH_AND_ADD) || opcode >= FLUSH;
}

/** Whether that response has no data: a flush or an atomic write was done (IBTA annex A19). */
export function isRespondedEmpty(opcode: number): boolean {
  return opcode >= FLUSH;
}
