/** The QPs of a context. Their handles are the device's numbers (QPN). */
import { Errno, type QpCap } from '@openverbs/verbs';
import { QueueMemory } from '@openverbs/verbs/driver';
import type { QpOps, QpRequest, QpShape } from '@openverbs/verbs/driver';
import { Qpc } from '../layout.ts';
import { asVerbsError } from './errors.ts';
import { fromQpc } from './qp-attributes.ts';
import type { QueueParts, RingBuffer } from './ring-memory.ts';

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
    const qpNum = commands.createQp({
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
    const handle = asVerbsError(() => commands.openQp({ uar, xrcdn, qpn: qpNum }));
    this.#qpns.add(handle);
    const q = commands.qp(handle);
    const refuse = (): number => Errno.EINVAL;
    const state = (): number => Atomics.load(i32, q + Qpc.STATE);
    const dataPath = { kind: 'calls' as const, badWrIndex: 0, postSend: refuse, postRecv: refuse, state };
    return { handle, qpNum, cap: fromQpc(i32, u8, q).cap, dataPath };
  }

  /** The state that a QP is in. */
  state(qpn: number): number {
    const { commands } = this.#parts;
    return asVerbsError(() => commands.engine.machine.i32[commands.qp(qpn) + Qpc.STATE]);
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
    const q = commands.qp(qpn);
    let count = 0;
    return () => {
      if (i32[q + Qpc.QPN] === qpn) count = read(q);
      return count;
    };
  }

  destroy(qpn: number): void {
    asVerbsError(() => {
      this.#parts.commands.destroyQp(qpn);
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
