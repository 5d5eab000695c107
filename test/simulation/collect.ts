/**
 * Collects garbage. Each program has a machine of its own, of which V8 sees a few objects and not the megabytes behind them: left to
 * itself it keeps hundreds.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;
setFlagsFromString('--no-expose-gc');

/** Programs between two collections. */
const PROGRAMS = 8;
let programs = 0;

/** To be called after each program. */
export function collectNowAndThen(): void {
  if (++programs % PROGRAMS === 0) gc();
}
