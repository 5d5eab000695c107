/** The CQE poller. Polling allocates nothing. */
import { Errno, VerbsError, type WorkCompletion } from '@openverbs/verbs';
import type { CqCalls } from '@openverbs/verbs/driver';
import { type Doorbell, type QpTable, RingCompletionQueue } from '@openverbs/verbs/rings';

import { CqeRing } from './cqe-ring.ts';
import type { CqeSource } from './cqe-source.ts';
import { Count, type CqePollerStatistics, newCqePollerCounts, statisticsOf } from './statistics.ts';

// Constants of this module: V8 folds them, and does not fold imported ones.
const { POLLS, LOCAL_POLLS, TRIPS, EMPTY_TRIPS, CQES, ARMS, PURGED } = Count;
const { EIO } = Errno;

/** How a poller works. */
export interface CqePollerOptions {
  /** False for a trip with each poll, which fetches what this poll gives and no more: to measure what buffering is worth. */
  readonly buffering?: boolean;
  /** Where it counts, see {@link newCqePollerCounts}: pollers that are given the same count together. */
  readonly counts?: Float64Array;
}

/**
 * The data path of a completion queue that is slow to reach. A poll that finds nothing in the buffer makes one trip to the
 * {@link CqeSource}, which fetches all that it holds, or all that fits its area; the polls after that are local.
 *
 * - Completions keep their order. The slots of work queues, found by the {@link QpTable} of the provider, are free when the *application* polls.
 * - A poll tells 0 only after a trip that found nothing, so a program that polls after arming loses no event.
 * - {@link CqePoller.purge} goes with the reset or the destruction of a QP, {@link CqePoller.resize} with that of the queue.
 *
 * @example
 * ```ts
 * import { CqePoller, type CqeSource } from '@openverbs/cqe-poller';
 * import type { CqOps } from '@openverbs/verbs/driver';
 * import type { QpTable } from '@openverbs/verbs/rings';
 *
 * // In a provider's createCq: the device channel is the slow side, `qps` has the queues of its QPs.
 * function cqOps(handle: number, cqe: number, channel: CqeSource, qps: QpTable): CqOps {
 *   return { handle, cqe, dataPath: new CqePoller(channel, cqe, qps) };
 * }
 * ```
 */
export class CqePoller implements CqCalls {
  /** Tells the kind of data path. */
  readonly kind = 'calls';
  private readonly source: CqeSource;
  private readonly queue: RingCompletionQueue;
  private readonly doorbell: Doorbell;
  private readonly counts: Float64Array;
  private readonly buffering: boolean;
  private ring: CqeRing;
  private capacity: number;
  /** What the poll that runs takes at most. */
  private limit = 0;
  /** CQEs of the last trip, or a negative error number. */
  private fetched = 0;

  /** `cqe` is the capacity of the queue, `qps` has the queues that its CQEs are about. */
  constructor(source: CqeSource, cqe: number, qps: QpTable, options: CqePollerOptions = {}) {
    this.source = source;
    this.capacity = cqe;
    this.buffering = options.buffering ?? true;
    this.counts = options.counts ?? newCqePollerCounts();
    this.ring = new CqeRing(cqe);
    this.doorbell = new TripWhenEmpty(() => this.fetch());
    this.queue = new RingCompletionQueue(this.ring.rings(this.doorbell), qps);
  }

  /** CQEs that the queue has room for, here and in the source together. */
  get cqe(): number {
    return this.capacity;
  }

  /** CQEs that were fetched, and not polled yet. */
  get buffered(): number {
    return this.ring.size;
  }

  /** Free-running count of CQEs that were fetched and have left the buffer, an int32; see {@link CqeSource}. */
  get consumed(): number {
    return this.ring.consumer;
  }

  /** What it has done; what pollers that count together have done, but for what is buffered. */
  get statistics(): CqePollerStatistics {
    return statisticsOf(this.counts, this.buffered);
  }

  /**
   * Fills `wcs[0]` to `wcs[n - 1]`, at most `limit`, and returns n, or the negative error number of the source: EIO for one that tells what
   * can't be. Source: `ibv_poll_cq`(3).
   */
  poll(wcs: WorkCompletion[], limit: number): number {
    if (limit <= 0) return 0;
    const { counts } = this;
    const trips = counts[TRIPS];
    this.limit = limit;
    counts[POLLS]++;
    let n: number;
    // A trip may bring nothing but completions of QPs that are gone; then what comes after them has to be looked for.
    do {
      this.fetched = 0;
      n = this.queue.poll(wcs, limit);
    } while (n === 0 && this.fetched > 0);
    if (counts[TRIPS] === trips) counts[LOCAL_POLLS]++;
    return n === 0 ? this.fetched : n;
  }

  /**
   * Asks for an event at the next completion, or the next solicited one: at once, in the source, since a program need not poll all that
   * is there before it waits. Source: `ibv_req_notify_cq`(3).
   */
  reqNotify(solicitedOnly: boolean): void {
    this.counts[ARMS]++;
    this.source.arm(solicitedOnly);
  }

  /**
   * As {@link CqePoller.reqNotify}; returns whether there are completions, buffered or in the source, for which no event may come, so that
   * the caller has to poll again. Source: `ib_req_notify_cq` with IB_CQ_REPORT_MISSED_EVENTS (Linux include/rdma/ib_verbs.h).
   */
  reqNotifyReportMissed(solicitedOnly: boolean): boolean {
    this.counts[ARMS]++;
    const lower = this.source.arm(solicitedOnly);
    return lower || this.buffered > 0;
  }

  /** The time of the completion that the last poll gave; for queues that were made with timestamps, which are polled one by one. */
  completionTs(): number {
    return this.ring.lastTimestamp();
  }

  /** Fetches what the source holds and the buffer has room for: before something that makes the source forget. */
  prefetch(): void {
    this.limit = this.capacity;
    do this.fetch();
    while (this.fetched > 0 && this.ring.size < this.capacity);
  }

  /**
   * Removes the completions of a QP. Call it when the source has reset or destroyed the QP and gives no more of its completions, and while
   * the table still has it, since its SRQ gets its WQEs back.
   */
  purge(qpNum: number): void {
    const { buffered } = this;
    this.queue.clean(qpNum);
    this.counts[PURGED] += buffered - this.buffered;
  }

  /**
   * Changes the capacity of the queue, and returns it. What is buffered counts, and stays. Throws EINVAL when the queue holds more.
   * Source: `ibv_resize_cq`(3).
   */
  resize(cqe: number): number {
    const { buffered } = this;
    if (cqe < buffered) {
      const message = `cqe is ${cqe}, but ${buffered} completions wait to be polled`;
      throw new VerbsError({ code: 'EINVAL', message, hint: 'poll first', details: { cqe, buffered } });
    }
    const resized = this.source.resize(cqe, buffered);
    if (resized > 2 ** this.ring.log2Count) {
      const ring = new CqeRing(resized);
      ring.adopt(this.ring);
      this.ring = ring;
      this.queue.rebind(ring.rings(this.doorbell));
    }
    this.capacity = resized;
    return resized;
  }

  /** The trip. */
  private fetch(): void {
    const { source, ring, counts } = this;
    let max = this.capacity - ring.size;
    if (max > source.cqesMax) max = source.cqesMax;
    if (!this.buffering && max > this.limit) max = this.limit;
    const count = source.drain(max, ring.consumer);
    counts[TRIPS]++;
    if (count === 0) counts[EMPTY_TRIPS]++;
    // More than there is room for, or nothing although there is something: this source can't be believed.
    if (count > max || (count === 0 && source.more)) this.fetched = -EIO;
    else this.fetched = count;
    if (this.fetched <= 0) return;
    counts[CQES] += count;
    ring.append(source.i32, source.word, count);
  }
}

/** The doorbell of the buffer, of which only one thing is used: that an empty poll says so before it gives up. */
class TripWhenEmpty implements Doorbell {
  readonly idle: () => void;

  constructor(idle: () => void) {
    this.idle = idle;
  }

  ringSq(): void {}
  ringRq(): void {}
  inlineSource(): number {
    return -1;
  }
}
