/**
 * What instrumented sources ask at each check, in whatever thread they run: which check is removed, and where the answer is noted that a
 * check was reached. All threads of a process share both.
 */
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads';

/** There is room for so many. */
export const CHECKS_MAX = 1 << 14;
const NONE = -1;
/** Under which threads find what they share. */
const SHARED = 'openverbs checks';

if (isMainThread) setEnvironmentData(SHARED, new SharedArrayBuffer(4 + CHECKS_MAX));
const shared = getEnvironmentData(SHARED) as SharedArrayBuffer;
const removed = new Int32Array(shared, 0, 1);
const reached = new Uint8Array(shared, 4);
if (isMainThread) removed[0] = NONE;

/** Whether a check is the one that is removed. */
export function isCheckRemoved(id: number): boolean {
  reached[id] = 1;
  return removed[0] === id;
}

/** Removes a check, in place of the one before. */
export function removeCheck(id: number): void {
  removed[0] = id;
}

/** Puts the check back that is removed. */
export function restoreCheck(): void {
  removed[0] = NONE;
}

/** The checks that were reached since this was asked last. */
export function takeReached(): number[] {
  const ids = [...reached.keys()].filter((id) => reached[id] === 1);
  reached.fill(0);
  return ids;
}
