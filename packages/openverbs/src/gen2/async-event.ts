/** Asynchronous events, by their C names. */
import type { AsyncEvent, Context } from '@openverbs/verbs';

import { aContext, anAsyncEvent } from './first-argument.ts';

/** Waits for the next asynchronous event of a context. Every event has to be acknowledged. */
export async function ibv_get_async_event(
  context: Context,
  options: { readonly signal?: AbortSignal } = {},
): Promise<AsyncEvent> {
  return await aContext('ibv_get_async_event', context).getAsyncEvent(options);
}

/** Acknowledges an asynchronous event, once. */
export function ibv_ack_async_event(event: AsyncEvent): void {
  anAsyncEvent('ibv_ack_async_event', event).context.ackAsyncEvent(event);
}
