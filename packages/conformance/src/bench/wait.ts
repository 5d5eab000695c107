/** Waiting in tests: always for a condition, never for a time, and never without an end. */
import { setImmediate, setTimeout } from 'node:timers/promises';

/** After this long a condition that has not come true fails the test. Far below the runner's own limit, which says less. */
const WAIT_MS_MAX_DEFAULT = 5000;
/** That of the test that runs; runners run one after the other. */
let waitMsMax = WAIT_MS_MAX_DEFAULT;

/** Looks at the condition this often before the event loop gets a turn. */
const LOOKS_PER_TURN = 64;
/** After this many turns the waits sleep, so that a device in another thread gets the processor. */
const TURNS_AWAKE_MAX = 64;

/** Runs `body`, in which each wait ends after `ms` milliseconds. */
export async function withWaitsOf(ms: number | undefined, body: () => Promise<void>): Promise<void> {
  waitMsMax = ms ?? WAIT_MS_MAX_DEFAULT;
  try {
    await body();
  } finally {
    waitMsMax = WAIT_MS_MAX_DEFAULT;
  }
}

/**
 * Resolves once `condition` is true.
 *
 * @param what - what is waited for, for the message
 * @param state - describes what is there instead, for the message
 */
export async function eventually(
  what: string,
  condition: () => boolean,
  state: () => string = () => '',
): Promise<void> {
  const limitMs = waitMsMax;
  const deadlineMs = performance.now() + limitMs;
  for (let turn = 0; ; turn++) {
    for (let look = 0; look < LOOKS_PER_TURN; look++) {
      if (condition()) return;
    }
    if (performance.now() > deadlineMs) {
      throw new Error(`waited ${limitMs} ms for ${what}; ${state()}`);
    }
    await (turn < TURNS_AWAKE_MAX ? setImmediate() : setTimeout(1));
  }
}

/** What `promise` resolves to; fails when it has not done so in time. */
export async function inTime<T>(what: string, promise: Promise<T>): Promise<T> {
  const settled = new AbortController();
  const limitMs = waitMsMax;
  const timeout = setTimeout(limitMs, undefined, { signal: settled.signal }).then(
    () => {
      throw new Error(`waited ${limitMs} ms for ${what}`);
    },
    // Aborted, so the promise was faster; nobody looks at this any more.
    () => promise,
  );
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    settled.abort();
  }
}
