/** Asynchronous events of a context. */
import { expect } from 'chai';
import {
  EventType,
  eventTypeStr,
  type AsyncEvent,
  type CompletionQueue,
  type Context,
  type QueuePair,
  type SharedReceiveQueue,
} from '@openverbs/verbs';
import { eventually } from './wait.ts';

/** Waits for the next asynchronous event: it must be this one. Acknowledges it. */
export async function expectAsyncEvent(
  context: Context,
  type: EventType,
  element: QueuePair | CompletionQueue | SharedReceiveQueue,
): Promise<void> {
  const event = await nextAsyncEvent(context);
  expect(eventTypeStr(event.type), 'event').to.equal(eventTypeStr(type));
  expect(event.qp ?? event.cq ?? event.srq, 'what the event is about').to.equal(element);
  context.ackAsyncEvent(event);
}

/** Waits for CQ_ERR among the events; QPs that complete there may report that they can't go on. */
export async function expectOverrun(context: Context, cq: CompletionQueue): Promise<void> {
  for (;;) {
    const event = await nextAsyncEvent(context);
    context.ackAsyncEvent(event);
    if (event.type === EventType.CQ_ERR) {
      expect(event.cq).to.equal(cq);
      return;
    }
    expect(event.type, 'another event').to.equal(EventType.QP_FATAL);
  }
}

/** The next asynchronous event, not acknowledged. */
export async function nextAsyncEvent(context: Context): Promise<AsyncEvent> {
  let found: AsyncEvent | null = null;
  await eventually('an asynchronous event', () => (found = context.tryGetAsyncEvent()) !== null);
  return found as unknown as AsyncEvent;
}

/** Fails when the context has an event now. */
export function expectNoAsyncEvent(context: Context): void {
  const event = context.tryGetAsyncEvent();
  expect(event, event === null ? '' : `unexpected event ${event.toString()}`).to.equal(null);
}
