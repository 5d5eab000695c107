/**
 * Hardware counters of ports, under the names that rxe gives them, counted where rxe counts them (source: Linux
 * drivers/infiniband/sw/rxe, rxe_hw_counters.c and each `rxe_counter_inc`).
 *
 * Where a message travels as one descriptor there are no packets: the counters of traffic stay 0 there, since a message must not pay
 * for them; those of errors and retries count on both ways.
 */
import type { Machine } from '@openverbs/machine';
import { HcaHeader, Port, Qpc } from './layout.ts';
import type { Tap } from './tap.ts';

/** Where each counter is among those of its port. */
export const Count = {
  /** Packets that were sent, answers and repetitions too. */
  SENT_PKTS: 0,
  /** Packets that came, and were whole. */
  RCVD_PKTS: 1,
  /** Requests that a responder had executed before. */
  DUPLICATE_REQUEST: 2,
  /** Requests that came ahead of their turn. */
  OUT_OF_SEQ_REQUEST: 3,
  /** Answers that a peer's receiver was not ready. */
  RCVD_RNR_ERR: 4,
  /** Requests that were answered so. */
  SEND_RNR_ERR: 5,
  /** Answers that a packet was lost. */
  RCVD_SEQ_ERR: 6,
  /** Answers that waited for others to be handled: none, since each is handled when it comes. */
  ACK_DEFERRED: 7,
  /** Requests that failed because no answer came, `retryCnt` times. */
  RETRY_EXCEEDED_ERR: 8,
  /** Requests that failed because the receiver was not ready, `rnrRetry` times. */
  RETRY_RNR_EXCEEDED_ERR: 9,
  /** How often requests were begun again. */
  COMPLETER_RETRY_ERR: 10,
  /** Packets that could not be sent: none, since a sender waits for room. */
  SEND_ERR: 11,
  /** How often the port went down. */
  LINK_DOWNED: 12,
  /** SENDs that were completed. */
  RDMA_SENDS: 13,
  /** Receives that were completed. */
  RDMA_RECVS: 14,
  /** Not of rxe: packets that were sent before. */
  RETRANSMITTED_PKTS: 15,
  /** Not of rxe: frames that failed their ICRC or were no packets. */
  RCVD_ICRC_ERR: 16,
} as const;

/**
 * What the table of ports counts, of messages that unreliable QPs dropped. Neither is of rxe, which drops them in silence;
 * `out_of_buffer` is mlx5's name (source: Linux drivers/infiniband/hw/mlx5/counters.c).
 */
export const DROPS = { out_of_buffer: Port.OUT_OF_BUFFER, messages_dropped: Port.MESSAGES_DROPPED } as const;

/** Name of a counter. */
export type CounterName = Lowercase<keyof typeof Count>;

/** Name of a counter, also of those of messages that were dropped. */
export type HwCounterName = CounterName | keyof typeof DROPS;

/** All counters, in the order of the table. */
export const COUNTER_NAMES = Object.keys(Count).map((name) => name.toLowerCase()) as CounterName[];

/** Ordinary traffic, of which a tracer of the device is not told. */
const TRAFFIC: ReadonlySet<number> = new Set([Count.SENT_PKTS, Count.RCVD_PKTS, Count.RDMA_SENDS, Count.RDMA_RECVS]);

/** Words of the counters of a port; each counter is a double, so that it does not wrap. */
const PORT_WORDS = 40;

export class Counters {
  readonly #i32: Int32Array;
  readonly #f64: Float64Array;
  readonly #tap: Tap | null;

  constructor(machine: Machine, tap: Tap | null = null) {
    this.#i32 = machine.i32;
    this.#f64 = machine.f64;
    this.#tap = tap;
  }

  /** Counts for the port of the QP at `q`. */
  add(q: number, counter: number): void {
    const i32 = this.#i32;
    this.addTo(i32[q + Qpc.HCA], i32[q + Qpc.PORT], counter);
    if (!TRAFFIC.has(counter)) this.#tap?.note(q, COUNTER_NAMES[counter]);
  }

  /** Counts for a port of the HCA whose header is given. */
  addTo(hca: number, port: number, counter: number): void {
    this.#f64[at(hca, port, counter)]++;
  }

  /** All counters of a port of an HCA, or of all its ports together. */
  read(hca: number, port?: number): Record<HwCounterName, number> {
    const ports =
      port === undefined ? Array.from({ length: this.#i32[hca + HcaHeader.PORTS] }, (_, n) => n + 1) : [port];
    const entries = COUNTER_NAMES.map((name, counter) => {
      return [name, ports.reduce((sum, each) => sum + this.#f64[at(hca, each, counter)], 0)] as const;
    });
    const drops = Object.entries(DROPS).map(([name, word]) => {
      return [name, ports.reduce((sum, each) => sum + this.#drops(hca, each, word), 0)] as const;
    });
    return Object.fromEntries([...entries, ...drops]) as Record<HwCounterName, number>;
  }

  #drops(hca: number, port: number, word: number): number {
    const i32 = this.#i32;
    return i32[i32[hca + HcaHeader.PORT_TABLE] + (port - 1) * Port.WORDS + word] >>> 0;
  }
}

/** Index of a double. A QP that was given no port yet counts for the first. */
function at(hca: number, port: number, counter: number): number {
  return ((hca + HcaHeader.COUNTERS + Math.max(port - 1, 0) * PORT_WORDS) >>> 1) + counter;
}
