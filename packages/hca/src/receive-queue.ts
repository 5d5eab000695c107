/**
 * Where receive WQEs come from: a QP's own receive queue, or an SRQ. Whoever delivers messages takes them here and nowhere else.
 *
 * {@link ReceiveQueue.find} looks at the head and leaves what it found in fields; nothing is changed before the completer commits
 * the WQE's completion. A message of several packets {@link ReceiveQueue.hold}s its WQE in between.
 *
 * An SRQ's ring is a list of slots that its owner writes. It can't have loops: an entry is used once, and a producer that claims
 * more than the ring holds, or a slot that is none, is the end of the SRQ and of nothing else.
 */
import type { Machine } from '@openverbs/machine';
import { QpDoorbellRecord, SrqDoorbellRecord, VendorErr } from '@openverbs/verbs/rings';
import { AsyncEvent } from './async-event.ts';
import type { EventQueues } from './event-queue.ts';
import { HcaHeader, Qpc, Srqc, SrqcState } from './layout.ts';
import { SRQS_MAX } from './limits.ts';

const { PD, RECORD, RQ_BASE, RQ_LOG2_COUNT, RQ_LOG2_WORDS, RQ_CONSUMER, RECV_CQ, MAX_RECV_SGE, SRQ, SRQ_WQE, HCA } =
  Qpc;
const { CONSUMER, LIMIT, LOG2_COUNT, RING, WQES, WQE_LOG2_WORDS, STATE } = Srqc;
const { RQ_PRODUCER } = QpDoorbellRecord;
const SRQ_MASK = SRQS_MAX - 1;
const { RNR, BAD_RECV_WQE, SRQ_ERR } = VendorErr;

export class ReceiveQueue {
  readonly #i32: Int32Array;
  readonly #events: EventQueues;

  /** Word index of the WQE. */
  wqe = 0;
  /** What its CQE calls it: a free-running index, or the slot in the SRQ. */
  index = 0;
  /** Protection domain that its keys have to be of, and how many SGEs it may have. */
  pd = 0;
  maxSge = 0;
  /** Word index of the CQ context that it completes to. */
  cq = 0;
  /** Word index of the SRQ context, 0 for the QP's own queue. */
  srq = 0;
  /** Consuming the WQE is one store: this word becomes {@link ReceiveQueue.consumed}. */
  consumer = 0;
  consumed = 0;

  constructor(machine: Machine, events: EventQueues) {
    this.#i32 = machine.i32;
    this.#events = events;
  }

  /**
   * Finds the WQE for the next message to the QP at `p`. Answers 0; RNR when there is none; BAD_RECV_WQE when the QP's own queue
   * claims more than it holds, with the WQE found all the same; SRQ_ERR when the SRQ is in error.
   */
  find(p: number): number {
    const i32 = this.#i32;
    const srq = i32[p + SRQ];
    if (srq !== 0) return this.#findShared(p, srq);
    const index = i32[p + RQ_CONSUMER];
    const available = (Atomics.load(i32, i32[p + RECORD] + RQ_PRODUCER) - index) >>> 0;
    if (available === 0) return RNR;
    const count = 1 << i32[p + RQ_LOG2_COUNT];
    this.wqe = i32[p + RQ_BASE] + ((index & (count - 1)) << i32[p + RQ_LOG2_WORDS]);
    this.index = index;
    this.pd = i32[p + PD];
    this.maxSge = i32[p + MAX_RECV_SGE];
    this.cq = i32[p + RECV_CQ];
    this.srq = 0;
    this.consumer = p + RQ_CONSUMER;
    this.consumed = (index + 1) | 0;
    return available > count ? BAD_RECV_WQE : 0;
  }

  /**
   * Takes the WQE that was found last for a message in progress to the QP at `p`: others may take from the SRQ before it is
   * complete. Until then {@link ReceiveQueue.find} finds it again. A QP's own queue has no others, and its head stays where it is.
   */
  hold(p: number): void {
    if (this.srq === 0) return;
    const i32 = this.#i32;
    if (i32[p + SRQ_WQE] !== 0) return;
    i32[p + SRQ_WQE] = this.index + 1;
    i32[this.consumer] = this.consumed;
    this.checkLimit(this.srq);
  }

  /**
   * Gives the WQE that a message in progress holds back to the SRQ, which gives it to the next message: the QP at `p` is reset or
   * destroyed, and nobody would ever hear of it. The ring has room, since what is held is not in it; it goes in at the head.
   */
  giveBack(p: number): void {
    const i32 = this.#i32;
    const srq = i32[p + SRQ];
    if (srq === 0 || i32[p + SRQ_WQE] === 0) return;
    const head = (i32[srq + CONSUMER] - 1) | 0;
    i32[i32[srq + RING] + (head & ((1 << i32[srq + LOG2_COUNT]) - 1))] = i32[p + SRQ_WQE] - 1;
    i32[srq + CONSUMER] = head;
    i32[p + SRQ_WQE] = 0;
  }

  /** Raises the event of an armed SRQ that holds fewer WQEs than its limit, once (IBTA 11.6.3.1, SRQ limit reached). */
  checkLimit(srq: number): void {
    const i32 = this.#i32;
    const limit = i32[srq + LIMIT];
    if (limit === 0 || this.#available(srq) >= limit) return;
    // Without room for the event it stays armed, and who empties the queue looks here again.
    if (this.#raise(srq, AsyncEvent.SRQ_LIMIT_REACHED)) i32[srq + LIMIT] = 0;
  }

  /** Context of the SRQ of a number, if that is one of the domain of the XRC_RECV QP at `p`; else 0. */
  xrcSrq(p: number, srqn: number): number {
    const i32 = this.#i32;
    const srq = i32[i32[p + HCA] + HcaHeader.SRQ_TABLE] + (srqn & SRQ_MASK) * Srqc.WORDS;
    return srqn !== 0 && i32[srq + Srqc.SRQN] === srqn && i32[srq + Srqc.XRCD] === i32[p + Qpc.XRCD] ? srq : 0;
  }

  #findShared(p: number, srq: number): number {
    const i32 = this.#i32;
    const held = i32[p + SRQ_WQE];
    const mask = (1 << i32[srq + LOG2_COUNT]) - 1;
    let slot = held - 1;
    if (held !== 0) {
      this.consumer = p + SRQ_WQE;
      this.consumed = 0;
    } else {
      if (i32[srq + STATE] !== SrqcState.VALID) return SRQ_ERR;
      const consumer = i32[srq + CONSUMER];
      const available = this.#available(srq);
      if (available === 0) return RNR;
      slot = i32[i32[srq + RING] + (consumer & mask)];
      if (available > mask + 1 || slot >>> 0 > mask) return this.#fail(srq);
      this.consumer = srq + CONSUMER;
      this.consumed = (consumer + 1) | 0;
    }
    this.wqe = i32[srq + WQES] + (slot << i32[srq + WQE_LOG2_WORDS]);
    this.index = slot;
    this.pd = i32[srq + Srqc.PD];
    this.maxSge = i32[srq + Srqc.MAX_SGE];
    const cq = i32[srq + Srqc.CQ];
    this.cq = cq === 0 ? i32[p + RECV_CQ] : cq;
    this.srq = srq;
    return 0;
  }

  #available(srq: number): number {
    const i32 = this.#i32;
    return (Atomics.load(i32, i32[srq + Srqc.RECORD] + SrqDoorbellRecord.PRODUCER) - i32[srq + CONSUMER]) >>> 0;
  }

  /** IBTA 11.6.3.1, SRQ error: nothing can be taken from it any more. */
  #fail(srq: number): number {
    this.#raise(srq, AsyncEvent.SRQ_ERR);
    this.#i32[srq + STATE] = SrqcState.ERR;
    return SRQ_ERR;
  }

  #raise(srq: number, type: number): boolean {
    const i32 = this.#i32;
    return this.#events.raise(i32[srq + Srqc.EQ], type, i32[srq + Srqc.SRQN], i32[srq + Srqc.HCA]);
  }
}
