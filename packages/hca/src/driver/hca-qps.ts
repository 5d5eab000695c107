/** The QPs of a context. Their handles are the device's numbers (QPN). */
import { Errno, type QpAttr, type QpCap, QpDataInOrderCaps, WrOpcode } from '@openverbs/verbs';
import { QueueMemory } from '@openverbs/verbs/driver';
import type { QpOps, QpRequest, QpShape } from '@openverbs/verbs/driver';
import { Qpc } from '../layout.ts';
import { asVerbsError } from './errors.ts';
import { fromQpc, toQpChange } from './qp-attributes.ts';
import type { QueueParts, RingBuffer } from './ring-memory.ts';

/** What moves data. */
const IN_ORDER: readonly number[] = [
  WrOpcode.SEND,
  WrOpcode.SEND_WITH_IMM,
  WrOpcode.SEND_WITH_INV,
  WrOpcode.RDMA_WRITE,
  WrOpcode.RDMA_WRITE_WITH_IMM,
  WrOpcode.RDMA_READ,
];

export class HcaQps {
  readonly #parts: QueueParts;
  /** Of those that are in memory of another, and of openings, there is none. */
  readonly #memory: QueueMemory<RingBuffer>;
  readonly #qpns = new Set<number>();

  constructor(parts: QueueParts) {
    this.#parts = parts;
    this.#memory = new QueueMemory(parts.rings);
  }

  create(request: QpRequest): QpOps {
    const { rings, user } = this.#parts;
    const geometry = user.qpGeometry(shapeOf(request));
    return this.#memory.create(geometry.bytes, ({ addr, key }) => {
      const made = rings.withReaping(() => this.createOn(key, request));
      return { ...made, dataPath: user.qpRings(addr, geometry, made.qpNum) };
    });
  }

  /** Stage two: on the key of memory that is registered. */
  createOn(
    bufferKey: number,
    request: QpRequest,
  ): { readonly handle: number; readonly qpNum: number; readonly cap: QpCap } {
    const { qpType: type, pd, sendCq: sendCqn, recvCq: recvCqn, srq, xrcd } = request;
    const { commands, uar, user } = this.#parts;
    const { cap, rings } = user.qpGeometry(shapeOf(request));
    const qpNum = commands.qps.create({
      uar,
      pd,
      type,
      bufferKey,
      sendCqn,
      recvCqn,
      ...(xrcd === null ? {} : { xrcdn: xrcd }),
      ...(srq === null ? {} : { srqn: srq }),
      ...rings,
      maxSendWr: cap.maxSendWr,
      maxRecvWr: cap.maxRecvWr,
      maxSendSge: cap.maxSendSge,
      maxRecvSge: cap.maxRecvSge,
      maxInline: cap.maxInlineData,
    });
    this.#qpns.add(qpNum);
    return { handle: qpNum, qpNum, cap };
  }

  /** Another opening of an XRC_RECV QP. It has no rings; the handle is the number of the opening. */
  open(xrcdn: number, qpNum: number): QpOps {
    const { commands, uar } = this.#parts;
    const { i32, u8 } = commands.engine.machine;
    const handle = asVerbsError(() => commands.qps.open({ uar, xrcdn, qpn: qpNum }));
    this.#qpns.add(handle);
    const q = commands.qps.context(handle);
    const refuse = (): number => Errno.EINVAL;
    const state = (): number => Atomics.load(i32, q + Qpc.STATE);
    const dataPath = { kind: 'calls' as const, badWrIndex: 0, postSend: refuse, postRecv: refuse, state };
    return { handle, qpNum, cap: fromQpc(i32, u8, q).cap, dataPath };
  }

  modify(qpn: number, attr: QpAttr, mask: number): void {
    asVerbsError(() => {
      this.#parts.commands.qps.modify(qpn, toQpChange(attr, mask));
    });
  }

  query(qpn: number): { readonly attr: Required<QpAttr>; readonly cap: QpCap } {
    const { qps, engine } = this.#parts.commands;
    const { i32, u8 } = engine.machine;
    return asVerbsError(() => engine.command(() => fromQpc(i32, u8, qps.context(qpn))));
  }

  /** The DMA engine copies piece after piece, and stores the last word of each after the rest of it. */
  dataInOrder(opcode: number): number {
    return IN_ORDER.includes(opcode) ? QpDataInOrderCaps.WHOLE_MSG : 0;
  }

  /** The state that a QP is in. */
  state(qpn: number): number {
    const { commands } = this.#parts;
    return asVerbsError(() => commands.engine.machine.i32[commands.qps.context(qpn) + Qpc.STATE]);
  }

  /** What tells how many work requests of a QP the device is done with, modulo 2^32; when the QP has gone, how many it were. */
  takenOf(qpn: number): () => number {
    const { i32 } = this.#parts.commands.engine.machine;
    return this.#countOf(qpn, (q) => (i32[q + Qpc.SQ_CONSUMER] + i32[q + Qpc.RQ_CONSUMER]) >>> 0);
  }

  /** What tells how many bytes of payload the sends had that the device is done with; likewise. */
  payloadBytesOf(qpn: number): () => number {
    const { f64 } = this.#parts.commands.engine.machine;
    return this.#countOf(qpn, (q) => f64[(q + Qpc.PAYLOAD_BYTES) >> 1]);
  }

  #countOf(qpn: number, read: (q: number) => number): () => number {
    const { commands } = this.#parts;
    const { i32 } = commands.engine.machine;
    const q = commands.qps.context(qpn);
    let count = 0;
    return () => {
      if (i32[q + Qpc.QPN] === qpn) count = read(q);
      return count;
    };
  }

  destroy(qpn: number): void {
    asVerbsError(() => {
      this.#parts.commands.qps.destroy(qpn);
    });
    this.#memory.release(qpn);
    this.#qpns.delete(qpn);
  }

  destroyAll(): void {
    for (const qpn of [...this.#qpns]) this.destroy(qpn);
  }
}

function shapeOf({ qpType, cap, srq }: QpRequest): QpShape {
  return { qpType, cap, withSrq: srq !== null };
}
