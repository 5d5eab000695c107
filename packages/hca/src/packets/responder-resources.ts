/**
 * What a responder remembers of reads and atomics, so that it can answer them again: words of machine memory in a ring, as many of
 * them as `max_dest_rd_atomic` count (IBTA 9.7.5.1.2; Linux rxe calls them responder resources).
 */
import type { Machine } from '@openverbs/machine';
import { addPsn, psnDistance } from '@openverbs/rocev2';
import { Qpc } from '../layout.ts';
import { RD_ATOMIC_MAX } from '../limits.ts';
import { Qpt, Resource } from './layout.ts';

const { MAX_DEST_RD_ATOMIC } = Qpc;
const RESOURCE_MASK = RD_ATOMIC_MAX - 1;

export class ResponderResources {
  readonly #i32: Int32Array;

  constructor(machine: Machine) {
    this.#i32 = machine.i32;
  }

  /** Words for the next read or atomic: those of the oldest that may be forgotten; 0 when it is still being answered. */
  next(p: number, t: number, psn: number, packets: number): number {
    const i32 = this.#i32;
    if (i32[t + Qpt.RESPONDING] >= i32[p + MAX_DEST_RD_ATOMIC]) return 0;
    const r = this.#resource(t, i32[t + Qpt.RESOURCES]);
    i32[r + Resource.FIRST_PSN] = psn;
    i32[r + Resource.END_PSN] = addPsn(psn, packets);
    i32[r + Resource.REQUEST_PSN] = psn;
    i32[r + Resource.SEND_PSN] = psn;
    i32[r + Resource.SEND_END] = psn;
    i32[r + Resource.PD] = i32[p + Qpc.PD];
    i32[r + Resource.AGAIN] = 0;
    return r;
  }

  /** The responses to what was committed wait from now on. Lost before that, they are asked for again. */
  startResponding(t: number, r: number): void {
    this.#i32[r + Resource.SEND_END] = this.#i32[r + Resource.END_PSN];
    this.#i32[t + Qpt.RESPONDING]++;
  }

  /** The responses from `psn` up to `end` are sent again. */
  respondAgain(t: number, r: number, psn: number, end: number): void {
    const i32 = this.#i32;
    if (i32[r + Resource.SEND_PSN] === i32[r + Resource.SEND_END]) i32[t + Qpt.RESPONDING]++;
    i32[r + Resource.AGAIN] = 1;
    i32[r + Resource.REQUEST_PSN] = psn;
    i32[r + Resource.SEND_PSN] = psn;
    i32[r + Resource.SEND_END] = end;
  }

  /** The read or atomic that a PSN is of, among those that are remembered: as many as `max_dest_rd_atomic`. */
  find(p: number, t: number, psn: number): number {
    const i32 = this.#i32;
    const count = Math.min(i32[p + MAX_DEST_RD_ATOMIC], i32[t + Qpt.RESOURCES] >>> 0);
    for (let n = 1; n <= count; n++) {
      const r = this.#resource(t, i32[t + Qpt.RESOURCES] - n);
      const first = i32[r + Resource.FIRST_PSN];
      if (psnDistance(first, psn) < psnDistance(first, i32[r + Resource.END_PSN])) return r;
    }
    return 0;
  }

  /** The oldest that has responses to send, or 0. */
  oldestResponding(t: number): number {
    const i32 = this.#i32;
    for (let n = RD_ATOMIC_MAX; n > 0; n--) {
      const r = this.#resource(t, i32[t + Qpt.RESOURCES] - n);
      if (i32[r + Resource.SEND_PSN] !== i32[r + Resource.SEND_END]) return r;
    }
    return 0;
  }

  /** One response has been sent. */
  sent(t: number, r: number): void {
    const i32 = this.#i32;
    i32[r + Resource.SEND_PSN] = addPsn(i32[r + Resource.SEND_PSN], 1);
    if (i32[r + Resource.SEND_PSN] === i32[r + Resource.SEND_END]) i32[t + Qpt.RESPONDING]--;
  }

  /** The responses that wait are not sent. */
  giveUp(t: number, r: number): void {
    const i32 = this.#i32;
    i32[r + Resource.SEND_PSN] = i32[r + Resource.SEND_END];
    i32[t + Qpt.RESPONDING]--;
  }

  /** After a thread died: counts what has responses to send. */
  recover(t: number): void {
    const i32 = this.#i32;
    let responding = 0;
    for (let n = 0; n < RD_ATOMIC_MAX; n++) {
      const r = this.#resource(t, n);
      if (i32[r + Resource.SEND_PSN] !== i32[r + Resource.SEND_END]) responding++;
    }
    i32[t + Qpt.RESPONDING] = responding;
  }

  #resource(t: number, index: number): number {
    return this.#i32[t + Qpt.RESOURCE_RING] + (index & RESOURCE_MASK) * Resource.WORDS;
  }
}
