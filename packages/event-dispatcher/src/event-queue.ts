/** The two queues that a program takes events from, seen alike. */
import type { AsyncEvent, CompletionChannel, CompletionQueue, Context } from '@openverbs/verbs';

/** A queue of events. */
export interface EventQueue<Event> {
  /** Whether its owner has ended. */
  readonly ended: boolean;
  /** Takes the oldest event, or waits for one. */
  take(signal: AbortSignal): Promise<Event>;
  /** Takes the oldest event; null if there is none. */
  tryTake(): Event | null;
  /** Whether the object that the event is about has ended meanwhile; nobody is told then. */
  isVoid(event: Event): boolean;
  acknowledge(event: Event): void;
  /** Gives back an event that was taken. It becomes the youngest one. */
  putBack(event: Event): void;
}

/** The completion events of a channel: each is the queue that it is about. */
export function completionEvents(channel: CompletionChannel): EventQueue<CompletionQueue> {
  return {
    get ended() {
      return channel.destroyed;
    },
    take: (signal) => channel.getCqEvent({ signal }),
    tryTake: () => channel.tryGetCqEvent(),
    isVoid: (cq) => cq.destroyed,
    acknowledge: (cq) => {
      // Whoever destroys a queue has its events acknowledged with it.
      if (!cq.destroyed) cq.ackEvents(1);
    },
    putBack: (cq) => {
      if (cq.destroyed) return;
      cq.ackEvents(1);
      channel.queueEvent(cq);
    },
  };
}

/** The events of one queue, which has `channel` for itself. It ends with the queue. */
export function ownCompletionEvents(cq: CompletionQueue, channel: CompletionChannel): EventQueue<CompletionQueue> {
  const events = completionEvents(channel);
  return {
    ...events,
    get ended() {
      return cq.destroyed;
    },
    take: (signal) => channel.waitFor(cq, signal),
  };
}

/** The asynchronous events of a context. */
export function asyncEvents(context: Context): EventQueue<AsyncEvent> {
  const gone = (event: AsyncEvent): boolean => context.destroyed || subjectOf(event)?.destroyed === true;
  return {
    get ended() {
      return context.destroyed;
    },
    take: (signal) => context.getAsyncEvent({ signal }),
    tryTake: () => context.tryGetAsyncEvent(),
    isVoid: gone,
    acknowledge: (event) => {
      if (!gone(event)) context.ackAsyncEvent(event);
    },
    putBack: (event) => {
      if (gone(event)) return;
      context.ackAsyncEvent(event);
      context.queueAsyncEvent(event);
    },
  };
}

function subjectOf({ cq, qp, srq }: AsyncEvent): { readonly destroyed: boolean } | undefined {
  return cq ?? qp ?? srq;
}
