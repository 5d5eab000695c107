/**
 * Events as streams: a value is an event or a batch of completions, never a single completion. Needs `rxjs`.
 *
 * A stream begins to take events when it is subscribed and stops when the last value was asked for; what it has not emitted
 * stays where it was. It completes when the channel or context ends, and keeps the event loop alive until then.
 *
 * @packageDocumentation
 */
import { VerbsError } from '@openverbs/verbs';
import type { AsyncEvent, CompletionChannel, CompletionQueue, Context, WorkCompletion } from '@openverbs/verbs';
import { Observable } from 'rxjs';

import { batchesOf } from './batches.ts';
import { asyncEvents, completionEvents } from './event-queue.ts';
import { pump } from './pump.ts';

const BATCH_DEFAULT = 16;

/** How {@link fromCompletions} polls. */
export interface FromCompletionsOptions {
  /**
   * Most completions of a batch.
   *
   * @defaultValue 16
   */
  readonly batch?: number;
}

/**
 * The events of a channel: each value is the completion queue that an event is about. The event is acknowledged when the
 * subscriber has seen it; arming and polling are the subscriber's business, as in C.
 */
export function fromCompletionChannel(channel: CompletionChannel): Observable<CompletionQueue> {
  return stream((signal, next) => pump(completionEvents(channel), signal, next));
}

/** The asynchronous events of a context. Each is acknowledged when the subscriber has seen it. */
export function fromAsyncEvents(context: Context): Observable<AsyncEvent> {
  return stream((signal, next) => pump(asyncEvents(context), signal, next));
}

/**
 * The completions of a queue, in batches as they come. Polling, arming, waiting and acknowledging are done here. Each batch is
 * an array of its own, which the subscriber may keep. The queue needs a channel of its own; without one, the stream fails with
 * EINVAL.
 *
 * @throws VerbsError EINVAL if `batch` is not a positive integer.
 *
 * @example
 * ```ts
 * import { fromCompletions } from '@openverbs/event-dispatcher/rxjs';
 * import { WcStatus, type CompletionQueue } from '@openverbs/verbs';
 * import { map, type Observable } from 'rxjs';
 *
 * function failures(cq: CompletionQueue): Observable<number> {
 *   return fromCompletions(cq).pipe(map((batch) => batch.filter((wc) => wc.status !== WcStatus.SUCCESS).length));
 * }
 * ```
 */
export function fromCompletions(
  cq: CompletionQueue,
  options: FromCompletionsOptions = {},
): Observable<readonly WorkCompletion[]> {
  const { batch = BATCH_DEFAULT } = options;
  if (!Number.isInteger(batch) || batch < 1) {
    const message = `batch is ${batch}; it has to be a positive integer`;
    throw new VerbsError({ code: 'EINVAL', verb: 'ibv_poll_cq', message, details: { batch } });
  }
  return stream((signal, next) => batchesOf(cq, batch, signal, next));
}

/** Runs `produce` for each subscriber, until it unsubscribes. */
function stream<Value>(
  produce: (signal: AbortSignal, next: (value: Value) => void) => Promise<void>,
): Observable<Value> {
  return new Observable((subscriber) => {
    const controller = new AbortController();
    // Begun a moment later, so that no value comes before `subscribe` has returned the subscription.
    Promise.resolve()
      .then(() => produce(controller.signal, (value) => subscriber.next(value)))
      .then(
        () => subscriber.complete(),
        (error: unknown) => subscriber.error(error),
      );
    return () => controller.abort();
  });
}
