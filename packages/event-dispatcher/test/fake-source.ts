/** An event source that a test fills by hand. */
import type { EventSource, RawEvent } from '@openverbs/verbs/driver';

/** Queues events; `interrupt` tells the handler that there are some. */
export class FakeSource implements EventSource {
  readonly queue: RawEvent[] = [];
  /** The objects that were handed to `next`, to prove that one is used again and again. */
  readonly filled = new Set<RawEvent>();
  holds = 0;
  #handler: (() => void) | null = null;

  next(event: RawEvent): boolean {
    this.filled.add(event);
    const oldest = this.queue.shift();
    if (oldest === undefined) return false;
    event.type = oldest.type;
    event.id = oldest.id;
    return true;
  }

  setInterruptHandler(handler: (() => void) | null): void {
    this.#handler = handler;
  }

  hold(): void {
    this.holds++;
  }

  release(): void {
    this.holds--;
  }

  interrupt(...events: RawEvent[]): void {
    this.queue.push(...events);
    this.#handler?.();
  }
}
