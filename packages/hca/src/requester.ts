/**
 * The requester: executes send queues.
 *
 * On a memory link a message travels as one descriptor: the requester reads and checks the WQE, the responder of the other QP
 * checks and carries it out, the completer commits the step on both sides.
 */
import type { Machine } from '@openverbs/machine';
import { packetCount } from '@openverbs/rocev2';
import { CqeSyndrome, QpDoorbellRecord, SendWqe, VendorErr } from '@openverbs/verbs/rings';
import { AsyncEvent } from './async-event.ts';
import type { Completer } from './completer.ts';
import { Count, type Counters } from './counters.ts';
import type { DmaEngine } from './dma-engine.ts';
import { EngineHeader, Qpc, QpcState, QpcType, Waiting } from './layout.ts';
import type { LocalOperations } from './local-operations.ts';
import { Opcode, SendFlag, WC_OPCODE, WC_WITH_IMM } from './opcode.ts';
import type { PathMigration } from './path-migration.ts';
import type { QpStateMachine } from './qp-state.ts';
import type { Request } from './request.ts';
import type { Responder } from './responder.ts';
import { ackTimeoutNs, RNR_RETRY_INFINITE, rnrTimerNs } from './retry-timer.ts';
import type { ScatterList } from './scatter-list.ts';
import { LOCAL_OPERATION, type SendWqeFetcher } from './send-wqe-fetcher.ts';
import { Aeth } from './syndrome.ts';
import type { TimerQueue } from './timer-queue.ts';
import type { UnreliableRequester } from './unreliable-requester.ts';

const { STATE, TYPE, SQ_BASE, SQ_LOG2_COUNT, SQ_LOG2_WORDS, RECORD, SQ_CONSUMER, PEER, PATH_MTU, WAITING } = Qpc;
const { RETRY_CNT, RETRIES_LEFT, RNR_RETRY, RNR_RETRIES_LEFT, TIMEOUT, MIN_RNR_TIMER } = Qpc;
const { RTS, SQD, SQE, ERR } = QpcState;
const { RC, XRC_SEND, XRC_RECV } = QpcType;
const { REMOTE_SRQN } = SendWqe;
const { SQ_PRODUCER } = QpDoorbellRecord;
const { RDMA_WRITE, RDMA_WRITE_WITH_IMM, SEND, SEND_WITH_IMM, RDMA_READ, SEND_WITH_INV, FLUSH, ATOMIC_WRITE } = Opcode;
const { SIGNALED } = SendFlag;
const { ACK, RNR_NAK, NONE, DUPLICATE } = Aeth;
const NOT_WAITING = Waiting.NOT;
/** The smallest path MTU: what is no longer is one packet on every path, and needs no count. */
const PATH_MTU_BYTES_MIN = 256;

/** What became of a WQE. */
const Outcome = { DONE: 0, WAITS: 1, FAILED: 2 } as const;
const { DONE, WAITS, FAILED } = Outcome;

export class Requester {
  private readonly i32: Int32Array;
  private readonly dma: DmaEngine;
  private readonly wqe: SendWqeFetcher;
  private readonly responder: Responder;
  private readonly unreliable: UnreliableRequester;
  private readonly local: LocalOperations;
  private readonly completer: Completer;
  private readonly states: QpStateMachine;
  private readonly timers: TimerQueue;
  private readonly migration: PathMigration;
  private readonly counters: Counters;
  private readonly nowNs: () => number;
  private readonly request: Request;
  private readonly list: ScatterList;
  /** Where an atomic's old value waits for its way to the requester's SGE. */
  private readonly result: number;

  constructor(parts: {
    machine: Machine;
    engine: number;
    dma: DmaEngine;
    wqe: SendWqeFetcher;
    responder: Responder;
    unreliable: UnreliableRequester;
    local: LocalOperations;
    completer: Completer;
    states: QpStateMachine;
    timers: TimerQueue;
    migration: PathMigration;
    counters: Counters;
    nowNs: () => number;
  }) {
    this.i32 = parts.machine.i32;
    this.dma = parts.dma;
    this.wqe = parts.wqe;
    this.request = parts.wqe.request;
    this.list = parts.wqe.list;
    this.responder = parts.responder;
    this.unreliable = parts.unreliable;
    this.local = parts.local;
    this.completer = parts.completer;
    this.states = parts.states;
    this.timers = parts.timers;
    this.migration = parts.migration;
    this.counters = parts.counters;
    this.nowNs = parts.nowNs;
    this.result = parts.engine + EngineHeader.ATOMIC_RESULT;
  }

  /** Executes up to `budget` WQEs of the QP at `q`; true when the budget ended it and work is left. */
  run(q: number, budget: number): boolean {
    const i32 = this.i32;
    const state = i32[q + STATE];
    if (state !== RTS || i32[q + WAITING] !== NOT_WAITING) return this.runSpecial(q, state);
    const type = i32[q + TYPE];
    if (type !== RC && type !== XRC_SEND) return type !== XRC_RECV && this.unreliable.run(q, budget);
    const log2Count = i32[q + SQ_LOG2_COUNT];
    const mask = (1 << log2Count) - 1;
    const base = i32[q + SQ_BASE];
    const shift = i32[q + SQ_LOG2_WORDS];
    let index = i32[q + SQ_CONSUMER];
    // A plain load: this thread posted it, or took the lock or the mark after the poster had published it.
    const producer = i32[i32[q + RECORD] + SQ_PRODUCER];
    if ((producer - index) >>> 0 > mask + 1) {
      this.states.fail(q, AsyncEvent.QP_FATAL); // a doorbell record that claims more than the ring holds
      return false;
    }
    for (let left = budget; index !== producer; left--) {
      if (left === 0) return true;
      const outcome = this.execute(q, base + ((index & mask) << shift), index);
      if (outcome !== DONE) return false;
      if (i32[q + STATE] !== RTS) {
        this.afterStateChange(q);
        return false;
      }
      index = (index + 1) | 0;
    }
    return false;
  }

  /** The timer of the QP at `q` has run out: the WQE at the head is tried again, or fails. */
  expire(q: number): boolean {
    const i32 = this.i32;
    const waiting = i32[q + WAITING];
    const state = i32[q + STATE];
    if (waiting === NOT_WAITING || (state !== RTS && state !== SQD)) return false;
    const index = i32[q + SQ_CONSUMER];
    if (index === Atomics.load(i32, i32[q + RECORD] + SQ_PRODUCER)) {
      this.states.settle(q); // a thread died between the commit and the end of the wait
      return false;
    }
    const w = i32[q + SQ_BASE] + ((index & ((1 << i32[q + SQ_LOG2_COUNT]) - 1)) << i32[q + SQ_LOG2_WORDS]);
    if (waiting === Waiting.RESPONSE) {
      if (i32[q + RETRIES_LEFT] !== 0) i32[q + RETRIES_LEFT] = i32[q + RETRIES_LEFT] - 1;
      else if (this.migration.onFailure(q)) i32[q + RETRIES_LEFT] = i32[q + RETRY_CNT];
      else {
        this.wqe.fetch(q, w); // says in the completion what failed
        this.locate(0, 0, 0);
        this.counters.add(q, Count.RETRY_EXCEEDED_ERR);
        this.fail(q, index, CqeSyndrome.RETRY_EXC_ERR, i32[q + Qpc.WAIT_REASON]);
        return false;
      }
      this.counters.add(q, Count.COMPLETER_RETRY_ERR);
    }
    if (this.execute(q, w, index) !== DONE) return false;
    this.states.settle(q);
    if (i32[q + STATE] === SQD) this.states.drained(q);
    return i32[q + STATE] === RTS;
  }

  /** Everything but a send queue in RTS that waits for nothing. */
  private runSpecial(q: number, state: number): boolean {
    if (state === ERR) this.states.flush(q);
    else if (state === SQE) this.states.flushSends(q);
    return false;
  }

  /** The step itself changed the QP's state: a CQ overran, or the QP talks to itself and failed as a responder. */
  private afterStateChange(q: number): void {
    if (this.i32[q + STATE] === ERR) this.states.flush(q);
  }

  private execute(q: number, w: number, index: number): number {
    const i32 = this.i32;
    const failed = this.wqe.fetch(q, w);
    if (failed !== 0) return this.executeLocal(q, index, failed);
    const { length } = this.list;
    const packets = length <= PATH_MTU_BYTES_MIN ? 1 : packetCount(length, i32[q + PATH_MTU]);
    let answer = this.responder.accept(q, packets);
    const p = i32[q + PEER];
    if (answer === ACK && i32[q + TYPE] !== RC) answer = this.responder.nameSrq(p, i32[w + REMOTE_SRQN]);
    if (answer === ACK) answer = this.deliver(p);
    if (answer !== ACK) return this.answered(q, index, answer, packets);
    return this.complete(q, p, index, packets);
  }

  /** A WQE whose message goes nowhere: because it has none, or because the WQE is bad. */
  private executeLocal(q: number, index: number, fetched: number): number {
    const wqe = this.wqe;
    const failed = fetched === LOCAL_OPERATION ? this.local.execute(q, index) : fetched;
    if (failed !== 0) {
      this.locate(wqe.faultKey, wqe.faultAddrLo, wqe.faultAddrHi);
      return this.fail(q, index, wqe.syndrome, failed);
    }
    return DONE;
  }

  /** Hands the message to the responder of `p`. */
  private deliver(p: number): number {
    const { request, list, responder } = this;
    const { opcode } = request;
    if (opcode === RDMA_WRITE) return responder.write(p, request, list);
    if (opcode === SEND) return responder.send(p, list, 0, 0, request.solicited);
    return this.deliverOther(p, opcode);
  }

  private deliverOther(p: number, opcode: number): number {
    const { request, list, responder } = this;
    if (opcode === SEND_WITH_IMM) return responder.send(p, list, request.imm, WC_WITH_IMM, request.solicited);
    if (opcode === RDMA_READ) return responder.read(p, request, list);
    if (opcode === SEND_WITH_INV) return responder.sendInv(p, list, request.imm, request.solicited);
    if (opcode === FLUSH) return responder.flush(p, request);
    if (opcode === ATOMIC_WRITE) return responder.atomicWrite(p, request, list, this.result);
    if (opcode !== RDMA_WRITE_WITH_IMM) return this.atomic(p);
    let answer = responder.checkReceive(p);
    if (answer === ACK) answer = responder.write(p, request, list);
    return answer === ACK ? responder.writeImm(p, list.length, request.imm, request.solicited) : answer;
  }

  private atomic(p: number): number {
    const list = this.list;
    const answer = this.responder.atomic(p, this.request, this.result);
    if (answer !== ACK) return answer;
    let from = this.result << 2;
    for (let n = 0; n < list.count; n++) {
      this.dma.move(list.mpt[n], list.address[n], 0, from, list.bytes[n]);
      from += list.bytes[n];
    }
    return ACK;
  }

  private complete(q: number, p: number, index: number, packets: number): number {
    const { request, completer } = this;
    const signaled = (request.flags & SIGNALED) !== 0;
    completer.complete(q, p, packets, signaled, index, WC_OPCODE[request.opcode], this.list.length);
    if (p !== 0 && this.i32[p + STATE] === ERR) this.states.flush(p); // its CQ overran
    return DONE;
  }

  /** What the requester does about an answer that is not an ACK (IBTA 9.7.5.2, 9.9.2; Linux rxe_comp.c check_ack). */
  private answered(q: number, index: number, answer: number, packets: number): number {
    const i32 = this.i32;
    const responder = this.responder;
    this.completer.discard();
    const { opcode } = this.request;
    const isSent = opcode < RDMA_READ || opcode === SEND_WITH_INV;
    this.count(q, answer);
    if (answer === DUPLICATE && isSent) return this.complete(q, 0, index, packets);
    if (answer === NONE || answer === DUPLICATE) return this.wait(q, Waiting.RESPONSE, responder.vendorErr);
    if (answer === RNR_NAK) {
      if (i32[q + RNR_RETRIES_LEFT] !== 0) return this.wait(q, Waiting.RNR, VendorErr.RNR);
      this.locate(0, 0, 0);
      this.counters.add(q, Count.RETRY_RNR_EXCEEDED_ERR);
      return this.fail(q, index, CqeSyndrome.RNR_RETRY_EXC_ERR, VendorErr.RNR);
    }
    const p = i32[q + PEER];
    // IBTA 11.6.3.2: an event tells of what no receive completion can tell.
    const unreported = answer === Aeth.NAK_REMOTE_ACCESS ? AsyncEvent.QP_ACCESS_ERR : AsyncEvent.QP_REQ_ERR;
    const event = responder.receiveFailed ? -1 : unreported;
    this.locate(responder.faultKey, responder.faultAddrLo, responder.faultAddrHi);
    const vendorErr = responder.vendorErr;
    let syndrome: number = CqeSyndrome.REMOTE_OP_ERR;
    if (answer === Aeth.NAK_INVALID_REQUEST) syndrome = CqeSyndrome.REMOTE_INVAL_REQ_ERR;
    else if (answer === Aeth.NAK_REMOTE_ACCESS) syndrome = CqeSyndrome.REMOTE_ACCESS_ERR;
    this.completer.enterError(p, event);
    // The requester's completion before the flush: on a QP that talks to itself that would take its WQE.
    this.failStep(q, index, syndrome, vendorErr);
    this.states.flush(p);
    this.states.flush(q);
    return FAILED;
  }

  /** An answer that is neither an ACK nor the end, at both ends: as if it had come in a packet. */
  private count(q: number, answer: number): void {
    const p = this.i32[q + PEER];
    if (answer === RNR_NAK) {
      this.counters.add(p, Count.SEND_RNR_ERR);
      this.counters.add(q, Count.RCVD_RNR_ERR);
    } else if (answer === DUPLICATE) this.counters.add(p, Count.DUPLICATE_REQUEST);
    else if (answer === NONE && this.responder.vendorErr === VendorErr.PSN_MISMATCH) {
      this.counters.add(p, Count.OUT_OF_SEQ_REQUEST);
      this.counters.add(q, Count.RCVD_SEQ_ERR);
    }
  }

  private wait(q: number, why: number, vendorErr: number): number {
    const i32 = this.i32;
    if (i32[q + WAITING] === NOT_WAITING) {
      i32[q + RETRIES_LEFT] = i32[q + RETRY_CNT];
      i32[q + RNR_RETRIES_LEFT] = i32[q + RNR_RETRY];
    }
    i32[q + WAITING] = why;
    i32[q + Qpc.WAIT_REASON] = vendorErr;
    let waitNs;
    if (why === Waiting.RNR) {
      if (i32[q + RNR_RETRIES_LEFT] !== RNR_RETRY_INFINITE) i32[q + RNR_RETRIES_LEFT] = i32[q + RNR_RETRIES_LEFT] - 1;
      waitNs = rnrTimerNs(i32[i32[q + PEER] + MIN_RNR_TIMER]);
    } else waitNs = ackTimeoutNs(i32[q + TIMEOUT]);
    if (waitNs !== Infinity) this.timers.start(q, this.nowNs() + waitNs);
    return WAITS;
  }

  /** The WQE failed: its completion, then the QP's error state and the flush of what stands behind it. */
  private fail(q: number, index: number, syndrome: number, vendorErr: number): number {
    this.failStep(q, index, syndrome, vendorErr);
    this.states.flush(q);
    return FAILED;
  }

  private failStep(q: number, index: number, syndrome: number, vendorErr: number): void {
    const opcode = WC_OPCODE[this.request.opcode >>> 0] ?? 0;
    this.completer.enterError(q, -1);
    this.states.settle(q);
    this.completer.prepareSend(q, index, opcode, syndrome, vendorErr, 0);
    this.completer.commit(q, 0, 0);
  }

  private locate(key: number, lo: number, hi: number): void {
    this.completer.faultKey = key;
    this.completer.faultAddrLo = lo;
    this.completer.faultAddrHi = hi;
  }
}
