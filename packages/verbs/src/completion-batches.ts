/** Completions in batches, as they come: what `for await` over `cq.completions()` does. */
import { checkInteger } from './check.ts';
import type { CompletionChannel } from './completion-channel.ts';
import type { CompletionQueue } from './completion-queue.ts';
import { checkLiteral, literalKeys } from './literal-keys.ts';
import type { WaitOptions } from './wait-options.ts';
import { WorkCompletion } from './work-completion.ts';

const BATCH_DEFAULT = 16;
/** After as many batches without a wait, everybody else on the event loop gets a turn. */
const BATCHES_PER_TURN_MAX = 64;

/** How `cq.completions` iterates. */
export interface CompletionsOptions extends WaitOptions {
  /** Most completions of a batch. */
  readonly batch?: number;
}

const COMPLETIONS_KEYS = literalKeys<CompletionsOptions>({ batch: true, signal: true });

/** Refuses what `cq.completions` can't iterate by. */
export function checkCompletionsOptions(options: CompletionsOptions): void {
  checkLiteral('ibv_poll_cq', 'options', options, COMPLETIONS_KEYS);
  checkInteger('ibv_poll_cq', 'batch', options.batch ?? BATCH_DEFAULT, 1, 2 ** 24);
}

/** See `CompletionQueue.completions`. `channel` is the queue's alone. */
export async function* completionBatches(
  cq: CompletionQueue,
  channel: CompletionChannel,
  { batch = BATCH_DEFAULT, signal }: CompletionsOptions,
): AsyncGenerator<WorkCompletion[], never, void> {
  const wcs = WorkCompletion.array(batch);
  const firsts = new Map([[batch, wcs]]); // by length, so that a batch is as long as it says
  let armed = false;
  let batches = 0;
  for (;;) {
    // Before the poll, so that no abort can come between a poll and its batch.
    if (batches === BATCHES_PER_TURN_MAX) {
      batches = 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
    signal?.throwIfAborted();
    const n = cq.poll(wcs);
    if (n > 0) {
      batches++;
      let first = firsts.get(n);
      if (first === undefined) firsts.set(n, (first = wcs.slice(0, n)));
      yield first;
    } else if (!armed) {
      cq.reqNotify();
      armed = true; // and poll again: a completion that came before the arming raises no event
    } else {
      await channel.waitFor(cq, signal);
      cq.ackEvents(1);
      armed = false;
    }
  }
}
