/** Writes CQEs that nobody can see yet: their valid word is still old. Where there is no room, the CQ overruns. */
import type { Machine } from '@openverbs/machine';
import { CQE_WORDS, CqDoorbellRecord, CqeSyndrome, CqeWords, QpDoorbellRecord } from '@openverbs/verbs/rings';
import { AsyncEvent } from './async-event.ts';
import type { EventQueues } from './event-queue.ts';
import { Cqc, CqcFlag, CqcState, HcaHeader, Qpc, QpcState } from './layout.ts';
import { NoteKind } from './tap.ts';

const { QPN, WQE_INDEX, OPCODE, SYNDROME, VENDOR_ERR, BYTE_LEN, FLAGS, PKEY_INDEX } = CqeWords;
const { FAULT_KEY, FAULT_ADDR_LO, FAULT_ADDR_HI, VALID, TIMESTAMP_LO, TIMESTAMP_HI } = CqeWords;
const { STATE: CQ_STATE, BASE, LOG2_COUNT, PRODUCER, RECORD } = Cqc;
const { CONSUMER } = CqDoorbellRecord;
const CQ_VALID = CqcState.VALID;
const SUCCESS = CqeSyndrome.SUCCESS;
/** log2 of the words of a CQE. */
const CQE_SHIFT = Math.log2(CQE_WORDS);
const TWO_32 = 4294967296;

export class CqeWriter {
  /** @internal */
  protected readonly i32: Int32Array;
  /** @internal */
  protected readonly events: EventQueues;
  private readonly nowNs: () => number;

  /** Where the failed check looked; written into error CQEs. */
  faultKey = 0;
  faultAddrLo = 0;
  faultAddrHi = 0;

  constructor(machine: Machine, events: EventQueues, nowNs: () => number) {
    this.i32 = machine.i32;
    this.events = events;
    this.nowNs = nowNs;
  }

  /**
   * Puts a QP into the error state, with an event unless that is negative. The flush is for later: an error is entered before its
   * completion is committed, so that a thread which dies in between leaves no queue that goes on behind an error.
   */
  enterError(q: number, event: number): void {
    const i32 = this.i32;
    if (i32[q + Qpc.STATE] === QpcState.ERR) return;
    i32[q + Qpc.STATE] = QpcState.ERR;
    Atomics.store(i32, i32[q + Qpc.RECORD] + QpDoorbellRecord.STATE, QpcState.ERR);
    if (event >= 0) this.events.raiseQp(q, event);
    this.events.tap.note(q, NoteKind.STATE, QpcState.ERR);
  }

  /** Puts the send queue of an unreliable QP into its error state, likewise before the completion of the error. */
  enterSendError(q: number): void {
    const i32 = this.i32;
    i32[q + Qpc.STATE] = QpcState.SQE;
    Atomics.store(i32, i32[q + Qpc.RECORD] + QpDoorbellRecord.STATE, QpcState.SQE);
    this.events.tap.note(q, NoteKind.STATE, QpcState.SQE);
  }

  /** The slot for the next CQE, `ahead` of the producer; 0 when there is none. */
  protected slot(q: number, cqc: number, ahead: number): number {
    const i32 = this.i32;
    const producer = (i32[cqc + PRODUCER] + ahead) | 0;
    const log2 = i32[cqc + LOG2_COUNT];
    // A plain load: an older count only makes the ring look fuller than it is.
    if (i32[cqc + CQ_STATE] !== CQ_VALID || (producer - i32[i32[cqc + RECORD] + CONSUMER]) >>> log2 !== 0) {
      return this.slotOrOverrun(q, cqc, producer);
    }
    return i32[cqc + BASE] + ((producer & ((1 << log2) - 1)) << CQE_SHIFT);
  }

  /** The same for a CQ that was made with flags, and for one that is full or in error. */
  private slotOrOverrun(q: number, cqc: number, producer: number): number {
    const i32 = this.i32;
    const state = i32[cqc + CQ_STATE];
    const log2 = i32[cqc + LOG2_COUNT];
    const full = (producer - i32[i32[cqc + RECORD] + CONSUMER]) >>> log2 !== 0;
    if ((state & CQ_VALID) === 0 || (full && (state & CqcFlag.IGNORE_OVERRUN) === 0)) {
      this.overrun(q, cqc);
      return 0;
    }
    const cqe = i32[cqc + BASE] + ((producer & ((1 << log2) - 1)) << CQE_SHIFT);
    // The entry that is overwritten must not be taken for a whole one meanwhile.
    if (full) Atomics.store(i32, cqe + VALID, 0);
    if ((state & CqcFlag.TIMESTAMP) !== 0) {
      const timeNs = this.nowNs();
      i32[cqe + TIMESTAMP_LO] = (timeNs % TWO_32) | 0;
      i32[cqe + TIMESTAMP_HI] = (timeNs / TWO_32) | 0;
    }
    return cqe;
  }

  protected write(
    cqe: number,
    q: number,
    index: number,
    opcode: number,
    syndrome: number,
    vendorErr: number,
    byteLen: number,
  ): void {
    const i32 = this.i32;
    i32[cqe + QPN] = i32[q + Qpc.QPN];
    i32[cqe + WQE_INDEX] = index;
    i32[cqe + OPCODE] = opcode;
    i32[cqe + SYNDROME] = syndrome;
    i32[cqe + VENDOR_ERR] = vendorErr;
    i32[cqe + BYTE_LEN] = byteLen;
    i32[cqe + FLAGS] = 0;
    i32[cqe + PKEY_INDEX] = 0;
    if (syndrome !== SUCCESS) this.writeFault(cqe, q, syndrome, vendorErr);
  }

  private writeFault(cqe: number, q: number, syndrome: number, vendorErr: number): void {
    const i32 = this.i32;
    const { faultKey, faultAddrLo, faultAddrHi } = this;
    i32[cqe + FAULT_KEY] = faultKey;
    i32[cqe + FAULT_ADDR_LO] = faultAddrLo;
    i32[cqe + FAULT_ADDR_HI] = faultAddrHi;
    // A flush is told as the state that it comes from.
    if (syndrome === CqeSyndrome.WR_FLUSH_ERR) return;
    this.events.tap.note(q, NoteKind.COMPLETION, syndrome, vendorErr, faultKey, faultAddrLo, faultAddrHi);
  }

  /** IBTA 11.6.3.2: a CQ that overruns goes to error; a QP that completes there can't go on (QP_FATAL). */
  private overrun(q: number, cqc: number): void {
    const i32 = this.i32;
    if ((i32[cqc + CQ_STATE] & CQ_VALID) !== 0) {
      i32[cqc + CQ_STATE] = CqcState.ERR;
      const hca = i32[cqc + Cqc.HCA];
      i32[hca + HcaHeader.CQ_OVERRUNS] = (i32[hca + HcaHeader.CQ_OVERRUNS] + 1) | 0;
      this.events.raise(i32[cqc + Cqc.EQ], AsyncEvent.CQ_ERR, i32[cqc + Cqc.CQN], hca);
    }
    this.enterError(q, AsyncEvent.QP_FATAL);
  }
}
