/**
 * Who a thread is to the operating system, and whether it still runs.
 *
 * A worker that is terminated runs no handler of its own, so its death must be seen from outside. Linux tells: a thread is
 * known by its id and its start time, which together are never used twice.
 *
 * @packageDocumentation
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { threadId } from 'node:worker_threads';

/** Identifies the calling thread and judges others. */
export interface ThreadIdentity {
  /** Whether {@link ThreadIdentity.isAlive} can tell that a thread is dead. */
  readonly provable: boolean;
  /** Id of the calling thread, never 0, and its start time in clock ticks or 0 when unknown. */
  current(): { readonly tid: number; readonly startTicks: number };
  /** False only when the thread has certainly ended. A start time of 0 matches any. */
  isAlive(tid: number, startTicks: number): boolean;
}

/** Linux: `/proc/thread-self` names the thread, `/proc/self/task/<tid>/stat` holds its state and its start time. */
export const procfsIdentity: ThreadIdentity = {
  provable: true,
  current() {
    const tid = Number(readlinkSync('/proc/thread-self').split('/').pop());
    const stat = readStat(tid);
    return { tid, startTicks: stat.startTicks };
  },
  isAlive(tid, startTicks) {
    try {
      const stat = readStat(tid);
      return stat.running && (startTicks === 0 || stat.startTicks === startTicks);
    } catch (error) {
      // ESRCH: it ended between open and read. Anything else (EMFILE, say) proves nothing.
      const { code } = error as { code?: string };
      return code !== 'ENOENT' && code !== 'ESRCH';
    }
  },
};

/** Elsewhere: Node's own number of the thread. It proves nothing, so the lock falls back on a heartbeat. */
export const nodeIdentity: ThreadIdentity = {
  provable: false,
  current: () => ({ tid: threadId + 1, startTicks: 0 }),
  isAlive: () => true,
};

/** The best that this system offers. */
export function detectIdentity(): ThreadIdentity {
  try {
    const { tid, startTicks } = procfsIdentity.current();
    return tid > 0 && startTicks > 0 ? procfsIdentity : nodeIdentity;
  } catch {
    return nodeIdentity;
  }
}

/** Reads what liveness needs of a `stat` line, proc(5). */
export function parseStat(line: string): { readonly running: boolean; readonly startTicks: number } {
  // Field 2, the name, is in parentheses and may hold spaces and parentheses itself: count from the last one. Field 3 follows.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const state = fields[0] ?? '';
  return { running: state !== '' && !'ZXx'.includes(state), startTicks: Number(fields[22 - 3]) };
}

function readStat(tid: number): { readonly running: boolean; readonly startTicks: number } {
  return parseStat(readFileSync(`/proc/self/task/${tid}/stat`, 'latin1'));
}
