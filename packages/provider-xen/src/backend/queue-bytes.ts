/**
 * What the queues of a guest in basic take of the device domain's memory. In bypass they lie in the guest's own, and cost nothing here.
 *
 * Counted before a queue is made, by what was asked for, since a guest may ask for anything; but for no more than the device allows, whose own
 * refusal says which limit was passed. A lower provider may take a little more or less.
 */
import type { DeviceAttr, QpCap } from '@openverbs/verbs';
import { CQE_BYTES, RECV_WQE_BYTES_MIN, SEND_WQE_BYTES_MIN, SGE_BYTES } from '@openverbs/verbs/rings';
import { INLINE_BYTES_MAX } from '../protocol/limits.ts';
import type { Quota } from './quota.ts';

/** Doorbell record, and what is lost because memory comes in pages. */
const OVERHEAD_BYTES = 4096;
/** Of a send WQE, what is not SGEs or inline data; of a receive WQE likewise. */
const SEND_HEADER_BYTES = SEND_WQE_BYTES_MIN;
const RECV_HEADER_BYTES = RECV_WQE_BYTES_MIN;

export class QueueBytes {
  readonly #quota: Quota;
  readonly #of = new Map<object, number>();

  constructor(quota: Quota) {
    this.#quota = quota;
  }

  /** Makes a queue that takes so many bytes. @throws VerbsError ENOMEM beyond the quota */
  within<T extends object>(bytes: number, make: () => T): T {
    const queue = this.#quota.within('queueBytes', make, bytes);
    this.#of.set(queue, bytes);
    return queue;
  }

  /** A queue gets other memory. It has both while it moves. One that lies in the guest's memory stays there. */
  move(queue: object, bytes: number, move: () => void): void {
    if (!this.#of.has(queue)) {
      move();
      return;
    }
    this.#quota.within('queueBytes', move, bytes);
    this.end(queue);
    this.#of.set(queue, bytes);
  }

  /** A queue is no more. */
  end(queue: object): void {
    this.#quota.give('queueBytes', this.#of.get(queue) ?? 0);
    this.#of.delete(queue);
  }

  /** All of them are gone. */
  clear(): void {
    for (const queue of [...this.#of.keys()]) this.end(queue);
  }
}

/** Of a CQ. */
export function cqBytes({ maxCqe }: DeviceAttr, cqe: number): number {
  return OVERHEAD_BYTES + entries(cqe, maxCqe) * CQE_BYTES;
}

/** Of a QP; `receives` when it has a receive queue of its own. */
export function qpBytes({ maxQpWr, maxSge }: DeviceAttr, cap: QpCap, receives: boolean): number {
  const gathered = Math.min(cap.maxSendSge, maxSge) * SGE_BYTES;
  const inline = Math.min(cap.maxInlineData, INLINE_BYTES_MAX);
  const send = entries(cap.maxSendWr, maxQpWr) * (SEND_HEADER_BYTES + Math.max(gathered, inline));
  return OVERHEAD_BYTES + send + (receives ? recvBytes(cap.maxRecvWr, maxQpWr, Math.min(cap.maxRecvSge, maxSge)) : 0);
}

/** Of an SRQ. */
export function srqBytes({ maxSrqWr, maxSrqSge }: DeviceAttr, maxWr: number, maxSge: number): number {
  return OVERHEAD_BYTES + recvBytes(maxWr, maxSrqWr, Math.min(maxSge, maxSrqSge));
}

function recvBytes(count: number, most: number, sges: number): number {
  return entries(count, most) * (RECV_HEADER_BYTES + sges * SGE_BYTES);
}

/** Rings are powers of two. */
function entries(count: number, most: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(Math.min(count, most), 1)));
}
