/**
 * The events of a front-end: takes them off the event channel, and gives each to the context that has the object, which finds the
 * object by its handle.
 */
import type { EventSource, RawEvent } from '@openverbs/verbs/driver';
import { COMPLETION_EVENT } from '@openverbs/verbs/driver';
import { EventElementCode, EventWord } from '../protocol/events.ts';
import { EVENTS_WAITING_MAX } from '../protocol/limits.ts';
import type { Cookies } from './cookies.ts';
import type { QpStates } from './qp-states.ts';

/** What a context's source needs of its front-end. */
export interface EventFeed {
  /** Takes what there is off the event channel, and gives it to the sources. */
  pump(): void;
  /** Keeps the event loop alive, and listens. */
  hold(): void;
  release(): void;
}

/** The events of one context. */
export class ContextEventSource implements EventSource {
  readonly cookies: Cookies;
  readonly #feed: EventFeed;
  readonly #qpStates: QpStates;
  readonly #waiting: RawEvent[] = [];
  #handler: (() => void) | null = null;
  #scheduled = false;
  #holds = 0;
  #closed = false;
  /** Events that were lost because the program did not take them. */
  lost = 0;

  constructor(feed: EventFeed, cookies: Cookies, qpStates: QpStates) {
    this.#feed = feed;
    this.cookies = cookies;
    this.#qpStates = qpStates;
  }

  next(event: RawEvent): boolean {
    if (this.#closed) return false;
    if (this.#waiting.length === 0) this.#feed.pump();
    const first = this.#waiting.shift();
    if (first === undefined) return false;
    event.type = first.type;
    event.id = first.id;
    return true;
  }

  setInterruptHandler(handler: (() => void) | null): void {
    this.#handler = handler;
    if (handler !== null && this.#waiting.length > 0) this.#schedule();
  }

  hold(): void {
    if (this.#holds++ === 0) this.#feed.hold();
  }

  release(): void {
    if (--this.#holds === 0) this.#feed.release();
  }

  /** An event has come, by {@link EventWord}: its id is a cookie, or a port, or nothing. */
  push(event: Readonly<Record<number, number>>): void {
    if (this.#closed) return;
    const element = event[EventWord.ELEMENT];
    const type = event[EventWord.TYPE];
    const id = event[EventWord.ID];
    const named = element !== EventElementCode.port && element !== EventElementCode.device;
    const handle = named ? this.cookies.handleOf(id) : id;
    if (named && handle === 0) return;
    if (element === EventElementCode.qp) {
      this.#qpStates.notified(handle, event[EventWord.QP_STATE], event[EventWord.QP_MODIFIES]);
    }
    // One completion event of a CQ says all that two would.
    if (type === COMPLETION_EVENT && this.#waiting.some((each) => each.type === type && each.id === handle)) return;
    if (this.#waiting.length >= EVENTS_WAITING_MAX) {
      this.lost++;
      return;
    }
    this.#waiting.push({ type, id: handle });
    this.#schedule();
  }

  close(): void {
    this.#closed = true;
    this.#handler = null;
    if (this.#holds > 0) this.#feed.release();
    this.#holds = 0;
  }

  /** On the next microtask, so that no program's code runs inside a verb. */
  #schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (!this.#closed) this.#handler?.();
    });
  }
}
