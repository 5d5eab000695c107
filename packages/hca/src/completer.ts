/**
 * The completer: writes CQEs and commits the step of a send or receive queue.
 *
 * A step first writes what nobody can see yet: payload, and CQEs whose valid word is still old. Then {@link Completer.commit}
 * makes all of it count at once. Its stores are straight-line code: V8 stops a terminated worker only at a function's entry or
 * a loop's end, so a step is either wholly done or not at all, and a thread that takes the lock over may simply do it again.
 */
import type { Machine } from '@openverbs/machine';
import { PSN_MASK as PSNS } from '@openverbs/rocev2';
import {
  CqArm,
  CqDoorbellRecord,
  CqeFlag,
  CqeSyndrome,
  CqeWords,
  loadOrdered,
  storeOrdered,
} from '@openverbs/verbs/rings';
import type { CqModeration } from './cq-moderation.ts';
import { CqeWriter } from './cqe-writer.ts';
import type { EventQueues } from './event-queue.ts';
import { Cqc, Mpt, Qpc, Srqc } from './layout.ts';
import { Qpt } from './packets/layout.ts';
import type { ReceiveQueue } from './receive-queue.ts';

const { SYNDROME, IMM, SRC_QPN, FLAGS, PKEY_INDEX, VALID } = CqeWords;
const { LOG2_COUNT, PRODUCER, RECORD, MODERATION_COUNT } = Cqc;
const { SQ_CONSUMER, SQ_PSN, RQ_PSN, MSN, SEND_CQ, PAYLOAD_BYTES } = Qpc;
const { ARM } = CqDoorbellRecord;
const SUCCESS = CqeSyndrome.SUCCESS;
const PSN_MASK = PSNS;

/** A memory window before the commit that binds or invalidates it. */
export class WindowChange {
  /** Word index of its MPT entry; 0 for no change. */
  entry = 0;
  /** Only {@link WindowChange.region} counts, and it is 0. */
  invalidates = false;
  /** Word index of the MPT entry of the region that it is to be bound to; 0 for none. */
  region = 0;
  /** The rest of the entry. */
  key = 0;
  access = 0;
  startLo = 0;
  startHi = 0;
  length = 0;
  base = 0;
  mtt = 0;
  firstOffset = 0;
  qpn = 0;
}

/** Both halves of a step, before it is committed. Zero means that there is none. */
export class Completer extends CqeWriter {
  private readonly queue: ReceiveQueue;
  private readonly moderation: CqModeration;
  private readonly store64: (dst: number, lo: number, hi: number) => void;
  private readonly f64: Float64Array;

  /** Word index of an atomic operation's target, and its new value. */
  atomicTarget = 0;
  atomicLo = 0;
  atomicHi = 0;
  /** What becomes of a memory window. */
  readonly windowChange = new WindowChange();

  private sendCqe = 0;
  private sendCqc = 0;
  private recvCqe = 0;
  private recvCqc = 0;
  /** The word that consumes the receive WQE, what it becomes, and the SRQ that it is of or 0. */
  private recvConsumer = 0;
  private recvConsumed = 0;
  private recvSrq = 0;
  private solicited = false;

  constructor(
    machine: Machine,
    events: EventQueues,
    queue: ReceiveQueue,
    moderation: CqModeration,
    nowNs: () => number,
  ) {
    super(machine, events, nowNs);
    this.queue = queue;
    this.moderation = moderation;
    this.store64 = machine.dma.store64;
    this.f64 = machine.f64;
  }

  /** Writes the CQE of a send WQE. False when the CQ has overrun; the step then goes on without a CQE. */
  prepareSend(q: number, index: number, opcode: number, syndrome: number, vendorErr: number, byteLen: number): boolean {
    const cqc = this.i32[q + SEND_CQ];
    const cqe = this.slot(q, cqc, this.recvCqc === cqc ? 1 : 0);
    if (cqe === 0) return false;
    this.write(cqe, q, index, opcode, syndrome, vendorErr, byteLen);
    this.sendCqe = cqe;
    this.sendCqc = cqc;
    return true;
  }

  /** Writes the CQE of the receive WQE that {@link ReceiveQueue.find} found last, which the commit then consumes. */
  prepareRecv(
    p: number,
    opcode: number,
    syndrome: number,
    vendorErr: number,
    byteLen: number,
    imm: number,
    flags: number,
    solicited: boolean,
  ): boolean {
    const i32 = this.i32;
    const queue = this.queue;
    const cqc = queue.cq;
    const cqe = this.slot(p, cqc, 0);
    if (cqe === 0) return false;
    this.write(cqe, p, queue.index, opcode, syndrome, vendorErr, byteLen);
    i32[cqe + IMM] = imm;
    i32[cqe + FLAGS] = flags;
    i32[cqe + SRC_QPN] = i32[p + Qpc.DEST_QPN];
    this.recvCqe = cqe;
    this.recvCqc = cqc;
    this.recvConsumer = queue.consumer;
    this.recvConsumed = queue.consumed;
    this.recvSrq = queue.srq;
    if (queue.srq !== 0 && i32[queue.srq + Srqc.XRCD] !== 0) {
      i32[cqe + FLAGS] = flags | CqeFlag.XRC;
      i32[cqe + SRC_QPN] = i32[queue.srq + Srqc.SRQN];
    }
    this.solicited = solicited || syndrome !== SUCCESS;
    return true;
  }

  /** Says in the CQE of a receive that was prepared where its datagram came from. */
  addressRecv(srcQpn: number, flags: number, pkeyIndex: number): void {
    const i32 = this.i32;
    i32[this.recvCqe + SRC_QPN] = srcQpn;
    i32[this.recvCqe + FLAGS] = flags;
    i32[this.recvCqe + PKEY_INDEX] = pkeyIndex;
  }

  /**
   * Commits one request: the queue `q` moves on by one WQE and `packets` PSNs, its responder `p` (0 for none) expects the next
   * message, and the prepared CQEs become valid, the receiver's first.
   */
  commit(q: number, p: number, packets: number): void {
    this.complete(q, p, packets, false, 0, 0, 0);
  }

  /** The same for one that was done, and counts its payload; if it is signaled, its CQE is prepared first. */
  complete(
    q: number,
    p: number,
    packets: number,
    signaled: boolean,
    index: number,
    opcode: number,
    byteLen: number,
  ): void {
    if (signaled) this.prepareSend(q, index, opcode, SUCCESS, 0, byteLen);
    const i32 = this.i32;
    const recvCqe = this.recvCqe;
    const sendCqe = this.sendCqe;
    const recvCqc = this.recvCqc;
    const sendCqc = this.sendCqc;
    this.recvCqe = this.sendCqe = this.recvCqc = this.sendCqc = 0;
    const sqConsumer = (i32[q + SQ_CONSUMER] + 1) | 0;
    // From here to the end of the block: stores only; and one call, with which it begins, where nothing is done yet.
    if ((this.atomicTarget | this.windowChange.entry) !== 0) this.applyEffects();
    if (recvCqe !== 0) {
      const producer = i32[recvCqc + PRODUCER];
      storeOrdered(i32, recvCqe + VALID, ((producer >>> i32[recvCqc + LOG2_COUNT]) & 1) + 1);
      i32[recvCqc + PRODUCER] = (producer + 1) | 0;
      i32[this.recvConsumer] = this.recvConsumed;
    }
    if (p !== 0) {
      i32[p + RQ_PSN] = (i32[p + RQ_PSN] + packets) & PSN_MASK;
      i32[p + MSN] = (i32[p + MSN] + 1) & PSN_MASK;
    }
    if (sendCqe !== 0) {
      const producer = i32[sendCqc + PRODUCER];
      storeOrdered(i32, sendCqe + VALID, ((producer >>> i32[sendCqc + LOG2_COUNT]) & 1) + 1);
      i32[sendCqc + PRODUCER] = (producer + 1) | 0;
    }
    i32[q + SQ_PSN] = (i32[q + SQ_PSN] + packets) & PSN_MASK;
    this.f64[(q + PAYLOAD_BYTES) >> 1] += byteLen;
    // A fence, one for both CQEs: whoever arms a CQ either sees its CQE, or is seen below.
    Atomics.store(i32, q + SQ_CONSUMER, sqConsumer);
    // The step is done; what follows may be repeated or lost, and recovery makes up for it.
    if (recvCqe !== 0) this.told(recvCqc);
    if (sendCqe !== 0) this.notify(sendCqc, i32[sendCqe + SYNDROME] !== SUCCESS);
  }

  /**
   * Commits a packet that arrived in its turn at `p`, whose transport context is `t`: the responder expects what comes `psns` PSNs
   * later, is in the middle of `inbound` with `bytes` of it, and has completed `messages` and taken `resources` more reads or
   * atomics. A prepared receive completion becomes valid.
   */
  commitPacket(
    p: number,
    t: number,
    psns: number,
    messages: number,
    inbound: number,
    bytes: number,
    resources: number,
  ): void {
    const i32 = this.i32;
    const cqe = this.recvCqe;
    const cqc = this.recvCqc;
    this.recvCqe = this.recvCqc = 0;
    // From here to the end of the block: stores only, as in commit.
    if ((this.atomicTarget | this.windowChange.entry) !== 0) this.applyEffects();
    if (cqe !== 0) {
      const producer = i32[cqc + PRODUCER];
      Atomics.store(i32, cqe + VALID, ((producer >>> i32[cqc + LOG2_COUNT]) & 1) + 1);
      i32[cqc + PRODUCER] = (producer + 1) | 0;
      i32[this.recvConsumer] = this.recvConsumed;
    }
    i32[p + RQ_PSN] = (i32[p + RQ_PSN] + psns) & PSN_MASK;
    i32[p + MSN] = (i32[p + MSN] + messages) & PSN_MASK;
    i32[t + Qpt.INBOUND] = inbound;
    i32[t + Qpt.INBOUND_BYTES] = bytes;
    i32[t + Qpt.RESOURCES] = (i32[t + Qpt.RESOURCES] + resources) | 0;
    // The packet is done; what follows may be repeated or lost, and recovery makes up for it.
    if (cqe !== 0) this.told(cqc);
  }

  /**
   * Commits a receive WQE alone: an error that the requester hears of by a NAK, a flush, or a copy for one of a multicast group; then
   * the word that says how far the copies have got becomes `progress` in the same step.
   */
  commitRecv(progressWord = 0, progress = 0): void {
    const i32 = this.i32;
    const cqe = this.recvCqe;
    const cqc = this.recvCqc;
    this.recvCqe = this.recvCqc = 0;
    if (cqe === 0) return;
    if (this.windowChange.entry !== 0) this.applyEffects();
    const producer = i32[cqc + PRODUCER];
    Atomics.store(i32, cqe + VALID, ((producer >>> i32[cqc + LOG2_COUNT]) & 1) + 1);
    i32[cqc + PRODUCER] = (producer + 1) | 0;
    i32[this.recvConsumer] = this.recvConsumed;
    if (progressWord !== 0) i32[progressWord] = progress;
    this.told(cqc);
  }

  /** Forgets what was prepared: the other side refused, or a dead thread left it behind. */
  discard(): void {
    this.recvCqe = this.sendCqe = this.recvCqc = this.sendCqc = 0;
    this.atomicTarget = 0;
    this.windowChange.entry = 0;
  }

  /** What a message does beside its payload, and may not do twice. Stores only, after the first of them, which is a call. */
  private applyEffects(): void {
    const i32 = this.i32;
    const { windowChange: change, atomicTarget } = this;
    if (atomicTarget !== 0) {
      this.store64(atomicTarget << 2, this.atomicLo, this.atomicHi);
      this.atomicTarget = 0;
    }
    const { entry, region } = change;
    if (entry === 0) return;
    const before = i32[entry + Mpt.REGION];
    if (before !== 0) i32[before + Mpt.PINS]--;
    if (region !== 0) i32[region + Mpt.PINS]++;
    i32[entry + Mpt.REGION] = region;
    change.entry = 0;
    if (change.invalidates) return;
    i32[entry + Mpt.ACCESS] = change.access;
    i32[entry + Mpt.START_LO] = change.startLo;
    i32[entry + Mpt.START_HI] = change.startHi;
    i32[entry + Mpt.LENGTH] = change.length;
    i32[entry + Mpt.BASE] = change.base;
    i32[entry + Mpt.MTT] = change.mtt;
    i32[entry + Mpt.FIRST_OFFSET] = change.firstOffset;
    i32[entry + Mpt.QPN] = change.qpn;
    Atomics.store(i32, entry + Mpt.KEY, change.key);
  }

  /** Raises the completion event if the CQ is armed for it. */
  private notify(cqc: number, solicited: boolean): void {
    const arm = this.i32[cqc + RECORD] + ARM;
    const armed = loadOrdered(this.i32, arm);
    if (armed !== 0) this.raise(cqc, arm, armed, solicited);
  }

  /** With moderation the event may have to wait for others. */
  private raise(cqc: number, arm: number, armed: number, solicited: boolean): void {
    if ((armed & CqArm.NEXT) === 0 && !solicited) return;
    if (this.i32[cqc + MODERATION_COUNT] === 0) this.events.raiseCompletion(cqc, arm);
    else this.moderation.count(cqc);
  }

  /** A receive WQE was consumed. */
  private told(cqc: number): void {
    this.notify(cqc, this.solicited);
    if (this.recvSrq !== 0) this.queue.checkLimit(this.recvSrq);
  }
}
