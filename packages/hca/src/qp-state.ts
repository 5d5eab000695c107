/**
 * What the device does to a QP beside its messages: into error with a flush, drained, reset.
 */
import type { Machine } from '@openverbs/machine';
import { CqeSyndrome, QpDoorbellRecord, SendWqe, VendorErr } from '@openverbs/verbs/rings';
import { AsyncEvent } from './async-event.ts';
import type { Completer } from './completer.ts';
import type { EventQueues } from './event-queue.ts';
import { Qpc, QpcState, Waiting } from './layout.ts';
import { WC_OPCODE, WC_RECV } from './opcode.ts';
import type { ReceiveQueue } from './receive-queue.ts';
import { resetTransportContext } from './packets/transport-context.ts';
import type { TimerQueue } from './timer-queue.ts';

const { SQ_PRODUCER, RQ_PRODUCER, STATE: RECORD_STATE } = QpDoorbellRecord;

export class QpStateMachine {
  readonly #i32: Int32Array;
  readonly #completer: Completer;
  readonly #events: EventQueues;
  readonly #timers: TimerQueue;
  readonly #queue: ReceiveQueue;

  constructor(machine: Machine, completer: Completer, events: EventQueues, timers: TimerQueue, queue: ReceiveQueue) {
    this.#i32 = machine.i32;
    this.#completer = completer;
    this.#events = events;
    this.#timers = timers;
    this.#queue = queue;
  }

  /** Sets the state, and tells the host's half. */
  set(q: number, state: number): void {
    this.#i32[q + Qpc.STATE] = state;
    Atomics.store(this.#i32, this.#i32[q + Qpc.RECORD] + RECORD_STATE, state);
  }

  /** Into the error state, by an error of the device's own finding: `event` is raised unless it is negative. */
  fail(q: number, event: number): void {
    this.#completer.enterError(q, event);
    this.flush(q);
  }

  /** Completes everything outstanding in both queues with a flush error, in order (IBTA 10.3.1, error state). */
  flush(q: number): void {
    this.settle(q);
    this.flushSends(q);
    this.#flushReceives(q);
  }

  /** Completes everything outstanding in the send queue with a flush error (IBTA 10.3.1, SQE state). */
  flushSends(q: number): void {
    const i32 = this.#i32;
    if (i32[q + Qpc.SEND_CQ] === 0) return; // XRC_RECV has no send queue, whatever its doorbell record says
    const record = i32[q + Qpc.RECORD];
    this.#completer.faultKey = this.#completer.faultAddrLo = this.#completer.faultAddrHi = 0;
    const sqMask = (1 << i32[q + Qpc.SQ_LOG2_COUNT]) - 1;
    let posted = this.#posted(Atomics.load(i32, record + SQ_PRODUCER), i32[q + Qpc.SQ_CONSUMER], sqMask);
    for (; posted > 0; posted--) {
      const index = i32[q + Qpc.SQ_CONSUMER];
      const w = i32[q + Qpc.SQ_BASE] + ((index & sqMask) << i32[q + Qpc.SQ_LOG2_WORDS]);
      const opcode = WC_OPCODE[i32[w + SendWqe.OPCODE] >>> 0] ?? 0;
      this.#completer.prepareSend(q, index, opcode, CqeSyndrome.WR_FLUSH_ERR, VendorErr.FLUSHED, 0);
      this.#completer.commit(q, 0, 0);
    }
  }

  #flushReceives(q: number): void {
    const i32 = this.#i32;
    if (i32[q + Qpc.SRQ] !== 0) {
      this.#leaveSrq(q);
      return;
    }
    if (i32[q + Qpc.RECV_CQ] === 0) return; // XRC: no receive queue either
    const rqMask = (1 << i32[q + Qpc.RQ_LOG2_COUNT]) - 1;
    const producer = Atomics.load(i32, i32[q + Qpc.RECORD] + RQ_PRODUCER);
    let posted = this.#posted(producer, i32[q + Qpc.RQ_CONSUMER], rqMask);
    for (; posted > 0; posted--) if (!this.#flushReceive(q)) break;
  }

  /** Completes the WQE at the head of the receive queue with a flush error. False when its CQ has overrun. */
  #flushReceive(q: number): boolean {
    const { WR_FLUSH_ERR } = CqeSyndrome;
    this.#queue.find(q);
    if (!this.#completer.prepareRecv(q, WC_RECV, WR_FLUSH_ERR, VendorErr.FLUSHED, 0, 0, 0, false)) return false;
    this.#completer.commitRecv();
    return true;
  }

  /** IBTA 10.9.2, 11.6.3.1: what the QP has taken is flushed, what lies in the SRQ is for others; then it takes nothing more. */
  #leaveSrq(q: number): void {
    const i32 = this.#i32;
    if (i32[q + Qpc.SRQ_WQE] !== 0) this.#flushReceive(q);
    if (i32[q + Qpc.LAST_WQE_REACHED] !== 0 || i32[q + Qpc.XRCD] !== 0) return;
    this.#events.raiseQp(q, AsyncEvent.QP_LAST_WQE_REACHED);
    i32[q + Qpc.LAST_WQE_REACHED] = 1;
  }

  /** The send queue waits for nothing more. */
  settle(q: number): void {
    this.#timers.stop(q);
    this.#i32[q + Qpc.WAITING] = Waiting.NOT;
    this.#i32[q + Qpc.RETRIES_LEFT] = this.#i32[q + Qpc.RETRY_CNT];
    this.#i32[q + Qpc.RNR_RETRIES_LEFT] = this.#i32[q + Qpc.RNR_RETRY];
  }

  /** In SQD with nothing in progress: drained, which is an event when it was asked for. */
  drained(q: number): void {
    const i32 = this.#i32;
    if (i32[q + Qpc.SQ_DRAINING] === 0) return;
    i32[q + Qpc.SQ_DRAINING] = 0;
    if (i32[q + Qpc.EN_SQD_ASYNC_NOTIFY] !== 0) this.#events.raiseQp(q, AsyncEvent.SQ_DRAINED);
  }

  /** Back to RESET: both queues are empty and every counter starts anew. */
  reset(q: number): void {
    const i32 = this.#i32;
    this.settle(q);
    const record = i32[q + Qpc.RECORD];
    Atomics.store(i32, record + SQ_PRODUCER, 0);
    Atomics.store(i32, record + RQ_PRODUCER, 0);
    for (const word of [Qpc.SQ_CONSUMER, Qpc.RQ_CONSUMER, Qpc.SQ_PSN, Qpc.RQ_PSN, Qpc.MSN, Qpc.PEER]) i32[q + word] = 0;
    i32.fill(0, q + Qpc.PAYLOAD_BYTES, q + Qpc.PAYLOAD_BYTES + 2);
    for (const word of [Qpc.COMM_ESTABLISHED, Qpc.SQ_DRAINING, Qpc.EN_SQD_ASYNC_NOTIFY]) i32[q + word] = 0;
    this.#queue.giveBack(q);
    for (const word of [Qpc.LAST_WQE_REACHED, Qpc.PATH_MIG_STATE, Qpc.ALT_STATE, Qpc.MIG_REFUSED]) i32[q + word] = 0;
    if (i32[q + Qpc.XRCD] !== 0) i32[q + Qpc.SRQ] = i32[q + Qpc.PD] = 0;
    if (i32[q + Qpc.TRANSPORT] !== 0) resetTransportContext(i32, i32[q + Qpc.TRANSPORT]);
    i32[q + Qpc.MCAST_WQE] = -1;
    this.set(q, QpcState.RESET);
  }

  /** How many WQEs wait; a producer that claims more than the ring holds gets what the ring holds. */
  #posted(producer: number, consumer: number, mask: number): number {
    return Math.min((producer - consumer) >>> 0, mask + 1);
  }
}
