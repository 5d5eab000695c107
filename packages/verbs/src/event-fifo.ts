/** Queues of events, and the promises that wait for them. */
import type { EventRouting } from './driver/events.ts';

/** After as many items without a wait, everybody else on the event loop gets a turn. */
const ITEMS_PER_TURN_MAX = 64;

interface Waiter<T> {
  readonly resolve: (item: T) => void;
  readonly reject: (reason: unknown) => void;
  readonly signal: AbortSignal | undefined;
  readonly owner: unknown;
  readonly onAbort: () => void;
}

/**
 * Events in the order in which they came. Either items wait for a taker, or takers for an item; an aborted taker leaves the
 * line before it is given anything, so no event is lost to it.
 */
export class EventFifo<T> {
  readonly #routing: EventRouting;
  readonly #onTaken: (item: T) => void;
  #items: T[] = [];
  #waiters: Waiter<T>[] = [];
  /** Who is called with each item. */
  #server: ((item: T) => void) | null = null;
  #scheduled = false;
  #servedThisTurn = 0;

  /** @param onTaken - called for each item as it is handed to the application. */
  constructor(routing: EventRouting, onTaken: (item: T) => void) {
    this.#routing = routing;
    this.#onTaken = onTaken;
  }

  /** Adds an item, or hands it to the one who has waited longest. */
  push(item: T): void {
    const waiter = this.#waiters.shift();
    if (waiter === undefined) {
      this.#items.push(item);
      this.#scheduleServer();
      return;
    }
    this.#settle(waiter);
    this.#onTaken(item);
    waiter.resolve(item);
  }

  /** Takes the oldest item; undefined when there is none. */
  tryTake(): T | undefined {
    // What the device still holds is younger: who takes some of many events does not have all of them delivered.
    if (this.#items.length === 0) this.#routing.dispatch();
    const item = this.#items.shift();
    if (item !== undefined) this.#onTaken(item);
    return item;
  }

  /**
   * Takes the oldest item, or waits for one. Rejects with the signal's reason when it aborts first. `owner` is for
   * {@link EventFifo.cancel}.
   */
  take(signal: AbortSignal | undefined, owner?: unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const item = this.tryTake();
      if (item !== undefined) {
        resolve(item);
        return;
      }
      const onAbort = (): void => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        this.#settle(waiter);
        reject(signal!.reason as Error);
      };
      const waiter: Waiter<T> = { resolve, reject, signal, owner, onAbort };
      signal?.addEventListener('abort', onAbort);
      this.#waiters.push(waiter);
      this.#routing.hold();
    });
  }

  /**
   * Has `server` called with each item, the oldest first, one at a time, on a microtask of its own, until it is null again. As in a
   * kernel there is nothing to acknowledge: an item that was not served yet can still be dropped. An exception of `server` is
   * reported as an uncaught one, and the next item is served.
   */
  serve(server: ((item: T) => void) | null): void {
    const before = this.#server;
    this.#server = server;
    if (before === null && server !== null) this.#routing.hold();
    if (before !== null && server === null) this.#routing.release();
    this.#scheduleServer();
  }

  /** Forgets the items that `unwanted` picks, which nobody has taken. */
  drop(unwanted: (item: T) => boolean): void {
    this.#items = this.#items.filter((item) => !unwanted(item));
  }

  /** Rejects those who wait on behalf of `owner`, an object that has ended. */
  cancel(owner: unknown, error: Error): void {
    this.#reject((waiter) => waiter.owner === owner, error);
  }

  /** Forgets all items and rejects all who wait. */
  close(error: Error): void {
    this.#items = [];
    this.serve(null);
    this.#reject(() => true, error);
  }

  #scheduleServer(): void {
    if (this.#scheduled || this.#server === null || this.#items.length === 0) return;
    this.#scheduled = true;
    const step = (): void => this.#serveOne();
    if (++this.#servedThisTurn < ITEMS_PER_TURN_MAX) {
      queueMicrotask(step);
      return;
    }
    this.#servedThisTurn = 0;
    setImmediate(step);
  }

  #serveOne(): void {
    this.#scheduled = false;
    if (this.#server === null || this.#items.length === 0) return;
    const item = this.#items.shift()!;
    try {
      this.#server(item);
    } catch (exception) {
      queueMicrotask(() => {
        throw exception;
      });
    }
    this.#scheduleServer();
  }

  #reject(which: (waiter: Waiter<T>) => boolean, error: Error): void {
    const rejected = this.#waiters.filter(which);
    this.#waiters = this.#waiters.filter((waiter) => !which(waiter));
    for (const waiter of rejected) {
      this.#settle(waiter);
      waiter.reject(error);
    }
  }

  #settle(waiter: Waiter<T>): void {
    waiter.signal?.removeEventListener('abort', waiter.onAbort);
    this.#routing.release();
  }
}
