/** Asynchronous events, by their C names. */
import { VerbsError } from '@openverbs/verbs';
import type { AsyncEvent, Context } from '@openverbs/verbs';

/** Where events came from: C's acknowledgement does not name the context. */
const contexts = new WeakMap<AsyncEvent, Context>();

/** Waits for the next asynchronous event of a context. Every event has to be acknowledged. */
export async function ibv_get_async_event(
  context: Context,
  options: { readonly signal?: AbortSignal } = {},
): Promise<AsyncEvent> {
  const event = await context.getAsyncEvent(options);
  contexts.set(event, context);
  return event;
}

/** Acknowledges an asynchronous event of {@link ibv_get_async_event}. */
export function ibv_ack_async_event(event: AsyncEvent): void {
  const context = contexts.get(event);
  if (context === undefined) {
    const message = 'the event did not come from ibv_get_async_event';
    const hint = 'context.ackAsyncEvent(event) acknowledges it';
    throw new VerbsError({ code: 'EINVAL', verb: 'ibv_ack_async_event', message, hint });
  }
  context.ackAsyncEvent(event);
}
