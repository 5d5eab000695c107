/** Reads CQEs field by field from a ring in the OpenVerbs layout. Hot: nothing here allocates. */
import type { CqCursor } from '../data-path.ts';
import { DOUBLE } from '../words.ts';
import { CqeFlagsField, CqePkeyIndexField, CqeWords } from './layout.ts';
import type { RingCompletionQueue } from './ring-completion-queue.ts';

// Constants of this module: V8 folds them, and does not fold imported ones.
const { OPCODE, VENDOR_ERR, BYTE_LEN, IMM, QPN, SRC_QPN, FLAGS, PKEY_INDEX } = CqeWords;
const { TIMESTAMP_LO, TIMESTAMP_HI, FAULT_KEY, FAULT_ADDR_LO, FAULT_ADDR_HI } = CqeWords;
const { WC_FLAGS_MASK, SL_SHIFT, SL_MASK, SLID_SHIFT } = CqeFlagsField;
const { PATH_BITS_SHIFT, PATH_BITS_MASK } = CqePkeyIndexField;
const TWO_32 = 4294967296;

/** Goes through a {@link RingCompletionQueue} one CQE at a time. */
export class RingCqCursor implements CqCursor {
  wrId = DOUBLE;
  status = 0;
  private readonly queue: RingCompletionQueue;
  /** Word index of the CQE that was gone to. */
  private cqe = 0;

  constructor(queue: RingCompletionQueue) {
    this.queue = queue;
    this.wrId = 0;
  }

  next(first: boolean): boolean {
    const { queue } = this;
    let cqe = queue.takeOne();
    if (cqe < 0 && first) {
      queue.idle();
      cqe = queue.takeOne();
    }
    if (cqe < 0) {
      if (first) queue.publish(); // CQEs of QPs that are gone may have been passed over
      return false;
    }
    this.cqe = cqe;
    this.wrId = queue.takenWrId;
    this.status = queue.statusAt(cqe);
    return true;
  }

  end(): void {
    this.queue.publish();
  }

  opcode(): number {
    return this.word(OPCODE);
  }
  vendorErr(): number {
    return this.status === 0 ? 0 : this.word(VENDOR_ERR) >>> 0;
  }
  byteLen(): number {
    return this.word(BYTE_LEN) >>> 0;
  }
  immData(): number {
    return this.word(IMM) >>> 0;
  }
  qpNum(): number {
    return this.word(QPN);
  }
  srcQp(): number {
    return this.word(SRC_QPN);
  }
  wcFlags(): number {
    return this.word(FLAGS) & WC_FLAGS_MASK;
  }
  sl(): number {
    return (this.word(FLAGS) >>> SL_SHIFT) & SL_MASK;
  }
  slid(): number {
    return this.word(FLAGS) >>> SLID_SHIFT;
  }
  dlidPathBits(): number {
    return (this.word(PKEY_INDEX) >>> PATH_BITS_SHIFT) & PATH_BITS_MASK;
  }
  completionTs(): number {
    return (this.word(TIMESTAMP_HI) >>> 0) * TWO_32 + (this.word(TIMESTAMP_LO) >>> 0);
  }
  faultKey(): number {
    return this.status === 0 ? 0 : this.word(FAULT_KEY) >>> 0;
  }
  faultAddr(): number {
    return this.status === 0 ? 0 : (this.word(FAULT_ADDR_HI) >>> 0) * TWO_32 + (this.word(FAULT_ADDR_LO) >>> 0);
  }

  private word(word: number): number {
    return this.queue.i32[this.cqe + word];
  }
}
