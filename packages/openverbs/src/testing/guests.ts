/** What the guests of a split driver have done, while a test runs. */
import type { GuestCounters } from '@openverbs/verbs/driver';

import type { OpenVerbs } from '../open-verbs.ts';

/**
 * What each guest has put on its rings, and what came over its event channels, as `openVerbs.guests()` tells it. In bypass nothing of that is added
 * by posting, polling and arming.
 *
 * @example
 * ```ts
 * import { guestCounters } from 'openverbs/testing';
 * import { openVerbs } from 'openverbs';
 *
 * using verbs = openVerbs({ provider: 'xen:basic' });
 * const [{ name, ringRequests }] = guestCounters(verbs);
 * console.log(name, ringRequests); // guest1 0
 * ```
 */
export function guestCounters(openVerbs: OpenVerbs): readonly GuestCounters[] {
  return openVerbs.guests();
}
