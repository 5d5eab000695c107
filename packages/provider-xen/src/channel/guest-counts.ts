/**
 * What a guest tells of itself, for eyes: counts in the page of the event channel, behind its entries, written by the front-end. The back-end
 * copies them now and then, and does nothing else with them.
 */
import type { Page } from '@openverbs/hypervisor';
import { EVENT_RING_WORDS } from './event-ring.ts';

/** Places of the counts. */
export const GuestCount = {
  /** Polls of programs that the CQE poller has answered. */
  POLLS: 0,
  /** Of these, polls that its buffer answered. */
  POLLS_SAVED: 1,
  /** Registrations that a cache has answered. */
  CACHE_HITS: 2,
  /** Pages that these had. */
  CACHE_PAGES_SAVED: 3,
  /** Requests that the back-end had to be told of. */
  NOTIFICATIONS: 4,
  DOUBLES: 5,
} as const;

/** The counts in the page of an event channel. */
export function guestCountsIn({ i32, word }: Page): Float64Array {
  return new Float64Array(i32.buffer, i32.byteOffset + 4 * (word + EVENT_RING_WORDS), GuestCount.DOUBLES);
}
