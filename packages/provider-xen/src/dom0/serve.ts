/** The loop of a device domain that has a thread of its own. */
import type { Domain } from '@openverbs/hypervisor';
import type { Clock } from '@openverbs/machine';
import type { Backend } from '../backend/backend.ts';

/** All that there is to do wakes this thread: rings, xenstore, and the events of the devices. */
const PARK_MS_MAX = 100;
/** Longest sleep: what nobody tells of, such as a rate, or a guest whose thread has ended, is looked after so often. */
export const IDLE_NS_MAX = 100e6;

/** What is served, and how long. */
export interface Served {
  readonly backend: Pick<Backend, 'run' | 'nextNs'>;
  readonly dom0: Pick<Domain, 'waitUntil'>;
  readonly clock: Pick<Clock, 'nowNs'>;
  readonly isStopping: () => boolean;
}

/** Runs the back-end whenever there is something to do, until it is told to stop. */
export function serve({ backend, dom0, clock, isStopping }: Served): void {
  const wanted = (): boolean => backend.run() || isStopping();
  while (!isStopping()) {
    const deadlineNs = Math.min(backend.nextNs(), clock.nowNs() + IDLE_NS_MAX);
    try {
      dom0.waitUntil(wanted, deadlineNs, undefined, PARK_MS_MAX);
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ETIMEDOUT') throw error;
    }
  }
}
