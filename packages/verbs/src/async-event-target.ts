/** The events of an object: what each class that has any does the same way. */
import { AsyncEvent, type AsyncEventSubject } from './async-event.ts';
import type { Context } from './context.ts';
import type { EventElement, EventTarget } from './driver/events.ts';
import type { EventType } from './enums/event-type.ts';
import { VerbsObject } from './lifetime.ts';
import { traceEvent } from './tracing/trace-events.ts';

/** A verbs object that asynchronous events are about. */
export abstract class AsyncEventTarget extends VerbsObject implements EventTarget {
  /** The context that made it. */
  readonly context: Context;
  /** The provider's number of it, as in C's `handle`. */
  readonly handle: number;
  readonly #element: EventElement;
  #unacknowledgedAsync = 0;

  /** @internal */
  constructor(context: Context, element: EventElement, handle: number, parents: readonly VerbsObject[]) {
    super(parents);
    this.context = context;
    this.handle = handle;
    this.#element = element;
    context.routing.add(element, handle, this);
  }

  /** Called by the dispatcher. @internal */
  deliver(type: number): void {
    traceEvent(this.context.device.name, this.label, type);
    this.context.queueAsyncEvent(new AsyncEvent(this.context, type as EventType, this.#element, this.asEventSubject()));
  }

  /** Counts an event that the application took, or gave back. @internal */
  countAsyncEvent(change: 1 | -1): void {
    this.#unacknowledgedAsync += change;
  }

  /** The object, under the name that it has in an event. @internal */
  protected abstract asEventSubject(): AsyncEventSubject;

  /** @internal */ protected override unacknowledgedEvents(): number {
    return this.#unacknowledgedAsync;
  }

  /** @internal */ protected override onEnded(): void {
    this.context.routing.remove(this.#element, this.handle);
    this.context.dropAsyncEvents(this);
  }
}
