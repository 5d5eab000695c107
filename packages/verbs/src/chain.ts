/** Chains of work requests by `next`. */
import type { Reason } from './send-facts.ts';

/** An element of a chain. */
interface Link {
  readonly next?: Link | null;
}

/** Why a chain without end is refused. */
export const ENDLESS: Reason = ['the chain leads back to itself', 'end it with next: null'];

/** Whether a chain has no end. Two walk along it, one twice as fast: in a ring that one catches up with the other (Floyd). */
export function isEndless(first: Link): boolean {
  let slow: Link | null | undefined = first;
  let fast: Link | null | undefined = first;
  while (fast?.next != null) {
    slow = slow?.next;
    fast = fast.next.next;
    if (fast === slow && fast != null) return true;
  }
  return false;
}
