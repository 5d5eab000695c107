/** The host's half of a QP, which writes any words into its rings, right or wrong. */
import { QP_DOORBELL_RECORD_BYTES, QpDoorbellRecord, RecvWqe, SendWqe, SGE_WORDS } from '@openverbs/verbs/rings';
import { Qpc, QpcType } from '../../src/layout.ts';
import { Opcode, SendFlag } from '../../src/opcode.ts';
import type { Cqe, TestCq } from './test-cq.ts';
import { split } from './region.ts';
import type { Sge } from './region.ts';
import type { TestSrq } from './test-srq.ts';
import type { QpOptions, Testbed } from './testbed.ts';

/** A send WQE as a test spells it. What is left out is 0; `words` overwrite single words at the end. */
export interface SendSpec {
  readonly opcode?: number;
  /** Default SIGNALED. */
  readonly flags?: number;
  readonly sges?: readonly Sge[];
  readonly inline?: ArrayLike<number>;
  readonly imm?: number;
  readonly remote?: bigint;
  readonly rkey?: number;
  readonly compareAdd?: bigint;
  readonly swap?: bigint;
  /** FLUSH: bytes of the range. */
  readonly flushLength?: number;
  readonly words?: Readonly<Record<number, number>>;
}

export class TestQp {
  readonly number: number;
  /** Word index of the QP context. */
  readonly context: number;
  /** Word index of the doorbell record. */
  readonly record: number;
  readonly uar: number;
  readonly sendCq: TestCq;
  readonly recvCq: TestCq;
  readonly srq: TestSrq | undefined;
  readonly sqLog2Count: number;
  readonly rqLog2Count: number;
  /** WQEs written. */
  sent = 0;
  received = 0;
  readonly #bed: Testbed;
  readonly #sqLog2Bytes: number;
  readonly #rqLog2Bytes: number;

  constructor(bed: Testbed, options: QpOptions) {
    const { sqLog2Count = 4, rqLog2Count = 4, sqLog2Bytes = 7, maxSendSge = 4, maxRecvSge = 4 } = options;
    this.#bed = bed;
    this.uar = options.uar ?? bed.uar;
    this.sendCq = options.sendCq ?? bed.cq();
    this.recvCq = options.recvCq ?? this.sendCq;
    this.srq = options.srq;
    this.sqLog2Count = sqLog2Count;
    this.rqLog2Count = rqLog2Count;
    this.#sqLog2Bytes = sqLog2Bytes;
    this.#rqLog2Bytes = 7;
    const bytes = QP_DOORBELL_RECORD_BYTES + 2 ** (sqLog2Count + sqLog2Bytes) + 2 ** (rqLog2Count + this.#rqLog2Bytes);
    const { addr, key } = bed.ringKey(bytes, this.uar);
    this.number = bed.commands.qps.create({
      uar: this.uar,
      pd: options.pd ?? bed.pd,
      type: options.type ?? QpcType.RC,
      bufferKey: key,
      sendCqn: this.sendCq.number,
      recvCqn: this.recvCq.number,
      ...(options.srq === undefined ? {} : { srqn: options.srq.number }),
      ...(options.xrcdn === undefined ? {} : { xrcdn: options.xrcdn }),
      sqLog2Count,
      sqLog2Bytes,
      rqLog2Count,
      rqLog2Bytes: this.#rqLog2Bytes,
      maxSendWr: 2 ** sqLog2Count,
      maxRecvWr: 2 ** rqLog2Count,
      maxSendSge,
      maxRecvSge,
      maxInline: options.maxInline ?? 64,
    });
    this.context = bed.commands.qps.context(this.number);
    this.record = addr >>> 2;
  }

  get state(): number {
    return this.word('STATE');
  }

  word(name: keyof typeof Qpc): number {
    return this.#bed.i32[this.context + Qpc[name]];
  }

  setWord(name: keyof typeof Qpc, value: number): void {
    this.#bed.i32[this.context + Qpc[name]] = value;
  }

  /** Writes a send WQE and moves the producer, without a doorbell. */
  writeSend(spec: SendSpec): number {
    const { i32, u8 } = this.#bed.machine;
    const { opcode = Opcode.SEND, flags = SendFlag.SIGNALED, sges = [], inline } = spec;
    const index = this.sent;
    const w = this.sendSlot(index);
    i32.fill(0, w, w + (1 << (this.#sqLog2Bytes - 2)));
    i32[w + SendWqe.OPCODE] = opcode;
    i32[w + SendWqe.FLAGS] = flags | (sges.length << 8) | (inline === undefined ? 0 : SendFlag.INLINE);
    i32[w + SendWqe.IMM] = spec.imm ?? 0;
    i32[w + SendWqe.RKEY] = spec.rkey ?? 0;
    [i32[w + SendWqe.REMOTE_ADDR_LO], i32[w + SendWqe.REMOTE_ADDR_HI]] = split(spec.remote ?? 0n);
    writeSges(i32, w + SendWqe.SGE, sges);
    if (inline !== undefined) {
      i32[w + SendWqe.INLINE_LENGTH] = inline.length;
      u8.set(Uint8Array.from(inline), (w + SendWqe.SGE) * 4);
    }
    if (spec.compareAdd !== undefined) {
      [i32[w + SendWqe.COMPARE_ADD_LO], i32[w + SendWqe.COMPARE_ADD_HI]] = split(spec.compareAdd);
      [i32[w + SendWqe.SWAP_LO], i32[w + SendWqe.SWAP_HI]] = split(spec.swap ?? 0n);
    }
    if (spec.flushLength !== undefined) i32[w + SendWqe.FLUSH_LENGTH] = spec.flushLength;
    for (const [word, value] of Object.entries(spec.words ?? {})) i32[w + Number(word)] = value;
    this.sent = (index + 1) | 0;
    Atomics.store(i32, this.record + QpDoorbellRecord.SQ_PRODUCER, this.sent);
    return index;
  }

  /** Posts one send WQE and rings the doorbell. */
  send(spec: SendSpec): number {
    const index = this.writeSend(spec);
    this.ring();
    return index;
  }

  /** Posts one send WQE and takes the completions that follow from it. */
  sendAndPoll(spec: SendSpec): Cqe[] {
    this.send(spec);
    return this.sendCq.poll();
  }

  ring(): void {
    this.#bed.engine.ringSq(this.uar, this.#bed.hca.qpTable, this.number);
  }

  /** Posts one receive WQE; `words` overwrite single words at the end. */
  recv(sges: readonly Sge[] = [], words: Readonly<Record<number, number>> = {}): number {
    const { i32 } = this.#bed;
    const index = this.received;
    const w = this.recvSlot(index);
    i32.fill(0, w, w + (1 << (this.#rqLog2Bytes - 2)));
    i32[w + RecvWqe.SGE_COUNT] = sges.length;
    writeSges(i32, w + RecvWqe.SGE, sges);
    for (const [word, value] of Object.entries(words)) i32[w + Number(word)] = value;
    this.received = (index + 1) | 0;
    Atomics.store(i32, this.record + QpDoorbellRecord.RQ_PRODUCER, this.received);
    return index;
  }

  sendSlot(index: number): number {
    const base = this.#bed.i32[this.context + Qpc.SQ_BASE];
    return base + ((index & (2 ** this.sqLog2Count - 1)) << (this.#sqLog2Bytes - 2));
  }

  recvSlot(index: number): number {
    const base = this.#bed.i32[this.context + Qpc.RQ_BASE];
    return base + ((index & (2 ** this.rqLog2Count - 1)) << (this.#rqLog2Bytes - 2));
  }

  /** Lets both sides count from `index` in both queues, as if so many WQEs had passed. */
  startAt(index: number): void {
    this.sent = this.received = index | 0;
    this.setWord('SQ_CONSUMER', this.sent);
    this.setWord('RQ_CONSUMER', this.received);
    Atomics.store(this.#bed.i32, this.record + QpDoorbellRecord.SQ_PRODUCER, this.sent);
    Atomics.store(this.#bed.i32, this.record + QpDoorbellRecord.RQ_PRODUCER, this.received);
  }

  destroy(): void {
    this.#bed.commands.qps.destroy(this.number);
  }
}

/** Writes SGEs from the word `at` on. */
export function writeSges(i32: Int32Array, at: number, sges: readonly Sge[]): void {
  sges.forEach((sge, n) => {
    const w = at + n * SGE_WORDS;
    [i32[w], i32[w + 1]] = split(sge.addr);
    i32[w + 2] = sge.length;
    i32[w + 3] = sge.key;
  });
}
