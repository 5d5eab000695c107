/**
 * Time as an interface, and the host's.
 *
 * @packageDocumentation
 */
import { MachineError } from './errors.ts';

/** A source of time and of timers. Devices get theirs as an argument, so that they run under a virtual one in tests. */
export interface Clock {
  /** Nanoseconds since a fixed but arbitrary moment; a double. */
  nowNs(): number;
  /**
   * Calls `callback` once, at `deadlineNs` or later, never before this call returned.
   *
   * @returns a function that cancels the timer; later calls of it do nothing
   */
  setTimer(deadlineNs: number, callback: () => void): () => void;
  /** What has to be added to {@link Clock.nowNs} for nanoseconds since 1970; left out where the clock is not that of the world. */
  wallclockOffsetNs?(): number;
}

/** Longest delay that `setTimeout` takes; a longer one would fire at once. */
const TIMEOUT_MS_MAX = 2147483647;

const { hrtime } = process;

/**
 * The monotonic clock of the host. All threads of a process read the same time.
 *
 * It reads `process.hrtime()`, not `performance.now()`: the latter counts from another origin in each thread and returns a boxed
 * number, whereas the pair of the former never reaches the heap in optimised code.
 */
export class HostClock implements Clock {
  nowNs(): number {
    const time = hrtime();
    return time[0] * 1e9 + time[1];
  }

  wallclockOffsetNs(): number {
    return (performance.timeOrigin + performance.now()) * 1e6 - this.nowNs();
  }

  setTimer(deadlineNs: number, callback: () => void): () => void {
    if (Number.isNaN(deadlineNs)) throw new MachineError({ code: 'EINVAL', message: 'the deadline of a timer is NaN' });
    let timeout: ReturnType<typeof setTimeout>;
    const arm = (): void => {
      // setTimeout counts whole milliseconds and may fire up to one early; `fire` looks again.
      const leftMs = Math.ceil((deadlineNs - this.nowNs()) / 1e6);
      timeout = setTimeout(fire, Math.min(Math.max(leftMs, 0), TIMEOUT_MS_MAX));
    };
    const fire = (): void => {
      if (this.nowNs() < deadlineNs) arm();
      else callback();
    };
    arm();
    return () => {
      clearTimeout(timeout);
    };
  }
}

/** The clock that waits and locks of this package use. */
export const hostClock: HostClock = new HostClock();
