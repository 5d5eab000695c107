/** Lets the event loop turn, so that all microtasks have run. */
import { setImmediate } from 'node:timers/promises';

/** Resolves in the next turn of the event loop. */
export function turn(): Promise<void> {
  return setImmediate();
}
