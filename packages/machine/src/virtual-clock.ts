/**
 * Time that stands still until it is told to pass: a device under it runs the same way each time.
 *
 * @packageDocumentation
 */
import type { Clock } from './clock.ts';
import { MachineError } from './errors.ts';

interface Timer {
  readonly deadlineNs: number;
  readonly callback: () => void;
}

/** A clock for tests. Timers fire from within its own methods, in order of deadline, then of creation. */
export class VirtualClock implements Clock {
  private timeNs: number;
  /** Sorted, the next one last, so that taking it moves nothing. */
  private readonly timers: Timer[] = [];

  /** @param startNs - the time to begin with */
  constructor(startNs = 0) {
    this.timeNs = startNs;
  }

  nowNs(): number {
    return this.timeNs;
  }

  /** Deadline of the timer that fires next, or `Infinity`. */
  get nextDeadlineNs(): number {
    return this.timers.at(-1)?.deadlineNs ?? Infinity;
  }

  setTimer(deadlineNs: number, callback: () => void): () => void {
    if (Number.isNaN(deadlineNs)) throw new MachineError({ code: 'EINVAL', message: 'the deadline of a timer is NaN' });
    const timer: Timer = { deadlineNs, callback };
    let low = 0;
    let high = this.timers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.timers[middle].deadlineNs > deadlineNs) low = middle + 1;
      else high = middle;
    }
    // Before all of the same deadline, that is, to fire after them.
    this.timers.splice(low, 0, timer);
    return () => {
      const index = this.timers.indexOf(timer);
      if (index >= 0) this.timers.splice(index, 1);
    };
  }

  /** Lets `ns` nanoseconds pass and fires what falls due, timers that fired ones set included. */
  advance(ns: number): void {
    this.advanceTo(this.timeNs + ns);
  }

  /** Lets time pass until `timeNs`. */
  advanceTo(timeNs: number): void {
    if (!(timeNs >= this.timeNs && timeNs < Infinity)) {
      throw new MachineError({ code: 'EINVAL', message: `time cannot go from ${this.timeNs} to ${timeNs} ns` });
    }
    while (this.isDue(timeNs)) this.fireNext();
    this.timeNs = timeNs;
  }

  /**
   * Jumps from timer to timer until the condition holds, or no timer is left before `deadlineNs`.
   *
   * @returns whether the condition holds; when it does not, the time is `deadlineNs` if that is finite
   */
  runUntil(condition: () => boolean, deadlineNs: number): boolean {
    while (!condition()) {
      if (!this.isDue(deadlineNs)) {
        if (deadlineNs !== Infinity && deadlineNs > this.timeNs) this.timeNs = deadlineNs;
        return condition();
      }
      this.fireNext();
    }
    return true;
  }

  /** Whether a timer fires up to a time. One at `Infinity` never does. */
  private isDue(timeNs: number): boolean {
    const nextNs = this.nextDeadlineNs;
    return nextNs <= timeNs && nextNs < Infinity;
  }

  private fireNext(): void {
    const timer = this.timers.pop();
    if (timer === undefined) return;
    // A deadline in the past fires now: time never runs backwards.
    if (timer.deadlineNs > this.timeNs) this.timeNs = timer.deadlineNs;
    timer.callback();
  }
}
