/** Polls CQEs from a ring in the OpenVerbs layout. Hot: nothing here allocates. */
import type { CqPath } from '../data-path.ts';
import { WcStatus } from '../enums/wc.ts';
import type { WorkCompletion } from '../work-completion.ts';
import { isCompletion } from './is-completion.ts';
import {
  CQE_WORDS,
  CqArm,
  CqDoorbellRecord,
  CqeFlag,
  CqeFlagsField,
  cqeGeneration,
  CqePkeyIndexField,
  CqeSyndrome,
  CqeWords,
} from './layout.ts';
import { loadOrdered, storeOrdered } from './ordering.ts';
import type { QpTable } from './qp-table.ts';
import type { CqRings, Doorbell } from './rings.ts';
import { DOUBLE } from '../words.ts';
import { NO_QP, type QpSlots } from './work-queue-slots.ts';

// Constants of this module: V8 folds them, and does not fold imported ones.
const { QPN, WQE_INDEX, OPCODE, SYNDROME, VENDOR_ERR, BYTE_LEN, IMM, SRC_QPN, FLAGS, PKEY_INDEX } = CqeWords;
const { FAULT_KEY, FAULT_ADDR_LO, FAULT_ADDR_HI, VALID } = CqeWords;
const { CONSUMER, POLLED, ARM } = CqDoorbellRecord;
const { XRC } = CqeFlag;
const { WC_FLAGS_MASK, SL_SHIFT, SL_MASK, SLID_SHIFT } = CqeFlagsField;
const { INDEX_MASK, PATH_BITS_SHIFT, PATH_BITS_MASK } = CqePkeyIndexField;
/** log2 of the words of a CQE. */
const CQE_SHIFT = Math.log2(CQE_WORDS);
/** `IBV_WC_RECV`: this bit of the opcode tells the receive queue. */
const RECV_BIT = 0x80;
const TWO_32 = 4294967296;

/** From the device's syndromes to completion statuses; what is not listed is GENERAL_ERR. */
export const STATUS_OF_SYNDROME: readonly (readonly [syndrome: number, status: WcStatus])[] = [
  [CqeSyndrome.SUCCESS, WcStatus.SUCCESS],
  [CqeSyndrome.LOCAL_LENGTH_ERR, WcStatus.LOC_LEN_ERR],
  [CqeSyndrome.LOCAL_QP_OP_ERR, WcStatus.LOC_QP_OP_ERR],
  [CqeSyndrome.LOCAL_EEC_OP_ERR, WcStatus.LOC_EEC_OP_ERR],
  [CqeSyndrome.LOCAL_PROT_ERR, WcStatus.LOC_PROT_ERR],
  [CqeSyndrome.WR_FLUSH_ERR, WcStatus.WR_FLUSH_ERR],
  [CqeSyndrome.MW_BIND_ERR, WcStatus.MW_BIND_ERR],
  [CqeSyndrome.BAD_RESP_ERR, WcStatus.BAD_RESP_ERR],
  [CqeSyndrome.LOCAL_ACCESS_ERR, WcStatus.LOC_ACCESS_ERR],
  [CqeSyndrome.REMOTE_INVAL_REQ_ERR, WcStatus.REM_INV_REQ_ERR],
  [CqeSyndrome.REMOTE_ACCESS_ERR, WcStatus.REM_ACCESS_ERR],
  [CqeSyndrome.REMOTE_OP_ERR, WcStatus.REM_OP_ERR],
  [CqeSyndrome.RETRY_EXC_ERR, WcStatus.RETRY_EXC_ERR],
  [CqeSyndrome.RNR_RETRY_EXC_ERR, WcStatus.RNR_RETRY_EXC_ERR],
  [CqeSyndrome.LOCAL_RDD_VIOL_ERR, WcStatus.LOC_RDD_VIOL_ERR],
  [CqeSyndrome.REMOTE_INVAL_RD_REQ_ERR, WcStatus.REM_INV_RD_REQ_ERR],
  [CqeSyndrome.REMOTE_ABORTED_ERR, WcStatus.REM_ABORT_ERR],
  [CqeSyndrome.INVAL_EECN_ERR, WcStatus.INV_EECN_ERR],
  [CqeSyndrome.INVAL_EEC_STATE_ERR, WcStatus.INV_EEC_STATE_ERR],
  [CqeSyndrome.FATAL_ERR, WcStatus.FATAL_ERR],
];

const STATUS = new Uint8Array(256).fill(WcStatus.GENERAL_ERR);
for (const [syndrome, status] of STATUS_OF_SYNDROME) STATUS[syndrome] = status;

/** A completion queue: `ibv_poll_cq`, `ibv_req_notify_cq`. */
export class RingCompletionQueue implements CqPath {
  private readonly qps: QpTable;
  /** The QP of the last CQE; programs mostly use one. */
  private lastQp: QpSlots;
  /** @internal */
  i32: Int32Array;
  private doorbell: Doorbell;
  /** Word indices. */
  private base: number;
  private consumerWord: number;
  private armWord: number;
  private log2Count: number;
  private mask: number;
  /** Free-running count of CQEs consumed, an int32. */
  private consumer: number;
  /** Whether polls leave the room of what they took to {@link RingCompletionQueue.giveBack}. */
  private keeps: boolean;
  /** CQEs that were polled and still have their room. */
  private kept: number;
  /** `wrId` of the CQE that {@link RingCompletionQueue.takeOne} took last. @internal */
  takenWrId = DOUBLE;

  constructor(rings: CqRings, qps: QpTable) {
    this.qps = qps;
    this.lastQp = NO_QP;
    this.i32 = rings.i32;
    this.doorbell = rings.doorbell;
    this.base = rings.cqAddr >>> 2;
    this.consumerWord = (rings.doorbellRecordAddr >>> 2) + CONSUMER;
    this.armWord = (rings.doorbellRecordAddr >>> 2) + ARM;
    this.log2Count = rings.log2Count;
    this.mask = 2 ** rings.log2Count - 1;
    this.consumer = 0;
    this.keeps = false;
    this.kept = 0;
    this.takenWrId = 0;
  }

  /** Goes on with another ring, after a resize. The provider has moved what was not consumed; indices run on. */
  rebind(rings: CqRings): void {
    this.i32 = rings.i32;
    this.doorbell = rings.doorbell;
    this.base = rings.cqAddr >>> 2;
    this.consumerWord = (rings.doorbellRecordAddr >>> 2) + (this.keeps ? POLLED : CONSUMER);
    this.armWord = (rings.doorbellRecordAddr >>> 2) + ARM;
    this.log2Count = rings.log2Count;
    this.mask = 2 ** rings.log2Count - 1;
  }

  /** Fills `wcs[0]` to `wcs[n - 1]` and returns n. Finding nothing, it lets the device run and looks once more. */
  poll(wcs: WorkCompletion[], limit: number): number {
    const n = this.take(wcs, limit);
    return n !== 0 ? n : this.takeAfterIdle(wcs, limit);
  }

  /** Asks for an event at the next completion, or the next solicited one. */
  reqNotify(solicitedOnly: boolean): void {
    Atomics.or(this.i32, this.armWord, solicitedOnly ? CqArm.SOLICITED : CqArm.NEXT);
  }

  /** The same; whether a CQE is there now. The device looks at ARM after each CQE, so one that came before is seen here. */
  reqNotifyReportMissed(solicitedOnly: boolean): boolean {
    this.reqNotify(solicitedOnly);
    return this.isValid(this.consumer);
  }

  private takeAfterIdle(wcs: WorkCompletion[], limit: number): number {
    this.doorbell.idle();
    return this.take(wcs, limit);
  }

  private take(wcs: WorkCompletion[], limit: number): number {
    const { i32, base, mask, log2Count } = this;
    const first = this.consumer;
    let index = first;
    let n = 0;
    while (n < limit) {
      const cqe = base + ((index & mask) << CQE_SHIFT);
      if (loadOrdered(i32, cqe + VALID) !== ((index >>> log2Count) & 1) + 1) break;
      // What is no completion takes none; fill() loads the field anyway.
      const wc = wcs[n];
      if (!isCompletion(wc)) break;
      index = (index + 1) | 0;
      const qpn = i32[cqe + QPN];
      let qp = this.lastQp;
      if (qp.qpNum !== qpn) {
        qp = this.qps.get(qpn);
        if (qp.qpNum !== qpn) {
          if (this.fillXrc(wc, cqe)) n++;
          continue;
        }
        this.lastQp = qp;
      }
      this.fill(wc, cqe, qp);
      n++;
    }
    if (index !== first) {
      this.consumer = index;
      storeOrdered(i32, this.consumerWord, index);
    }
    return n;
  }

  /** From CQE to completion; frees the slots of the work queue up to this one. */
  private fill(wc: WorkCompletion, cqe: number, qp: QpSlots): void {
    const { i32 } = this;
    const opcode = i32[cqe + OPCODE];
    const wqeIndex = i32[cqe + WQE_INDEX];
    if ((opcode & RECV_BIT) !== 0 && qp.srq !== null) {
      wc.wrId = qp.srq.complete(wqeIndex);
    } else {
      const queue = (opcode & RECV_BIT) !== 0 ? qp.recv : qp.send;
      wc.wrId = queue.wrIds[wqeIndex & queue.mask]!;
      queue.tail = (wqeIndex + 1) | 0;
    }
    const flags = i32[cqe + FLAGS];
    const pkeyIndex = i32[cqe + PKEY_INDEX];
    const syndrome = i32[cqe + SYNDROME];
    wc.opcode = opcode;
    wc.byteLen = i32[cqe + BYTE_LEN] >>> 0;
    wc.immData = i32[cqe + IMM] >>> 0;
    wc.qpNum = qp.qpNum;
    wc.srcQp = i32[cqe + SRC_QPN]!;
    wc.wcFlags = flags & WC_FLAGS_MASK;
    wc.sl = (flags >>> SL_SHIFT) & SL_MASK;
    wc.slid = flags >>> SLID_SHIFT;
    wc.pkeyIndex = pkeyIndex & INDEX_MASK;
    wc.dlidPathBits = (pkeyIndex >>> PATH_BITS_SHIFT) & PATH_BITS_MASK;
    // Success after success leaves these fields as they are: 0.
    if ((syndrome | wc.status) !== 0) this.fillFault(wc, cqe, syndrome);
  }

  /** A receive of an XRC SRQ, whose QP is not one of this table. False when the SRQ, or a QP of another kind, is gone. */
  private fillXrc(wc: WorkCompletion, cqe: number): boolean {
    const slots = this.xrcSlots(cqe);
    if (slots.srq === null) return false;
    this.fill(wc, cqe, slots);
    wc.qpNum = this.i32[cqe + QPN];
    wc.srcQp = 0;
    return true;
  }

  /** The queue of the XRC SRQ that a CQE is of, or {@link NO_QP}. */
  private xrcSlots(cqe: number): QpSlots {
    const { i32 } = this;
    return (i32[cqe + FLAGS] & XRC) === 0 ? NO_QP : this.qps.getXrcSrq(i32[cqe + SRC_QPN]);
  }

  private fillFault(wc: WorkCompletion, cqe: number, syndrome: number): void {
    const { i32 } = this;
    wc.status = STATUS[syndrome & 0xff]!;
    wc.vendorErr = i32[cqe + VENDOR_ERR] >>> 0;
    wc.faultKey = i32[cqe + FAULT_KEY] >>> 0;
    wc.faultAddr = (i32[cqe + FAULT_ADDR_HI] >>> 0) * TWO_32 + (i32[cqe + FAULT_ADDR_LO] >>> 0);
  }

  /**
   * Takes one CQE, where it lies, for an extended CQ: returns its word, or -1. Its room is given back by
   * {@link RingCompletionQueue.publish}; that of its WQE is free at once. @internal
   */
  takeOne(): number {
    const { i32, base, mask, log2Count } = this;
    for (;;) {
      const index = this.consumer;
      const cqe = base + ((index & mask) << CQE_SHIFT);
      if (loadOrdered(i32, cqe + VALID) !== ((index >>> log2Count) & 1) + 1) return -1;
      this.consumer = (index + 1) | 0;
      const qpn = i32[cqe + QPN];
      let qp = this.lastQp;
      if (qp.qpNum !== qpn) {
        qp = this.qps.get(qpn);
        if (qp.qpNum === qpn) this.lastQp = qp;
        else if ((qp = this.xrcSlots(cqe)).srq === null) continue; // its QP is gone
      }
      const wqeIndex = i32[cqe + WQE_INDEX];
      const received = (i32[cqe + OPCODE] & RECV_BIT) !== 0;
      if (received && qp.srq !== null) {
        this.takenWrId = qp.srq.complete(wqeIndex);
      } else {
        const queue = received ? qp.recv : qp.send;
        this.takenWrId = queue.wrIds[wqeIndex & queue.mask]!;
        queue.tail = (wqeIndex + 1) | 0;
      }
      return cqe;
    }
  }

  /** Gives back the room of everything that was taken. @internal */
  publish(): void {
    storeOrdered(this.i32, this.consumerWord, this.consumer);
  }

  /** Lets the device run. @internal */
  idle(): void {
    this.doorbell.idle();
  }

  /** `WcStatus` of a CQE. @internal */
  statusAt(cqe: number): number {
    return STATUS[this.i32[cqe + SYNDROME] & 0xff];
  }

  /**
   * Removes the CQEs of a QP that was reset or destroyed, and closes the gaps, so that a later QP of the same number is not
   * given them. The device must have stopped producing for that QP; it may go on for others, behind the last entry seen here.
   */
  clean(qpNum: number): void {
    const { srq } = this.qps.get(qpNum);
    if (this.lastQp.qpNum === qpNum) this.lastQp = NO_QP;
    let end = this.consumer;
    while (((end - this.consumer) | 0) <= this.mask && this.isValid(end)) end = (end + 1) | 0;
    // From the newest to the oldest, so that an entry moves up into a gap, and the oldest places become free.
    let removed = 0;
    for (let index = (end - 1) | 0; ((index - this.consumer) | 0) >= 0; index = (index - 1) | 0) {
      const cqe = this.wordOf(index);
      if (this.i32[cqe + QPN] === qpNum) {
        removed++;
        // The SRQ outlives the QP and wants its WQE back.
        if (srq !== null && (this.i32[cqe + OPCODE] & RECV_BIT) !== 0) srq.complete(this.i32[cqe + WQE_INDEX]);
      } else if (removed > 0) {
        this.move(index, (index + removed) | 0);
      }
    }
    this.consumer = (this.consumer + removed) | 0;
    Atomics.store(this.i32, this.consumerWord, this.consumer);
    if (this.keeps) this.publishKept();
  }

  /**
   * From now on a CQE that was polled counts as one that was not, until {@link RingCompletionQueue.giveBack}: polls tell another word than the
   * device's how far they are.
   */
  keepRoom(): void {
    if (this.keeps) return;
    this.keeps = true;
    this.consumerWord += POLLED - CONSUMER;
  }

  /** `count` CQEs were polled that keep their room. What the poll passed over beside them has none any more. */
  keep(count: number): void {
    this.kept += count;
    this.publishKept();
  }

  /** The room of the oldest `count` CQEs that were kept is free. */
  giveBack(count: number): void {
    this.kept -= count;
    this.publishKept();
  }

  private publishKept(): void {
    Atomics.store(this.i32, this.consumerWord + CONSUMER - POLLED, (this.consumer - this.kept) | 0);
  }

  private isValid(index: number): boolean {
    return Atomics.load(this.i32, this.wordOf(index) + VALID) === cqeGeneration(index, this.log2Count);
  }

  private move(from: number, to: number): void {
    const { i32 } = this;
    const source = this.wordOf(from);
    const target = this.wordOf(to);
    i32.copyWithin(target, source, source + VALID);
    Atomics.store(i32, target + VALID, cqeGeneration(to, this.log2Count));
  }

  private wordOf(index: number): number {
    return this.base + ((index & this.mask) << CQE_SHIFT);
  }
}
