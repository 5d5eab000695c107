/** A device that does at once and without fail what is posted: an ideal loopback. */
import { QpState } from '../../src/enums/qp.ts';
import { WcFlags, WcOpcode } from '../../src/enums/wc.ts';
import { SendFlags, WrOpcode } from '../../src/enums/wr.ts';
import { CqeSyndrome, QpDoorbellRecord, RecvWqe, SendWqe, SgeWords } from '../../src/rings/layout.ts';
import type { Doorbell, QpRings } from '../../src/rings/rings.ts';
import { FakeMemory } from './fake-memory.ts';
import { type CqeFields, type FakeCq, qpRecordWord } from './fake-rings.ts';

/** A queue pair as its device sees it. */
export interface FakeQp {
  readonly handle: number;
  readonly rings: QpRings;
  readonly sendCq: FakeCq;
  readonly recvCq: FakeCq;
  destQpNum: number;
  sqDone: number;
  rqDone: number;
}

interface Piece {
  readonly offset: number;
  readonly length: number;
}

const WC_OF_WR: Readonly<Record<number, number>> = {
  [WrOpcode.RDMA_WRITE]: WcOpcode.RDMA_WRITE,
  [WrOpcode.RDMA_WRITE_WITH_IMM]: WcOpcode.RDMA_WRITE,
  [WrOpcode.SEND]: WcOpcode.SEND,
  [WrOpcode.SEND_WITH_IMM]: WcOpcode.SEND,
  [WrOpcode.SEND_WITH_INV]: WcOpcode.SEND,
  [WrOpcode.RDMA_READ]: WcOpcode.RDMA_READ,
  [WrOpcode.ATOMIC_CMP_AND_SWP]: WcOpcode.COMP_SWAP,
  [WrOpcode.ATOMIC_FETCH_AND_ADD]: WcOpcode.FETCH_ADD,
  [WrOpcode.LOCAL_INV]: WcOpcode.LOCAL_INV,
};

/** The device, and the doorbell of its one context. */
export class FakeDevice implements Doorbell {
  readonly memory = new FakeMemory();
  readonly qps = new Map<number, FakeQp>();
  /** While set, doorbells are counted and nothing is done. */
  paused = false;
  sqRings = 0;
  rqRings = 0;
  idles = 0;
  /** Called by an empty poll. */
  onIdle: () => void = () => undefined;
  /** Words of each WQE that was executed, for tests that look at them. */
  readonly executed: Int32Array[] = [];

  ringSq(qpNum: number): void {
    this.sqRings++;
    if (!this.paused) this.run(qpNum);
  }

  ringRq(qpNum: number): void {
    this.rqRings++;
    if (!this.paused) this.#flushReceives(this.qps.get(qpNum)!);
  }

  idle(): void {
    this.idles++;
    this.onIdle();
  }

  inlineSource(addr: number, length: number): number {
    return this.memory.offsetOf(addr, length);
  }

  /** Executes what is posted. */
  run(qpNum: number): void {
    const qp = this.qps.get(qpNum)!;
    const head = qpRecordWord(qp.rings, 'SQ_PRODUCER');
    while (qp.sqDone !== head) {
      this.#execute(qp, qp.sqDone);
      qp.sqDone = (qp.sqDone + 1) | 0;
    }
    if (this.#state(qp) === QpState.ERR) this.#flushReceives(qp);
  }

  #state(qp: FakeQp): number {
    return qp.rings.i32[(qp.rings.doorbellRecordAddr >>> 2) + QpDoorbellRecord.STATE];
  }

  #execute(qp: FakeQp, index: number): void {
    const { i32 } = this.memory;
    const { rings } = qp;
    const wqe = (rings.sqAddr + ((index & (2 ** rings.sqLog2Count - 1)) << rings.sqLog2Bytes)) >>> 2;
    this.executed.push(i32.slice(wqe, wqe + 2 ** (rings.sqLog2Bytes - 2)));
    const opcode = i32[wqe + SendWqe.OPCODE];
    const flags = i32[wqe + SendWqe.FLAGS];
    const flushed = this.#state(qp) === QpState.ERR;
    if (!flushed) this.#transfer(qp, wqe, opcode, flags);
    if (!flushed && (flags & SendFlags.SIGNALED) === 0) return;
    qp.sendCq.complete({
      QPN: rings.qpNum,
      WQE_INDEX: index,
      OPCODE: WC_OF_WR[opcode] ?? 0,
      SYNDROME: flushed ? CqeSyndrome.WR_FLUSH_ERR : CqeSyndrome.SUCCESS,
    });
  }

  #transfer(qp: FakeQp, wqe: number, opcode: number, flags: number): void {
    const { i32, u64 } = this.memory;
    const local = this.#piecesOf(wqe, flags);
    const remote = (i32[wqe + SendWqe.REMOTE_ADDR_HI] >>> 0) * 2 ** 32 + (i32[wqe + SendWqe.REMOTE_ADDR_LO] >>> 0);
    const total = local.reduce((sum, { length }) => sum + length, 0);
    const target = this.memory.offsetOf(remote, total);
    const imm = i32[wqe + SendWqe.IMM];
    switch (opcode) {
      case WrOpcode.RDMA_WRITE:
        this.#copy(local, [{ offset: target, length: total }]);
        break;
      case WrOpcode.RDMA_WRITE_WITH_IMM:
        this.#copy(local, [{ offset: target, length: total }]);
        this.#receive(
          qp,
          { OPCODE: WcOpcode.RECV_RDMA_WITH_IMM, IMM: imm, FLAGS: WcFlags.WITH_IMM, BYTE_LEN: total },
          [],
        );
        break;
      case WrOpcode.RDMA_READ:
        this.#copy([{ offset: target, length: total }], local);
        break;
      case WrOpcode.ATOMIC_CMP_AND_SWP:
      case WrOpcode.ATOMIC_FETCH_AND_ADD: {
        const u64At = (word: number): bigint => (BigInt(i32[word + 1] >>> 0) << 32n) | BigInt(i32[word] >>> 0);
        const old = u64[target / 8];
        const operand = u64At(wqe + SendWqe.COMPARE_ADD_LO);
        if (opcode === WrOpcode.ATOMIC_FETCH_AND_ADD) u64[target / 8] += operand;
        else if (old === operand) u64[target / 8] = u64At(wqe + SendWqe.SWAP_LO);
        u64[local[0].offset / 8] = old;
        break;
      }
      case WrOpcode.SEND:
        this.#receive(qp, { OPCODE: WcOpcode.RECV }, local, flags);
        break;
      case WrOpcode.SEND_WITH_IMM:
        this.#receive(qp, { OPCODE: WcOpcode.RECV, IMM: imm, FLAGS: WcFlags.WITH_IMM }, local, flags);
        break;
      case WrOpcode.SEND_WITH_INV:
        this.#receive(qp, { OPCODE: WcOpcode.RECV, IMM: imm, FLAGS: WcFlags.WITH_INV }, local, flags);
        break;
    }
  }

  /** Takes a receive of the peer; an ideal peer has always one. */
  #receive(from: FakeQp, fields: CqeFields, data: readonly Piece[], flags = 0): void {
    const { i32 } = this.memory;
    const peer = this.qps.get(from.destQpNum)!;
    if (peer.rqDone === qpRecordWord(peer.rings, 'RQ_PRODUCER')) throw new Error('no receive is posted');
    const index = peer.rqDone;
    peer.rqDone = (index + 1) | 0;
    const { rings } = peer;
    const wqe = (rings.rqAddr + ((index & (2 ** rings.rqLog2Count - 1)) << rings.rqLog2Bytes)) >>> 2;
    this.#copy(data, this.#sges(wqe + RecvWqe.SGE, i32[wqe + RecvWqe.SGE_COUNT]));
    const BYTE_LEN = data.reduce((sum, { length }) => sum + length, 0);
    const cqe = { BYTE_LEN, QPN: rings.qpNum, WQE_INDEX: index, SRC_QPN: from.rings.qpNum, ...fields };
    peer.recvCq.complete(cqe, (flags & SendFlags.SOLICITED) !== 0);
  }

  #flushReceives(qp: FakeQp): void {
    const head = qpRecordWord(qp.rings, 'RQ_PRODUCER');
    for (; qp.rqDone !== head; qp.rqDone = (qp.rqDone + 1) | 0) {
      const { qpNum } = qp.rings;
      qp.recvCq.complete({
        QPN: qpNum,
        WQE_INDEX: qp.rqDone,
        OPCODE: WcOpcode.RECV,
        SYNDROME: CqeSyndrome.WR_FLUSH_ERR,
      });
    }
  }

  #piecesOf(wqe: number, flags: number): Piece[] {
    if ((flags & SendFlags.INLINE) === 0) return this.#sges(wqe + SendWqe.SGE, flags >>> 8);
    return [{ offset: (wqe + SendWqe.SGE) * 4, length: this.memory.i32[wqe + SendWqe.INLINE_LENGTH] }];
  }

  #sges(word: number, count: number): Piece[] {
    const { i32 } = this.memory;
    return Array.from({ length: count }, (_, i) => {
      const w = word + 4 * i;
      const addr = (i32[w + SgeWords.ADDR_HI] >>> 0) * 2 ** 32 + (i32[w + SgeWords.ADDR_LO] >>> 0);
      const length = i32[w + SgeWords.LENGTH] >>> 0;
      return { offset: this.memory.offsetOf(addr, length), length };
    });
  }

  /** Moves bytes; what is not in the memory is not moved. */
  #copy(from: readonly Piece[], to: readonly Piece[]): void {
    const { u8 } = this.memory;
    if ([...from, ...to].some(({ offset }) => offset < 0)) return;
    const bytes = from.flatMap(({ offset, length }) => [...u8.subarray(offset, offset + length)]);
    let taken = 0;
    for (const { offset, length } of to) {
      u8.set(bytes.slice(taken, taken + length), offset);
      taken += length;
    }
  }
}
