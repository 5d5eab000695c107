/** The events of a context. */
import type { EventSource, RawEvent } from '@openverbs/verbs/driver';
import type { Adapter } from './adapter.ts';

/** While somebody sleeps, the adapter is looked after this often. */
const TICK_NS = 1e6;

export class EventQueue implements EventSource {
  readonly #adapter: Adapter;
  readonly #pending: RawEvent[] = [];
  #interrupt: (() => void) | null = null;
  #holds = 0;
  #cancelTick: () => void = () => {};

  constructor(adapter: Adapter) {
    this.#adapter = adapter;
  }

  raise(type: number, id: number): void {
    this.#pending.push({ type, id });
    // Later, so that no code of the application runs inside a post or a poll.
    queueMicrotask(() => this.#interrupt?.());
  }

  next(event: RawEvent): boolean {
    const first = this.#pending.shift();
    if (first === undefined) return false;
    event.type = first.type;
    event.id = first.id;
    return true;
  }

  setInterruptHandler(handler: (() => void) | null): void {
    this.#interrupt = handler;
  }

  /** Nobody polls while the application sleeps, so a timer retries in its place, and keeps the process alive. */
  hold(): void {
    if (this.#holds++ === 0) this.#tick();
  }

  release(): void {
    if (--this.#holds === 0) this.#cancelTick();
  }

  #tick(): void {
    const { clock } = this.#adapter;
    this.#adapter.progress();
    this.#cancelTick = clock.setTimer(clock.nowNs() + TICK_NS, () => {
      this.#tick();
    });
  }
}
