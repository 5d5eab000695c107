/**
 * Takes the events of a guest's lower contexts and sends them over its event channel.
 *
 * What finds no room in the ring waits here; completion events wait once a CQ, which is what they mean.
 */
import type { AsyncEvent } from '@openverbs/verbs';
import { COMPLETION_EVENT } from '@openverbs/verbs/driver';
import type { EventElement } from '@openverbs/verbs/driver';
import type { EventRingProducer } from '../channel/event-ring.ts';
import { EventElementCode, EventWord } from '../protocol/events.ts';
import { EVENTS_WAITING_MAX } from '../protocol/limits.ts';
import { Account } from './accounting.ts';
import type { Guest } from './guest.ts';
import type { GuestContext, GuestQp } from './guest-context.ts';

/** Events of each kind that are taken of a context in one go: a guest in bypass has as many raised as it likes. */
export const EVENTS_PER_RUN = 1024;

type EventEntry = Record<number, number>;

export class EventForwarder {
  readonly #guest: Guest;
  readonly #ring: EventRingProducer;
  #waiting: EventEntry[] = [];
  #more = false;

  constructor(guest: Guest, ring: EventRingProducer) {
    this.#guest = guest;
    this.#ring = ring;
  }

  /** Whether the last run has left events where they were, for the next. */
  get more(): boolean {
    return this.#more;
  }

  /** Forwards what there is; true when the guest is to be told. */
  run(): boolean {
    this.#more = false;
    for (const context of this.#guest.contexts) this.#collect(context);
    let sent = 0;
    while (sent < this.#waiting.length && this.#ring.put(this.#waiting[sent])) sent++;
    if (sent === 0) return false;
    this.#waiting = this.#waiting.slice(sent);
    this.#guest.counts[Account.EVENTS] += sent;
    return true;
  }

  #collect(context: GuestContext): void {
    const { lower, channel, cookies } = context;
    lower.routing.dispatch();
    this.#take(() => {
      const cq = channel.tryGetCqEvent();
      if (cq === null) return false;
      cq.ackEvents(1);
      this.#push('cq', COMPLETION_EVENT, cookies.get(cq), context.handle);
      return true;
    });
    this.#take(() => {
      const event = lower.tryGetAsyncEvent();
      if (event === null) return false;
      const { element, type } = event;
      const qp = event.qp === undefined ? undefined : context.qps.find(event.qp.handle);
      lower.ackAsyncEvent(event);
      this.#push(element, type, idOf(context, event), context.handle, qp);
      return true;
    });
  }

  /** Takes events until there is none, or until others are to have their turn. */
  #take(takeOne: () => boolean): void {
    let taken = 0;
    while (taken < EVENTS_PER_RUN && takeOne()) taken++;
    this.#more ||= taken === EVENTS_PER_RUN;
  }

  #push(element: EventElement, type: number, id: number | undefined, context: number, qp?: GuestQp): void {
    // The object ended after the event was raised.
    if (id === undefined) return;
    if (this.#waiting.length >= EVENTS_WAITING_MAX) {
      this.#guest.counts[Account.EVENTS_LOST]++;
      return;
    }
    this.#waiting.push({
      [EventWord.ELEMENT]: EventElementCode[element],
      [EventWord.TYPE]: type,
      [EventWord.ID]: id,
      [EventWord.CONTEXT]: context,
      [EventWord.QP_STATE]: qp?.qp.state ?? 0,
      [EventWord.QP_MODIFIES]: qp?.modifies ?? 0,
    });
  }
}

/** What the guest knows the event's object by. */
function idOf({ cookies }: GuestContext, { element, cq, qp, srq, port }: AsyncEvent): number | undefined {
  if (element === 'device') return 0;
  if (element === 'port') return port;
  const object = cq ?? qp ?? srq;
  return object === undefined ? undefined : cookies.get(object);
}
