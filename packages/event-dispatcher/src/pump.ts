/** Takes events as they come, until stopped, and loses none to the stop. */
import type { EventQueue } from './event-queue.ts';

/**
 * Calls `handle` with each event of `queue`, the oldest first, and acknowledges the event when `handle` is done. Resolves when
 * `signal` aborts or the owner of the queue ends; rejects with whatever else goes wrong.
 */
export async function pump<Event>(
  queue: EventQueue<Event>,
  signal: AbortSignal,
  handle: (event: Event) => void,
): Promise<void> {
  for (let event = await nextEvent(queue, signal); event !== undefined; event = await nextEvent(queue, signal)) {
    try {
      // Taken for this code before it went on, and ended in between.
      if (!queue.isVoid(event)) handle(event);
    } finally {
      queue.acknowledge(event);
    }
  }
}

/** The next event of `queue`; undefined when `signal` aborts or the owner of the queue ends first. */
export async function nextEvent<Event>(queue: EventQueue<Event>, signal: AbortSignal): Promise<Event | undefined> {
  if (signal.aborted || queue.ended) return undefined;
  let event: Event;
  try {
    event = await queue.take(signal);
  } catch (error) {
    if (isStopped(queue, signal)) return undefined;
    throw error;
  }
  if (!isStopped(queue, signal)) return event;
  // It was taken before the signal aborted, and this code learns of it after.
  if (!queue.ended) putBack(queue, event);
  return undefined;
}

/** Apart, because the compiler believes that what was false before an `await` is false after it. */
function isStopped(queue: EventQueue<unknown>, signal: AbortSignal): boolean {
  return signal.aborted || queue.ended;
}

/** Gives an event back, before those that have come since. */
function putBack<Event>(queue: EventQueue<Event>, taken: Event): void {
  const events = [taken];
  for (let event = queue.tryTake(); event !== null; event = queue.tryTake()) events.push(event);
  for (const event of events) queue.putBack(event);
}
