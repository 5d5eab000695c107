/** A dispatcher that looks objects up in a map. */
import type {
  EventDispatcherOps,
  EventElement,
  EventRouting,
  EventSource,
  EventTarget,
  RawEvent,
} from '../../src/driver/events.ts';
import { eventElement } from '../../src/enums/event-type.ts';

/** The routing of a context, with what a test wants to see of it. */
export class FakeRouting implements EventRouting {
  readonly targets = new Map<string, EventTarget>();
  dropped = 0;
  holds = 0;
  readonly #source: EventSource;
  readonly #event: RawEvent = { type: 0, id: 0 };

  constructor(source: EventSource) {
    this.#source = source;
    source.setInterruptHandler(() => this.dispatch());
  }

  add(element: EventElement, id: number, target: EventTarget): void {
    this.targets.set(`${element} ${id}`, target);
  }

  remove(element: EventElement, id: number): void {
    this.targets.delete(`${element} ${id}`);
  }

  dispatch(): void {
    while (this.#source.next(this.#event)) {
      const { type, id } = this.#event;
      const target = this.targets.get(`${eventElement(type)} ${id}`);
      if (target === undefined) this.dropped++;
      else target.deliver(type);
    }
  }

  hold(): void {
    this.holds++;
    this.#source.hold();
  }

  release(): void {
    this.holds--;
    this.#source.release();
  }

  detach(): void {
    this.#source.setInterruptHandler(null);
  }
}

/** Makes a {@link FakeRouting} for each context. */
export class FakeDispatcher implements EventDispatcherOps {
  readonly routings: FakeRouting[] = [];

  attach(source: EventSource): EventRouting {
    const routing = new FakeRouting(source);
    this.routings.push(routing);
    return routing;
  }
}
