/** What completions are polled into. */
import type { WorkCompletion } from '../work-completion.ts';

/**
 * Whether a completion can be written there. By its fields, since a program may have two copies of this package. Small, so that polls
 * have it inlined.
 */
export function isCompletion(wc: WorkCompletion | null | undefined): boolean {
  return typeof wc?.status === 'number';
}
