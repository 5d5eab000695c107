/** The QPs of a context. Their handles are the device's numbers (QPN). */
import { Errno, type QpCap } from '@openverbs/verbs';
import type { QpOps, QpRequest, QpShape } from '@openverbs/verbs/driver';
import type { CommandInterface } from '../command-interface.ts';
import { Qpc } from '../layout.ts';
import { asVerbsError } from './errors.ts';
import { fromQpc } from './qp-attributes.ts';
import type { RingBuffer, RingMemory } from './ring-memory.ts';
import type { HcaUserHalf } from './user-half.ts';

export class HcaQps {
  readonly #commands: CommandInterface;
  readonly #uar: number;
  readonly #rings: RingMemory;
  readonly #user: HcaUserHalf;
  /** Ring memory by handle; null where it is of another, and of openings. */
  readonly #buffers = new Map<number, RingBuffer | null>();

  constructor(commands: CommandInterface, uar: number, rings: RingMemory, user: HcaUserHalf) {
    this.#commands = commands;
    this.#uar = uar;
    this.#rings = rings;
    this.#user = user;
  }

  create(request: QpRequest): QpOps {
    const geometry = this.#user.qpGeometry(shapeOf(request));
    const buffer = this.#rings.alloc(geometry.bytes);
    const made = this.#rings.orFree(buffer, () => this.createOn(buffer.key, request));
    this.#buffers.set(made.qpNum, buffer);
    return { ...made, dataPath: this.#user.qpRings(buffer.addr, geometry, made.qpNum) };
  }

  /** Stage two: on the key of memory that is registered. */
  createOn(
    bufferKey: number,
    request: QpRequest,
  ): { readonly handle: number; readonly qpNum: number; readonly cap: QpCap } {
    const { qpType: type, pd, sendCq: sendCqn, recvCq: recvCqn, srq, xrcd } = request;
    const { cap, rings } = this.#user.qpGeometry(shapeOf(request));
    const qpNum = this.#commands.createQp({
      uar: this.#uar,
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
    this.#buffers.set(qpNum, null);
    return { handle: qpNum, qpNum, cap };
  }

  /** Another opening of an XRC_RECV QP. It has no rings; the handle is the number of the opening. */
  open(xrcdn: number, qpNum: number): QpOps {
    const { i32, u8 } = this.#commands.engine.machine;
    const handle = asVerbsError(() => this.#commands.openQp({ uar: this.#uar, xrcdn, qpn: qpNum }));
    this.#buffers.set(handle, null);
    const q = this.#commands.qp(handle);
    const refuse = (): number => Errno.EINVAL;
    const state = (): number => Atomics.load(i32, q + Qpc.STATE);
    const dataPath = { kind: 'calls' as const, badWrIndex: 0, postSend: refuse, postRecv: refuse, state };
    return { handle, qpNum, cap: fromQpc(i32, u8, q).cap, dataPath };
  }

  /** The state that a QP is in. */
  state(qpn: number): number {
    return asVerbsError(() => this.#commands.engine.machine.i32[this.#commands.qp(qpn) + Qpc.STATE]);
  }

  destroy(qpn: number): void {
    asVerbsError(() => {
      this.#commands.destroyQp(qpn);
    });
    this.#rings.free(this.#buffers.get(qpn) ?? null);
    this.#buffers.delete(qpn);
  }

  destroyAll(): void {
    for (const qpn of [...this.#buffers.keys()]) this.destroy(qpn);
  }
}

function shapeOf({ qpType, cap, srq }: QpRequest): QpShape {
  return { qpType, cap, withSrq: srq !== null };
}
