/** The instance that the C names share. C programs open no library, so the first call that needs devices does. */
import { openVerbs } from './composition.ts';
import type { OpenVerbs } from './open-verbs.ts';

let shared: OpenVerbs | undefined;

/** The shared instance; made at the first call, from the environment and `openverbs.config.json`. */
export function sharedOpenVerbs(): OpenVerbs {
  shared ??= openVerbs();
  return shared;
}

/** Closes the instance that the C names share, with all that is open in it. The next call that needs devices opens another. */
export function closeSharedOpenVerbs(): void {
  const closing = shared;
  shared = undefined;
  closing?.[Symbol.dispose]();
}
