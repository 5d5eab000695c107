/** Waiting without the event loop, for threads that look at memory. */

/** A wait that takes longer has failed. */
const WAIT_MS_MAX = 30_000;
/** Looks before the thread gives way: there may be fewer processors than threads. */
const LOOKS_AWAKE_MAX = 2000;
const SLEEP_MS = 0.05;

const nobody = new Int32Array(new SharedArrayBuffer(4));

/** Returns once `condition` is true; throws when it never is. */
export function waitFor(what: string, condition: () => boolean): void {
  const deadlineMs = performance.now() + WAIT_MS_MAX;
  for (let looks = 0; !condition(); looks++) {
    if (looks < LOOKS_AWAKE_MAX) continue;
    if (performance.now() > deadlineMs) throw new Error(`waited ${WAIT_MS_MAX} ms for ${what}`);
    Atomics.wait(nobody, 0, 0, SLEEP_MS);
  }
}
