/**
 * The CQE poller. Polling allocates nothing. Members are `private`, not `#`, as on the data path of `verbs/rings`: their bytecode is shorter, so V8
 * inlines more of a poll.
 */
import { Errno, VerbsError, type WorkCompletion } from '@openverbs/verbs';
import type { BufferedCq, CqePollerOptions, CqeSource } from '@openverbs/verbs/driver';
import { type Doorbell, type QpTable, RingCompletionQueue } from '@openverbs/verbs/rings';

import { CqeRing } from './cqe-ring.ts';
import { Count, type CqePollerStatistics, newCqePollerCounts, statisticsOf } from './statistics.ts';

// Constants of this module: V8 folds them, and does not fold imported ones.
const { POLLS, LOCAL_POLLS, TRIPS, EMPTY_TRIPS, UPDATES, CQES, ARMS, PURGED } = Count;
const { EIO } = Errno;

/**
 * The data path of a completion queue that is slow to reach. A poll that finds nothing in the buffer makes one trip to the
 * {@link CqeSource}, which fetches all that it holds, or all that fits its area; the polls after that are local.
 *
 * - Completions keep their order. The slots of work queues, found by the {@link QpTable} of the provider, are free when the *application* polls.
 * - A poll tells 0 only after a trip that found nothing, so a program that polls after arming loses no event.
 * - The queue overruns when it would without a buffer. What was polled here travels with each drain and each post. In between nothing has to
 *   be told while all work requests under way have places, of which most programs see to; where they have not, the queue is *tight*, and
 *   each poll tells what it took.
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
export class CqePoller implements BufferedCq {
  /** Tells the kind of data path. */
  readonly kind = 'calls';
  private readonly source: CqeSource;
  private readonly queue: RingCompletionQueue;
  private readonly counts: Float64Array;
  private readonly buffering: boolean;
  private ring: CqeRing;
  private capacity: number;
  /** What a trip fetches at most without buffering, and how much of what it brings is polled at once. */
  private limit = 0;
  private taken = 0;
  /** {@link CqePoller.consumed}, as far as the source knows it. */
  private told = 0;
  /** Whether the queue may overrun by what is under way: then the source has to know of each poll at once. */
  private tight = false;
  /** CQEs of the last trip, or a negative error number. */
  private fetched = 0;

  /** `cqe` is the capacity of the queue, `qps` has the queues that its CQEs are about. */
  constructor(source: CqeSource, cqe: number, qps: QpTable, options: CqePollerOptions = {}) {
    this.source = source;
    this.capacity = cqe;
    this.buffering = options.buffering ?? true;
    this.counts = options.counts ?? newCqePollerCounts();
    this.ring = new CqeRing(cqe);
    this.queue = new RingCompletionQueue(this.ring.rings(NO_DOORBELL), qps);
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
   * can't be. Less than `limit` means that nothing is left, neither here nor in the source. Source: `ibv_poll_cq`(3).
   */
  poll(wcs: WorkCompletion[], limit: number): number {
    if (limit <= 0) return 0;
    const { counts } = this;
    const trips = counts[TRIPS] + counts[UPDATES];
    this.limit = this.taken = limit;
    counts[POLLS]++;
    let n: number;
    // A trip may bring nothing but completions of QPs that are gone; then what comes after them has to be looked for.
    do {
      this.fetched = 0;
      if (this.ring.size < limit) this.fill(limit);
      n = this.queue.poll(wcs, limit);
    } while (n === 0 && this.fetched > 0);
    if (this.tight) this.update();
    if (counts[TRIPS] + counts[UPDATES] === trips) counts[LOCAL_POLLS]++;
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

  posting(): number {
    this.tight = this.source.underWayExceeds(this.capacity);
    this.told = this.ring.consumer;
    return this.told;
  }

  beforePost(): void {
    this.tight = this.source.underWayExceeds(this.capacity);
    this.update();
  }

  prefetch(): void {
    this.limit = this.capacity;
    this.taken = 0;
    do this.fetch();
    while (this.fetched > 0 && this.ring.size < this.capacity);
  }

  purge(qpNum: number): void {
    const { buffered } = this;
    this.queue.clean(qpNum);
    this.counts[PURGED] += buffered - this.buffered;
    if (this.tight) this.update();
  }

  /**
   * Changes the capacity of the queue, and returns it. What is buffered counts, and stays. Throws EINVAL when the queue holds more.
   * Source: `ibv_resize_cq`(3).
   */
  resize(cqe: number): number {
    const { consumed } = this;
    const resized = this.source.resize(cqe, consumed);
    this.told = consumed;
    if (resized > 2 ** this.ring.log2Count) {
      const ring = new CqeRing(resized);
      ring.adopt(this.ring);
      this.ring = ring;
      this.queue.rebind(ring.rings(NO_DOORBELL));
    }
    this.capacity = resized;
    this.tight = this.source.underWayExceeds(resized);
    return resized;
  }

  /** Fetches until the buffer has what the poll asks for, or the source has no more. */
  private fill(limit: number): void {
    do this.fetch();
    while (this.fetched > 0 && this.source.more && this.ring.size < limit);
  }

  /** The trip. */
  private fetch(): void {
    const { source, ring, counts, taken } = this;
    this.fetched = 0;
    let max = this.capacity - ring.size;
    if (max <= 0) return;
    if (max > source.cqesMax) max = source.cqesMax;
    if (!this.buffering && max > this.limit - ring.size) max = this.limit - ring.size;
    const { consumer } = ring;
    // A trip before, of the same poll, has told what this will have taken.
    let ahead = (this.told - consumer) | 0;
    if (ahead < 0) ahead = 0;
    const count = source.drain(max, (consumer + ahead) | 0, taken - ahead);
    counts[TRIPS]++;
    if (count === 0) counts[EMPTY_TRIPS]++;
    // More than there is room for, or nothing although there is something: this source can't be believed.
    if (count > max || (count === 0 && source.more)) this.fetched = -EIO;
    else this.fetched = count;
    if (this.fetched > 0) {
      counts[CQES] += count;
      ring.append(source.i32, source.word, count);
    }
    if (this.fetched >= 0) this.told = (consumer + Math.min(ring.size, taken)) | 0;
  }

  /**
   * Tells the source what was polled, where it matters. What is under way and what the source does not know of get no more by a poll, so
   * once they fit they fit until the next post.
   */
  private update(): void {
    const { source, capacity, counts } = this;
    const { consumer } = this.ring;
    const untold = (consumer - this.told) | 0;
    this.tight = source.underWayExceeds(capacity - untold);
    if (!this.tight || untold === 0) return;
    counts[UPDATES]++;
    try {
      source.consume(consumer);
      this.told = consumer;
    } catch (error) {
      // What was polled is the application's, whatever becomes of the source: the next trip will say.
      if (!VerbsError.is(error)) throw error;
    }
  }
}

/** The buffer has no device that a doorbell would wake. */
const NO_DOORBELL: Doorbell = {
  ringSq: () => undefined,
  ringRq: () => undefined,
  inlineSource: () => -1,
  idle: () => undefined,
};
