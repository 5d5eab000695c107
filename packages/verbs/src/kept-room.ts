/**
 * Completions that are polled for somebody else, who has them but has not polled them yet: they keep their places in the queue, so
 * that it overruns when it would if that one polled it.
 */
import { checkInstance } from './check.ts';
import { CompletionQueue } from './completion-queue.ts';
import { RingCompletionQueue } from './rings/ring-completion-queue.ts';

/** The places of completions that were polled. */
export interface KeptRoom {
  /** The last poll gave `count` completions; they keep their places. */
  keep(count: number): void;
  /** The oldest `count` of those that keep their places have them no more. */
  giveBack(count: number): void;
}

/**
 * From now on the completions that `cq` gives keep their places in it: to be called before the first poll. Undefined where the provider
 * reads the CQEs itself, so that a place is free when it is polled.
 *
 * @example
 * ```ts
 * import { WorkCompletion, type CompletionQueue } from '@openverbs/verbs';
 * import { keepRoom } from '@openverbs/verbs/driver';
 *
 * function fetchFor(cq: CompletionQueue, wcs: WorkCompletion[]): () => void {
 *   const room = keepRoom(cq);
 *   const n = cq.poll(wcs);
 *   room?.keep(n);
 *   return () => room?.giveBack(n); // once they were used
 * }
 * ```
 */
export function keepRoom(cq: CompletionQueue): KeptRoom | undefined {
  const verb = 'keepRoom';
  checkInstance(verb, 'cq', cq, CompletionQueue);
  cq.assertLive(verb);
  const { path } = cq;
  if (!(path instanceof RingCompletionQueue)) return undefined;
  path.keepRoom();
  return path;
}
