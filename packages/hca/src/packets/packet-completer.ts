/**
 * The completer of packets: what the peer answers, and the timer when it does not (IBTA 9.7.5.2, 9.9.2; Linux rxe_comp.c).
 */
import type { Machine } from '@openverbs/machine';
import {
  addPsn,
  AETH_KIND_MASK,
  AETH_VALUE_MASK,
  AethKind,
  comparePsn,
  Opcode as Wire,
  OPCODE_INFO,
  OpcodeFlag,
  operationOf,
  psnDistance,
} from '@openverbs/rocev2';
import { CqeSyndrome, VendorErr } from '@openverbs/verbs/rings';
import type { Completer } from '../completer.ts';
import { Count, type Counters } from '../counters.ts';
import type { DmaEngine } from '../dma-engine.ts';
import { EngineHeader, Qpc, QpcState, Waiting } from '../layout.ts';
import { Opcode, SendFlag, WC_OPCODE, WC_SEND } from '../opcode.ts';
import type { PathMigration } from '../path-migration.ts';
import type { QpStateMachine } from '../qp-state.ts';
import { RNR_RETRY_INFINITE, rnrTimerNs } from '../retry-timer.ts';
import { ScatterList } from '../scatter-list.ts';
import type { SendWqeFetcher } from '../send-wqe-fetcher.ts';
import { Aeth } from '../syndrome.ts';
import type { TimerQueue } from '../timer-queue.ts';
import { takeCredits } from './credits.ts';
import type { FramePort } from './frame-port.ts';
import { Qpt, Slot } from './layout.ts';
import { isResponded, isRespondedEmpty, type PacketRequester } from './packet-requester.ts';

const { STATE, SQ_CONSUMER, PATH_MTU, WAITING, RETRIES_LEFT, RETRY_CNT, RNR_RETRIES_LEFT, RNR_RETRY } = Qpc;
const { UNACKED, NEXT, SEND_INDEX, ASSIGNED, READS, STARTED, RESENT_AT } = Qpt;
const { RTS, SQD, ERR } = QpcState;
const FLAGS_SHIFT = 8;

/** What a NAK means for the WQE (IBTA table 58), and what the completion says of it. */
const NAKS: Readonly<Record<number, readonly [syndrome: number, vendorErr: number]>> = {
  [Aeth.NAK_INVALID_REQUEST]: [CqeSyndrome.REMOTE_INVAL_REQ_ERR, VendorErr.NAK_INVALID_REQUEST],
  [Aeth.NAK_REMOTE_ACCESS]: [CqeSyndrome.REMOTE_ACCESS_ERR, VendorErr.NAK_REMOTE_ACCESS],
};
const OTHER_NAK = [CqeSyndrome.REMOTE_OP_ERR, VendorErr.REMOTE_OPERATION] as const;

/** Operations that name memory of the peer. */
const REMOTE: Readonly<Record<number, boolean>> = {
  [Opcode.RDMA_WRITE]: true,
  [Opcode.RDMA_WRITE_WITH_IMM]: true,
  [Opcode.RDMA_READ]: true,
  [Opcode.ATOMIC_CMP_AND_SWP]: true,
  [Opcode.ATOMIC_FETCH_AND_ADD]: true,
  [Opcode.FLUSH]: true,
  [Opcode.ATOMIC_WRITE]: true,
};

export class PacketCompleter {
  readonly #i32: Int32Array;
  readonly #port: FramePort;
  readonly #requester: PacketRequester;
  readonly #wqe: SendWqeFetcher;
  readonly #dma: DmaEngine;
  readonly #completer: Completer;
  readonly #states: QpStateMachine;
  readonly #timers: TimerQueue;
  readonly #migration: PathMigration;
  readonly #counters: Counters;
  readonly #nowNs: () => number;
  readonly #payload = new ScatterList();
  /** Where an atomic's old value waits for its way to the SGE. */
  readonly #result: number;

  constructor(parts: {
    machine: Machine;
    engine: number;
    port: FramePort;
    requester: PacketRequester;
    wqe: SendWqeFetcher;
    dma: DmaEngine;
    completer: Completer;
    states: QpStateMachine;
    timers: TimerQueue;
    migration: PathMigration;
    counters: Counters;
    nowNs: () => number;
  }) {
    this.#i32 = parts.machine.i32;
    this.#port = parts.port;
    this.#requester = parts.requester;
    this.#wqe = parts.wqe;
    this.#dma = parts.dma;
    this.#completer = parts.completer;
    this.#states = parts.states;
    this.#timers = parts.timers;
    this.#migration = parts.migration;
    this.#counters = parts.counters;
    this.#nowNs = parts.nowNs;
    this.#result = parts.engine + EngineHeader.ATOMIC_RESULT;
  }

  /** The response packet that the port has read, for the QP at `q`. */
  receive(q: number, t: number): void {
    const i32 = this.#i32;
    const state = i32[q + STATE];
    if (i32[t + STARTED] === 0 || (state !== RTS && state !== SQD)) return;
    const packet = this.#port.in;
    const info = OPCODE_INFO[packet.opcode];
    const isGhost = comparePsn(packet.psn, i32[t + Qpt.SENT]) >= 0;
    // Credits also of an acknowledge that nobody asked for, which tells of receives that were posted (IBTA 9.7.7.2).
    if (!isGhost && (info & OpcodeFlag.HAS_AETH) !== 0) takeCredits(i32, t, packet.syndrome, packet.msn);
    // What was never sent is not answered, and what is done needs no answer (IBTA 9.7.5.2, ghost acknowledges).
    if (isGhost || comparePsn(packet.psn, i32[t + UNACKED]) < 0) {
      this.#ghost(q, t);
      return;
    }
    if (operationOf(packet.opcode) === Wire.RC_ACKNOWLEDGE) this.#acknowledge(q, t);
    else if (!this.#passed(q, t, addPsn(packet.psn, -1))) this.#resend(q, t);
    else if ((info & OpcodeFlag.READ) !== 0) this.#readResponse(q, t, info);
    else this.#atomicResponse(q, t);
    if (i32[q + STATE] === ERR) this.#states.flush(q);
    else if (i32[q + STATE] === SQD && i32[q + SQ_CONSUMER] === i32[t + ASSIGNED]) this.#states.drained(q);
  }

  /** The timer of the QP at `q` has run out. True when the QP has something to send. */
  expire(q: number, t: number): boolean {
    const i32 = this.#i32;
    const waiting = i32[q + WAITING];
    const state = i32[q + STATE];
    if (waiting === Waiting.NOT || i32[t + STARTED] === 0 || (state !== RTS && state !== SQD)) return false;
    i32[q + WAITING] = Waiting.NOT;
    if (waiting === Waiting.RESPONSE) {
      if (i32[t + UNACKED] === i32[t + NEXT] && i32[t + UNACKED] === i32[t + Qpt.SENT]) return false;
      if (i32[q + RETRIES_LEFT] === 0 && this.#migration.onFailure(q)) i32[q + RETRIES_LEFT] = i32[q + RETRY_CNT] + 1;
      if (i32[q + RETRIES_LEFT] === 0) {
        this.#counters.add(q, Count.RETRY_EXCEEDED_ERR);
        this.#fail(q, t, CqeSyndrome.RETRY_EXC_ERR, i32[q + Qpc.WAIT_REASON]);
        return false;
      }
      i32[q + RETRIES_LEFT] = i32[q + RETRIES_LEFT] - 1;
      this.#counters.add(q, Count.COMPLETER_RETRY_ERR);
    }
    i32[t + RESENT_AT] = 0;
    this.#requester.rewind(q, t);
    return true;
  }

  /**
   * An answer to what was never sent, or a peer that waits for what is long gone: unless there is progress, the two ends were
   * connected with different PSNs.
   */
  #ghost(q: number, t: number): void {
    const { psn, opcode, syndrome } = this.#port.in;
    const waitsForGone = operationOf(opcode) === Wire.RC_ACKNOWLEDGE && syndrome === Aeth.NAK_PSN_SEQUENCE;
    if (comparePsn(psn, this.#i32[t + Qpt.SENT]) >= 0 || waitsForGone)
      this.#i32[q + Qpc.WAIT_REASON] = VendorErr.PSN_MISMATCH;
  }

  #acknowledge(q: number, t: number): void {
    const { psn, syndrome } = this.#port.in;
    const kind = syndrome & AETH_KIND_MASK;
    if (kind === AethKind.ACK) {
      if (!this.#passed(q, t, psn)) this.#resend(q, t);
      return;
    }
    if (!this.#passed(q, t, addPsn(psn, -1)) || syndrome === Aeth.NAK_PSN_SEQUENCE) {
      if (syndrome === Aeth.NAK_PSN_SEQUENCE) this.#counters.add(q, Count.RCVD_SEQ_ERR);
      this.#resend(q, t);
    } else if (kind === AethKind.RNR_NAK) this.#waitForReceiver(q, t, syndrome & AETH_VALUE_MASK);
    else if (kind === AethKind.NAK && this.#i32[q + SQ_CONSUMER] !== this.#i32[t + ASSIGNED]) {
      const [cqeSyndrome, vendorErr] = NAKS[syndrome] ?? OTHER_NAK;
      this.#refused(q, t, cqeSyndrome, vendorErr);
    }
  }

  /**
   * Everything up to a PSN has arrived: completes the WQEs that end there. False when a read or an atomic is among them whose
   * response has not come: it was lost.
   */
  #passed(q: number, t: number, psn: number): boolean {
    const i32 = this.#i32;
    while (comparePsn(psn, i32[t + UNACKED]) >= 0 && i32[q + SQ_CONSUMER] !== i32[t + ASSIGNED]) {
      const s = this.#requester.slot(q, t, i32[q + SQ_CONSUMER]);
      if (isResponded(i32[s + Slot.OPCODE] & 0xff)) return false;
      const end = addPsn(i32[s + Slot.FIRST_PSN], i32[s + Slot.PACKETS]);
      if (comparePsn(psn, addPsn(end, -1)) < 0) {
        this.#moveOn(q, t, addPsn(psn, 1));
        return true;
      }
      this.#complete(q, t, s, end);
      if (i32[q + STATE] === ERR) return true;
    }
    return true;
  }

  /** The WQE at the head is done; the next one begins at PSN `end`. */
  #complete(q: number, t: number, s: number, end: number): void {
    const i32 = this.#i32;
    const index = i32[q + SQ_CONSUMER];
    const opcode = i32[s + Slot.OPCODE] & 0xff;
    const signaled = ((i32[s + Slot.OPCODE] >>> FLAGS_SHIFT) & SendFlag.SIGNALED) !== 0;
    if (WC_OPCODE[opcode] === WC_SEND) this.#counters.add(q, Count.RDMA_SENDS);
    // A thread that dies between this commit and the stores below leaves what `recover` mends.
    this.#completer.complete(q, 0, 0, signaled, index, WC_OPCODE[opcode], i32[s + Slot.LENGTH] >>> 0);
    if (i32[t + SEND_INDEX] === index) i32[t + SEND_INDEX] = (index + 1) | 0;
    else if (isResponded(opcode) && i32[t + READS] !== 0) i32[t + READS]--;
    this.#moveOn(q, t, end);
  }

  /** Progress: the oldest packet under way is another one, and all retries are there again. */
  #moveOn(q: number, t: number, unacked: number): void {
    const i32 = this.#i32;
    i32[t + UNACKED] = unacked;
    i32[q + Qpc.WAIT_REASON] = VendorErr.NO_RESPONSE;
    if (comparePsn(i32[t + NEXT], unacked) < 0) i32[t + NEXT] = unacked;
    i32[q + RETRIES_LEFT] = i32[q + RETRY_CNT];
    i32[q + RNR_RETRIES_LEFT] = i32[q + RNR_RETRY];
    this.#stopTimer(q);
  }

  /** Something was lost on the way: begins again there, once until there is progress or the timer runs out. */
  #resend(q: number, t: number): void {
    const i32 = this.#i32;
    if (i32[t + RESENT_AT] === i32[t + UNACKED] + 1) return;
    i32[t + RESENT_AT] = i32[t + UNACKED] + 1;
    this.#counters.add(q, Count.COMPLETER_RETRY_ERR);
    this.#requester.rewind(q, t);
    // What is sent now has all of the time for its answer: else it would go a third time before that can be there.
    this.#stopTimer(q);
  }

  /** The retransmission timer; the requester starts it again if something is under way. */
  #stopTimer(q: number): void {
    if (this.#i32[q + WAITING] !== Waiting.RESPONSE) return;
    this.#timers.stop(q);
    this.#i32[q + WAITING] = Waiting.NOT;
  }

  #waitForReceiver(q: number, t: number, timer: number): void {
    const i32 = this.#i32;
    if (i32[q + SQ_CONSUMER] === i32[t + ASSIGNED] || i32[q + WAITING] === Waiting.RNR) return;
    this.#counters.add(q, Count.RCVD_RNR_ERR);
    if (i32[q + RNR_RETRIES_LEFT] === 0) {
      this.#counters.add(q, Count.RETRY_RNR_EXCEEDED_ERR);
      this.#fail(q, t, CqeSyndrome.RNR_RETRY_EXC_ERR, VendorErr.RNR);
      return;
    }
    if (i32[q + RNR_RETRIES_LEFT] !== RNR_RETRY_INFINITE) i32[q + RNR_RETRIES_LEFT] = i32[q + RNR_RETRIES_LEFT] - 1;
    // The peer is there: what was lost before counts no more, however long it takes to get ready.
    i32[q + RETRIES_LEFT] = i32[q + RETRY_CNT];
    i32[q + WAITING] = Waiting.RNR;
    this.#requester.rewind(q, t);
    this.#timers.start(q, this.#nowNs() + rnrTimerNs(timer));
  }

  /** Everything before it is complete; it must be the next response of the read at the head. */
  #readResponse(q: number, t: number, info: number): void {
    const i32 = this.#i32;
    const { psn, payloadAt, payloadLength } = this.#port.in;
    if (psn !== i32[t + UNACKED]) return this.#resend(q, t);
    const index = i32[q + SQ_CONSUMER];
    const s = this.#requester.slot(q, t, index);
    const opcode = i32[s + Slot.OPCODE] & 0xff;
    if (index === i32[t + ASSIGNED]) return this.#badResponse(q, t);
    if (isRespondedEmpty(opcode)) return this.#emptyResponse(q, t, s);
    if (opcode !== Opcode.RDMA_READ) return this.#badResponse(q, t);
    const n = psnDistance(i32[s + Slot.FIRST_PSN], psn);
    const mtu = 1 << (7 + i32[q + PATH_MTU]);
    const offset = n * mtu;
    const last = n === i32[s + Slot.PACKETS] - 1;
    const expected = last ? (i32[s + Slot.LENGTH] >>> 0) - offset : mtu;
    const ends = (info & (OpcodeFlag.LAST | OpcodeFlag.ONLY)) !== 0;
    if (payloadLength !== expected || ends !== last) return this.#badResponse(q, t);
    this.#payload.setRun(payloadAt, payloadLength);
    if (!this.#scatter(q, index, s, offset)) return;
    if (last) this.#complete(q, t, s, addPsn(psn, 1));
    else this.#moveOn(q, t, addPsn(psn, 1));
  }

  /** A flush or an atomic write was done: the response is that of a read of nothing (IBTA annex A19; Linux rxe_resp.c). */
  #emptyResponse(q: number, t: number, s: number): void {
    const { psn, opcode, payloadLength } = this.#port.in;
    if (operationOf(opcode) !== Wire.RC_RDMA_READ_RESPONSE_ONLY || payloadLength !== 0) return this.#badResponse(q, t);
    this.#complete(q, t, s, addPsn(psn, 1));
  }

  #atomicResponse(q: number, t: number): void {
    const i32 = this.#i32;
    const { psn, originalLo, originalHi } = this.#port.in;
    if (psn !== i32[t + UNACKED]) return this.#resend(q, t);
    const index = i32[q + SQ_CONSUMER];
    const s = this.#requester.slot(q, t, index);
    const opcode = i32[s + Slot.OPCODE] & 0xff;
    const isAtomic = opcode === Opcode.ATOMIC_CMP_AND_SWP || opcode === Opcode.ATOMIC_FETCH_AND_ADD;
    if (index === i32[t + ASSIGNED] || !isAtomic) return this.#badResponse(q, t);
    i32[this.#result] = originalLo;
    i32[this.#result + 1] = originalHi;
    this.#payload.setRun(this.#result << 2, 8);
    if (this.#scatter(q, index, s, 0)) this.#complete(q, t, s, addPsn(psn, 1));
  }

  /** Copies response data to where the WQE wants it, `offset` bytes on. */
  #scatter(q: number, index: number, s: number, offset: number): boolean {
    const wqe = this.#wqe;
    const failed = wqe.fetch(q, this.#requester.wqeAt(q, index));
    if (failed !== 0) {
      this.#completer.faultKey = wqe.faultKey;
      this.#completer.faultAddrLo = wqe.faultAddrLo;
      this.#completer.faultAddrHi = wqe.faultAddrHi;
      this.#failAt(q, s, index, wqe.syndrome, failed);
      return false;
    }
    if ((wqe.list.length | 0) !== this.#i32[s + Slot.LENGTH]) {
      this.#failAt(q, s, index, CqeSyndrome.LOCAL_QP_OP_ERR, VendorErr.WQE_CHANGED);
      return false;
    }
    if (this.#payload.length === 0) return true;
    wqe.list.skip(offset);
    this.#dma.transfer(wqe.list, this.#payload);
    return true;
  }

  #badResponse(q: number, t: number): void {
    this.#fail(q, t, CqeSyndrome.BAD_RESP_ERR, VendorErr.BAD_RESPONSE);
  }

  /** The peer's NAK has a syndrome and no more, so the completion names what was asked for: key and address of the WQE. */
  #refused(q: number, t: number, syndrome: number, vendorErr: number): void {
    const index = this.#i32[q + SQ_CONSUMER];
    const s = this.#requester.slot(q, t, index);
    const { request } = this.#wqe;
    this.#wqe.fetch(q, this.#requester.wqeAt(q, index));
    const isRemote = REMOTE[this.#i32[s + Slot.OPCODE] & 0xff] === true;
    this.#completer.faultKey = isRemote ? request.rkey : 0;
    this.#completer.faultAddrLo = isRemote ? request.remoteAddrLo : 0;
    this.#completer.faultAddrHi = isRemote ? request.remoteAddrHi : 0;
    this.#failAt(q, s, index, syndrome, vendorErr);
  }

  /** Fails the WQE at the head. */
  #fail(q: number, t: number, syndrome: number, vendorErr: number): void {
    const index = this.#i32[q + SQ_CONSUMER];
    if (index === this.#i32[t + ASSIGNED]) return;
    this.#completer.faultKey = this.#completer.faultAddrLo = this.#completer.faultAddrHi = 0;
    this.#failAt(q, this.#requester.slot(q, t, index), index, syndrome, vendorErr);
  }

  #failAt(q: number, s: number, index: number, syndrome: number, vendorErr: number): void {
    const opcode = WC_OPCODE[this.#i32[s + Slot.OPCODE] & 0xff] ?? 0;
    this.#requester.fail(q, index, opcode, syndrome, vendorErr);
  }
}
