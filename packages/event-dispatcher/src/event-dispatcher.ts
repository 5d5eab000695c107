/** The event dispatcher. */
import type { AsyncEvent, CompletionChannel, CompletionQueue, Context } from '@openverbs/verbs';
import type { EventDispatcherOps, EventRouting, EventSource } from '@openverbs/verbs/driver';

import { asyncEvents, completionEvents } from './event-queue.ts';
import type { EventQueue } from './event-queue.ts';
import { pump } from './pump.ts';
import { reportException } from './report-exception.ts';
import { ContextRouting } from './routing.ts';
import { subscriptionOf } from './subscription.ts';
import type { Subscription } from './subscription.ts';

/**
 * Finds the object that an event names, in constant time, and calls the handlers of those who asked.
 *
 * Each handler gets one event at a time, from its own turn of the microtask queue, never from within a verb. The event is
 * acknowledged when the handler returns. An exception of a handler is reported as an uncaught one, and the handler goes on
 * getting events. Events of one channel or context go to one taker each, so don't mix handlers with other waits on it.
 */
export class EventDispatcher implements EventDispatcherOps {
  /** Starts routing the events of a context; `verbs` calls it when a device is opened. */
  attach(source: EventSource): EventRouting {
    return new ContextRouting(source);
  }

  /**
   * Calls `handler` with the completion queue of each event of `channel`, until the subscription or the channel ends. As in C, an
   * event tells that completions came after the queue was armed: poll it, arm it by `cq.reqNotify()`, and poll once more.
   *
   * @example
   * ```ts
   * import { EventDispatcher } from '@openverbs/event-dispatcher';
   * import { WorkCompletion, type CompletionChannel } from '@openverbs/verbs';
   *
   * const wcs = WorkCompletion.array(16);
   *
   * function print(dispatcher: EventDispatcher, channel: CompletionChannel): Disposable {
   *   return dispatcher.onCompletion(channel, (cq) => {
   *     cq.reqNotify();
   *     for (let n = cq.poll(wcs); n > 0; n = cq.poll(wcs)) {
   *       for (let i = 0; i < n; i++) console.log(wcs[i]!.explain());
   *     }
   *   });
   * }
   * ```
   */
  onCompletion(channel: CompletionChannel, handler: (cq: CompletionQueue) => void): Subscription {
    channel.assertLive('ibv_get_cq_event');
    return subscribe(completionEvents(channel), handler);
  }

  /** Calls `handler` with each asynchronous event of `context`, until the subscription or the context ends. */
  onAsyncEvent(context: Context, handler: (event: AsyncEvent) => void): Subscription {
    context.assertLive('ibv_get_async_event');
    return subscribe(asyncEvents(context), handler);
  }
}

function subscribe<Event>(queue: EventQueue<Event>, handler: (event: Event) => void): Subscription {
  const controller = new AbortController();
  const guarded = (event: Event): void => {
    try {
      handler(event);
    } catch (exception) {
      reportException(exception);
    }
  };
  pump(queue, controller.signal, guarded).catch(reportException);
  return subscriptionOf(controller);
}
