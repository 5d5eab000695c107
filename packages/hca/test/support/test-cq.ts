/** The host's half of a CQ. */
import { CQ_DOORBELL_RECORD_BYTES, CQE_BYTES, CqDoorbellRecord, cqeGeneration, CqeWords } from '@openverbs/verbs/rings';
import { Cqc } from '../../src/layout.ts';
import type { Testbed } from './testbed.ts';

/** What a test looks at of a CQE. */
export interface Cqe {
  readonly qpn: number;
  readonly index: number;
  readonly opcode: number;
  readonly syndrome: number;
  readonly vendorErr: number;
  readonly byteLen: number;
  readonly imm: number;
  readonly flags: number;
  readonly srcQpn: number;
  readonly faultKey: number;
  readonly faultAddr: bigint;
}

export class TestCq {
  readonly number: number;
  /** Word index of the CQ context. */
  readonly context: number;
  /** Word index of the doorbell record. */
  record: number;
  log2Count: number;
  /** CQEs taken. */
  consumer = 0;
  readonly #bed: Testbed;
  #ring: number;

  constructor(bed: Testbed, log2Count: number, flags = 0) {
    this.#bed = bed;
    this.log2Count = log2Count;
    const { addr, key } = bed.ringKey(CQ_DOORBELL_RECORD_BYTES + CQE_BYTES * 2 ** log2Count);
    this.number = bed.commands.cqs.create({ uar: bed.uar, bufferKey: key, log2Count, flags });
    this.context = bed.commands.cqs.context(this.number);
    this.record = addr >>> 2;
    this.#ring = (addr + CQ_DOORBELL_RECORD_BYTES) >>> 2;
  }

  /** Takes all CQEs that are valid, and frees their slots. */
  poll(limit = Infinity): Cqe[] {
    const cqes: Cqe[] = [];
    for (; cqes.length < limit && this.#isValid(); this.consumer = (this.consumer + 1) | 0) cqes.push(this.#read());
    Atomics.store(this.#bed.i32, this.record + CqDoorbellRecord.CONSUMER, this.consumer);
    return cqes;
  }

  /** Polls, lets the device run, and polls again, as verbs do. */
  pollIdle(): Cqe[] {
    this.#bed.engine.idle();
    return this.poll();
  }

  arm(bits: number): void {
    Atomics.or(this.#bed.i32, this.record + CqDoorbellRecord.ARM, bits);
  }

  get armed(): number {
    return Atomics.load(this.#bed.i32, this.record + CqDoorbellRecord.ARM);
  }

  word(name: keyof typeof Cqc): number {
    return this.#bed.i32[this.context + Cqc[name]];
  }

  setWord(name: keyof typeof Cqc, value: number): void {
    this.#bed.i32[this.context + Cqc[name]] = value;
  }

  /** Lets both sides count from `index`, as if so many CQEs had passed. */
  startAt(index: number): void {
    this.consumer = index | 0;
    this.setWord('PRODUCER', this.consumer);
    Atomics.store(this.#bed.i32, this.record + CqDoorbellRecord.CONSUMER, this.consumer);
  }

  resize(log2Count: number): void {
    const { addr, key } = this.#bed.ringKey(CQ_DOORBELL_RECORD_BYTES + CQE_BYTES * 2 ** log2Count);
    this.#bed.commands.cqs.resize(this.number, key, log2Count);
    this.record = addr >>> 2;
    this.#ring = (addr + CQ_DOORBELL_RECORD_BYTES) >>> 2;
    this.log2Count = log2Count;
  }

  /** Word index of the slot that an index falls on. */
  slot(index: number): number {
    return this.#ring + ((index & (2 ** this.log2Count - 1)) << 4);
  }

  #isValid(): boolean {
    const valid = Atomics.load(this.#bed.i32, this.slot(this.consumer) + CqeWords.VALID);
    return valid === cqeGeneration(this.consumer, this.log2Count);
  }

  #read(): Cqe {
    const { i32 } = this.#bed;
    const at = this.slot(this.consumer);
    const failed = i32[at + CqeWords.SYNDROME] !== 0;
    const lo = BigInt(i32[at + CqeWords.FAULT_ADDR_LO] >>> 0);
    const hi = BigInt(i32[at + CqeWords.FAULT_ADDR_HI] >>> 0);
    return {
      qpn: i32[at + CqeWords.QPN],
      index: i32[at + CqeWords.WQE_INDEX],
      opcode: i32[at + CqeWords.OPCODE],
      syndrome: i32[at + CqeWords.SYNDROME],
      vendorErr: i32[at + CqeWords.VENDOR_ERR],
      byteLen: i32[at + CqeWords.BYTE_LEN] >>> 0,
      imm: i32[at + CqeWords.IMM],
      flags: i32[at + CqeWords.FLAGS],
      srcQpn: i32[at + CqeWords.SRC_QPN],
      faultKey: failed ? i32[at + CqeWords.FAULT_KEY] : 0,
      faultAddr: failed ? (hi << 32n) | lo : 0n,
    };
  }
}
