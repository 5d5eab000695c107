/**
 * CQ moderation: an armed CQ raises its event after so many completions, or so long after the first of them, whichever is first
 * (source: ibv_modify_cq(3); Linux mlx5, cq_max_count and cq_period).
 *
 * An event may come too early, never too late: who has to give up what was counted raises the event instead.
 */
import type { Machine } from '@openverbs/machine';
import { CqDoorbellRecord } from '@openverbs/verbs/rings';
import type { EventQueues } from './event-queue.ts';
import { Cqc } from './layout.ts';
import type { TimerQueue } from './timer-queue.ts';

const { MODERATION_COUNT, MODERATION_PERIOD_US, MODERATION_PENDING, RECORD, EQ } = Cqc;
const NS_PER_US = 1000;

export class CqModeration {
  readonly #i32: Int32Array;
  readonly #events: EventQueues;
  readonly #timers: TimerQueue;
  readonly #nowNs: () => number;

  constructor(machine: Machine, events: EventQueues, timers: TimerQueue, nowNs: () => number) {
    this.#i32 = machine.i32;
    this.#events = events;
    this.#timers = timers;
    this.#nowNs = nowNs;
  }

  /** Sets both limits; 0 in either of them turns moderation off. What was counted so far is told of at once. */
  set(c: number, count: number, periodUs: number): void {
    const i32 = this.#i32;
    const on = count > 1 && periodUs > 0;
    i32[c + MODERATION_PERIOD_US] = periodUs;
    i32[c + MODERATION_COUNT] = on ? count : 0;
    if (i32[c + MODERATION_PENDING] !== 0) this.raise(c);
  }

  /** One more completion for which the CQ is armed. */
  count(c: number): void {
    const i32 = this.#i32;
    const pending = i32[c + MODERATION_PENDING] + 1;
    if (pending >= i32[c + MODERATION_COUNT]) {
      this.raise(c);
      return;
    }
    i32[c + MODERATION_PENDING] = pending;
    if (pending !== 1) return;
    const deadlineNs = this.#nowNs() + (i32[c + MODERATION_PERIOD_US] >>> 0) * NS_PER_US;
    this.#timers.start(c, deadlineNs);
    this.#events.tellOthers(i32[c + EQ]);
  }

  /** Raises the event, if the CQ is armed, whatever was counted; also when the timer has run out. */
  raise(c: number): void {
    const i32 = this.#i32;
    const arm = i32[c + RECORD] + CqDoorbellRecord.ARM;
    i32[c + MODERATION_PENDING] = 0;
    this.#timers.stop(c);
    if (Atomics.load(i32, arm) !== 0) this.#events.raiseCompletion(c, arm);
  }
}
