/** The least dispatcher: delivers what is queued when it is asked, or interrupted. */
import { eventElement } from '@openverbs/verbs';
import type { EventDispatcherOps, EventRouting, EventSource, EventTarget } from '@openverbs/verbs/driver';

class Routing implements EventRouting {
  dropped = 0;
  readonly #source: EventSource;
  readonly #targets = new Map<string, EventTarget>();
  readonly #event = { type: 0, id: 0 };

  constructor(source: EventSource) {
    this.#source = source;
    source.setInterruptHandler(() => {
      this.dispatch();
    });
  }

  add(element: string, id: number, target: EventTarget): void {
    this.#targets.set(`${element} ${id}`, target);
  }

  remove(element: string, id: number): void {
    this.#targets.delete(`${element} ${id}`);
  }

  dispatch(): void {
    while (this.#source.next(this.#event)) {
      const { type, id } = this.#event;
      const target = this.#targets.get(`${eventElement(type)} ${id}`);
      if (target === undefined) this.dropped++;
      else target.deliver(type);
    }
  }

  hold(): void {
    this.#source.hold();
  }

  release(): void {
    this.#source.release();
  }

  detach(): void {
    this.#source.setInterruptHandler(null);
  }
}

export const dispatcher: EventDispatcherOps = { attach: (source) => new Routing(source) };
