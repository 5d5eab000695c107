/** The host's half of an SRQ, which writes any words into its rings, right or wrong. */
import { RecvWqe, SRQ_DOORBELL_RECORD_BYTES, SrqDoorbellRecord, srqRingBytes } from '@openverbs/verbs/rings';
import { Srqc } from '../../src/layout.ts';
import type { Sge } from './region.ts';
import { writeSges } from './test-qp.ts';
import type { Testbed } from './testbed.ts';

const WQE_LOG2_BYTES = 7;

export interface SrqOptions {
  readonly log2Count?: number;
  readonly maxSge?: number;
  readonly pd?: number;
  /** XRC: the domain, and the CQ. */
  readonly xrc?: { readonly xrcdn: number; readonly cqn: number };
}

export class TestSrq {
  readonly number: number;
  /** Word index of the SRQ context. */
  readonly context: number;
  log2Count: number;
  /** WQEs posted. */
  posted = 0;
  /** Slots that a post may use, the next one first. */
  readonly free: number[];
  readonly #bed: Testbed;

  constructor(bed: Testbed, { log2Count = 4, maxSge = 4, pd = bed.pd, xrc }: SrqOptions) {
    this.#bed = bed;
    this.log2Count = log2Count;
    const { key } = bed.ringKey(bytesOf(log2Count));
    const init = { uar: bed.uar, pd, bufferKey: key, log2Count, wqeLog2Bytes: WQE_LOG2_BYTES, maxSge };
    this.number = bed.commands.srqs.create({ ...init, maxWr: 2 ** log2Count, ...(xrc === undefined ? {} : { xrc }) });
    this.context = bed.commands.srqs.context(this.number);
    this.free = Array.from({ length: 2 ** log2Count }, (_, slot) => slot);
  }

  word(name: keyof typeof Srqc): number {
    return this.#bed.i32[this.context + Srqc[name]];
  }

  setWord(name: keyof typeof Srqc, value: number): void {
    this.#bed.i32[this.context + Srqc[name]] = value;
  }

  /** Posts one WQE into the next free slot, which it returns; `words` overwrite single words at the end. */
  recv(sges: readonly Sge[] = [], words: Readonly<Record<number, number>> = {}): number {
    const { i32 } = this.#bed;
    const slot = this.free.shift()!;
    const w = this.wqe(slot);
    i32.fill(0, w, w + (1 << (WQE_LOG2_BYTES - 2)));
    i32[w + RecvWqe.SGE_COUNT] = sges.length;
    writeSges(i32, w + RecvWqe.SGE, sges);
    for (const [word, value] of Object.entries(words)) i32[w + Number(word)] = value;
    i32[this.entry(this.posted)] = slot;
    this.claim(1);
    return slot;
  }

  /** Moves the producer. */
  claim(count: number): void {
    this.posted = (this.posted + count) | 0;
    Atomics.store(this.#bed.i32, this.word('RECORD') + SrqDoorbellRecord.PRODUCER, this.posted);
  }

  /** Word index of the entry that an index falls on. */
  entry(index: number): number {
    return this.word('RING') + (index & (2 ** this.log2Count - 1));
  }

  /** Word index of the WQE in a slot. */
  wqe(slot: number): number {
    return this.word('WQES') + (slot << (WQE_LOG2_BYTES - 2));
  }

  /** Lets both sides count from `index`, as if so many WQEs had passed. */
  startAt(index: number): void {
    this.setWord('CONSUMER', index | 0);
    this.posted = index | 0;
    this.claim(0);
  }

  resize(log2Count: number): void {
    const { key } = this.#bed.ringKey(bytesOf(log2Count));
    const ring = { bufferKey: key, log2Count };
    this.#bed.commands.srqs.modify(this.number, { maxWr: 2 ** log2Count, ring });
    for (let slot = 2 ** this.log2Count; slot < 2 ** log2Count; slot++) this.free.push(slot);
    this.log2Count = log2Count;
  }

  arm(limit: number): void {
    this.#bed.commands.srqs.modify(this.number, { limit });
  }
}

function bytesOf(log2Count: number): number {
  return SRQ_DOORBELL_RECORD_BYTES + srqRingBytes(log2Count) + 2 ** (log2Count + WQE_LOG2_BYTES);
}
