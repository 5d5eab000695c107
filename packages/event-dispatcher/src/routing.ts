/**
 * The routing of one context: from the number that a device names in an event to the object it is about. What kind of object
 * an event is about follows from its type, as `ibv_get_async_event`(3) lists them.
 */
import { eventElement } from '@openverbs/verbs';
import type { EventElement, EventRouting, EventSource, EventTarget, RawEvent } from '@openverbs/verbs/driver';

import { reportException } from './report-exception.ts';

/**
 * Events that are delivered in one go: as many as the event queue of any device here holds, so that what was queued is delivered and what a
 * peer raises without end meanwhile keeps nobody waiting. It waits for the next turn of the event loop, or for who asks again.
 */
export const EVENTS_PER_DISPATCH = 8192;

/** Routes the events of one {@link EventSource}. Every operation but `detach` takes constant time per event. */
export class ContextRouting implements EventRouting {
  readonly #source: EventSource;
  /** The one event that the source fills again and again. */
  readonly #event: RawEvent = { type: 0, id: 0 };
  readonly #targets: Readonly<Record<EventElement, Map<number, EventTarget>>> = {
    cq: new Map(),
    qp: new Map(),
    srq: new Map(),
    port: new Map(),
    device: new Map(),
  };
  #dropped = 0;
  #holds = 0;
  #attached = true;
  /** Whether the event loop is to go on with events that are left. */
  #goesOn = false;

  constructor(source: EventSource) {
    this.#source = source;
    source.setInterruptHandler(() => this.dispatch());
  }

  get dropped(): number {
    return this.#dropped;
  }

  add(element: EventElement, id: number, target: EventTarget): void {
    this.#targets[element].set(id, target);
  }

  /**
   * Forgets the object, then drains the source: what is still queued for the object is counted as dropped now, so that it
   * can't reach another object that is given the same number later.
   */
  remove(element: EventElement, id: number): void {
    this.#targets[element].delete(id);
    this.dispatch();
  }

  dispatch(): void {
    const event = this.#event;
    for (let left = EVENTS_PER_DISPATCH; left > 0; left--) {
      if (!this.#attached || !this.#source.next(event)) return;
      this.#deliver(event);
    }
    this.#goOn();
  }

  /** What is delivered may come back here, so nothing is read from `event` after that. */
  #deliver({ type, id }: RawEvent): void {
    // Found and held in one step: from here on the object gets this event even if a handler removes it meanwhile.
    const target = this.#targets[eventElement(type)].get(id);
    if (target === undefined) {
      this.#dropped++;
      return;
    }
    try {
      target.deliver(type);
    } catch (exception) {
      reportException(exception);
    }
  }

  /** The source has told of these events already, and may not tell again. */
  #goOn(): void {
    if (this.#goesOn) return;
    this.#goesOn = true;
    setImmediate(() => {
      this.#goesOn = false;
      this.dispatch();
    });
  }

  hold(): void {
    if (!this.#attached) return;
    this.#holds++;
    this.#source.hold();
  }

  release(): void {
    if (!this.#attached || this.#holds === 0) return;
    this.#holds--;
    this.#source.release();
  }

  /** Ends the routing. What is still held is released here, because the source may be gone when the holders learn of it. */
  detach(): void {
    if (!this.#attached) return;
    this.#attached = false;
    this.#source.setInterruptHandler(null);
    for (; this.#holds > 0; this.#holds--) this.#source.release();
    for (const targets of Object.values(this.#targets)) targets.clear();
  }
}
