/** Hardware counters of a port, under the names that rxe gives them (source: Linux drivers/infiniband/sw/rxe/rxe_hw_counters.c). */
import type { Machine } from '@openverbs/machine';
import { HcaHeader, Qpc } from './layout.ts';

/** Where each counter is, from {@link HcaHeader.COUNTERS} on. */
export const Count = {
  SENT_PKTS: 0,
  RCVD_PKTS: 1,
  DUPLICATE_REQUEST: 2,
  OUT_OF_SEQ_REQUEST: 3,
  RCVD_RNR_ERR: 4,
  SEND_RNR_ERR: 5,
  RCVD_SEQ_ERR: 6,
  ACK_DEFERRED: 7,
  RETRY_EXCEEDED_ERR: 8,
  RETRY_RNR_EXCEEDED_ERR: 9,
  COMPLETER_RETRY_ERR: 10,
  SEND_ERR: 11,
  /** Not of rxe: packets that were sent before. */
  RETRANSMITTED_PKTS: 12,
  /** Not of rxe: frames that failed their ICRC or were no packets. */
  RCVD_ICRC_ERR: 13,
} as const;

/** Name of a counter. */
export type CounterName = Lowercase<keyof typeof Count>;

/** All counters, in the order of the table. */
export const COUNTER_NAMES = Object.keys(Count).map((name) => name.toLowerCase()) as CounterName[];

export class Counters {
  readonly #i32: Int32Array;

  constructor(machine: Machine) {
    this.#i32 = machine.i32;
  }

  /** Counts for the HCA of the QP at `q`. */
  add(q: number, counter: number): void {
    this.addTo(this.#i32[q + Qpc.HCA], counter);
  }

  /** Counts for the HCA whose header is given. */
  addTo(hca: number, counter: number): void {
    const word = hca + HcaHeader.COUNTERS + counter;
    this.#i32[word] = (this.#i32[word] + 1) | 0;
  }

  /** All counters of an HCA, unsigned 32 bits, which wrap. */
  read(hca: number): Record<CounterName, number> {
    const entries = COUNTER_NAMES.map((name, n) => [name, this.#i32[hca + HcaHeader.COUNTERS + n] >>> 0] as const);
    return Object.fromEntries(entries) as Record<CounterName, number>;
  }
}
