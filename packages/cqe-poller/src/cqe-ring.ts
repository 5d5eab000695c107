/**
 * The buffer: a ring of CQEs in the OpenVerbs layout, and its doorbell record, in memory of its own. Its members are `private`, as those of
 * `CqePoller` are.
 */
import {
  CQ_DOORBELL_RECORD_BYTES,
  CQE_BYTES,
  CQE_WORDS,
  CqDoorbellRecord,
  cqeGeneration,
  CqeWords,
  type CqRings,
  type Doorbell,
} from '@openverbs/verbs/rings';

const { VALID, TIMESTAMP_LO, TIMESTAMP_HI } = CqeWords;
const { CONSUMER } = CqDoorbellRecord;
const BASE_WORD = CQ_DOORBELL_RECORD_BYTES / 4;
const WORDS = CQE_WORDS;
const TWO_32 = 4294967296;

export class CqeRing {
  readonly i32: Int32Array;
  /** Entries are 2 ** log2Count. */
  readonly log2Count: number;
  private readonly mask: number;
  /** Free-running count of CQEs that were added, an int32. */
  private producer = 0;

  constructor(cqe: number) {
    this.log2Count = Math.ceil(Math.log2(cqe));
    const count = 2 ** this.log2Count;
    this.mask = count - 1;
    this.i32 = new Int32Array((CQ_DOORBELL_RECORD_BYTES + count * CQE_BYTES) / 4);
  }

  /** Free-running count of CQEs that left, an int32. */
  get consumer(): number {
    return this.i32[CONSUMER];
  }

  /** CQEs that are in it. */
  get size(): number {
    return (this.producer - this.i32[CONSUMER]) | 0;
  }

  /** As the data path over rings takes it. */
  rings(doorbell: Doorbell): CqRings {
    const { i32, log2Count } = this;
    return { kind: 'rings', i32, doorbell, doorbellRecordAddr: 0, cqAddr: CQ_DOORBELL_RECORD_BYTES, log2Count };
  }

  /** Adds `count` CQEs that lie one after another; there is room for them. */
  append(source: Int32Array, word: number, count: number): void {
    const { i32 } = this;
    for (let i = 0; i < count; i++) {
      const cqe = this.wordOf(this.producer);
      const from = word + i * WORDS;
      for (let at = 0; at < VALID; at++) i32[cqe + at] = source[from + at];
      i32[cqe + VALID] = cqeGeneration(this.producer, this.log2Count);
      this.producer = (this.producer + 1) | 0;
    }
  }

  /** Takes over what another one holds. Indices run on. */
  adopt(other: CqeRing): void {
    this.producer = this.i32[CONSUMER] = other.consumer;
    while (this.producer !== other.producer) this.append(other.i32, other.wordOf(this.producer), 1);
  }

  /** The time of the CQE that left last. */
  lastTimestamp(): number {
    const cqe = this.wordOf((this.consumer - 1) | 0);
    return (this.i32[cqe + TIMESTAMP_HI] >>> 0) * TWO_32 + (this.i32[cqe + TIMESTAMP_LO] >>> 0);
  }

  private wordOf(index: number): number {
    return BASE_WORD + (index & this.mask) * WORDS;
  }
}
