/** Completions in batches. `cq.completions()` does the same, but a batch that it has polled is lost to a stop. */
import { setImmediate } from 'node:timers/promises';

import { WorkCompletion } from '@openverbs/verbs';
import type { CompletionQueue } from '@openverbs/verbs';

import { ownCompletionEvents } from './event-queue.ts';
import { nextEvent } from './pump.ts';

/**
 * Calls `next` with batches of at most `batch` completions, in the same turn as they are polled, so that none is lost to a stop.
 * Resolves when `signal` aborts or the queue ends.
 */
export async function batchesOf(
  cq: CompletionQueue,
  batch: number,
  signal: AbortSignal,
  next: (completions: readonly WorkCompletion[]) => void,
): Promise<void> {
  const events = ownCompletionEvents(cq, cq.ownChannel());
  const spare: WorkCompletion[] = [];
  let armed = false;
  while (!signal.aborted && !cq.destroyed) {
    while (spare.length < batch) spare.push(new WorkCompletion());
    const n = cq.poll(spare, batch);
    if (n > 0) {
      next(spare.splice(0, n));
      // Completions may come for ever: everybody else gets a turn after each batch.
      await setImmediate();
    } else if (armed) {
      const event = await nextEvent(events, signal);
      if (event === undefined) return;
      events.acknowledge(event);
      armed = false;
    } else {
      // Then the loop polls once more: what came before the arming raises no event.
      cq.reqNotify();
      armed = true;
    }
  }
}
