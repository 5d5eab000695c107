/**
 * How a device's events reach the objects they are about. The provider has an {@link EventSource} per context, a table of raw
 * events; an {@link EventDispatcherOps} looks the object up and delivers. `openverbs` hands the dispatcher in.
 */

/** One entry of a device's event queue. The dispatcher owns one and has it filled again and again. */
export interface RawEvent {
  /** `'completion'` is represented by -1, an asynchronous event by its `EventType`. */
  type: number;
  /** Handle of the CQ, QP or SRQ, the port number, or 0 for the device. */
  id: number;
}

/** `type` of a completion event. */
export const COMPLETION_EVENT = -1;

/** What an event is about. */
export type EventElement = 'cq' | 'qp' | 'srq' | 'port' | 'device';

/** A context's events, as the provider offers them. No method is called under a lock of the provider. */
export interface EventSource {
  /** Takes the oldest event into `event`; false when there is none. */
  next(event: RawEvent): boolean;
  /** Sets who is called, on the context's own thread and outside any lock, when events may have come. */
  setInterruptHandler(handler: (() => void) | null): void;
  /**
   * From the first `hold` to the matching `release` the provider keeps the event loop of this thread alive and interrupts
   * promptly, whichever thread or timer of the device raised the event. Calls nest.
   */
  hold(): void;
  /** Takes back a {@link EventSource.hold}. */
  release(): void;
}

/** An object that receives events. */
export interface EventTarget {
  /** `type` is -1 for a completion event, else an `EventType`. Must not throw. */
  deliver(type: number): void;
}

/** Routes a context's events to its objects, in constant time. */
export interface EventDispatcherOps {
  /** Starts routing the events of `source`. */
  attach(source: EventSource): EventRouting;
}

/** The routing of one context. */
export interface EventRouting {
  /** From now on, hands the events of an object to `target`. */
  add(element: EventElement, id: number, target: EventTarget): void;
  /** Events that are still queued for the object are dropped and counted. */
  remove(element: EventElement, id: number): void;
  /** Events that found no object. */
  readonly dropped: number;
  /** Delivers what is queued now, without waiting for an interrupt. What comes meanwhile, without end, may be left for later. */
  dispatch(): void;
  /** See {@link EventSource.hold}. */
  hold(): void;
  /** See {@link EventSource.release}. */
  release(): void;
  /** Ends the routing: takes the interrupt handler away. */
  detach(): void;
}
