/** Completion channels. */
import type { CompletionQueue } from './completion-queue.ts';
import type { Context } from './context.ts';
import { VerbsError } from './errors.ts';
import { EventFifo } from './event-fifo.ts';
import { inspectCustom, inspectLine } from './inspect.ts';
import { VerbsObject } from './lifetime.ts';
import { checkLiteral } from './literal-keys.ts';
import { WAIT_KEYS, type WaitOptions } from './wait-options.ts';

/**
 * A completion channel (`struct ibv_comp_channel`): where the events of completion queues arrive. Arm a queue with
 * `cq.reqNotify()`, poll it empty, wait here, acknowledge with `cq.ackEvents(n)`. `cq.completions()` does all that.
 */
export class CompletionChannel extends VerbsObject {
  /** The context that made it. */
  readonly context: Context;
  readonly #events: EventFifo<CompletionQueue>;
  /** The queues that use it. @internal */
  readonly cqs = new Set<CompletionQueue>();

  /** @internal */
  constructor(context: Context) {
    super([context]);
    this.context = context;
    this.#events = new EventFifo(context.routing, (cq) => cq.countEvent());
  }

  /** What messages call it. */
  get label(): string {
    return 'completion channel';
  }

  /**
   * Waits for the next event and tells which queue it is about. Rejects with the signal's reason when aborted, with ECANCELED
   * when the channel ends. Source: `ibv_get_cq_event`(3).
   */
  getCqEvent(options: WaitOptions = {}): Promise<CompletionQueue> {
    this.assertLive('ibv_get_cq_event');
    checkLiteral('ibv_get_cq_event', 'options', options, WAIT_KEYS);
    return this.#events.take(options.signal);
  }

  /** As {@link CompletionChannel.getCqEvent}, without waiting: null when there is no event. */
  tryGetCqEvent(): CompletionQueue | null {
    this.assertLive('ibv_get_cq_event');
    return this.#events.tryTake() ?? null;
  }

  /** The queues of events as they come; each event is acknowledged after the loop's body. */
  async *[Symbol.asyncIterator](): AsyncGenerator<CompletionQueue, never, void> {
    for (;;) {
      const cq = await this.getCqEvent();
      if (cq.destroyed) continue; // between the event and this turn
      try {
        yield cq;
      } finally {
        if (!cq.destroyed) cq.ackEvents(1);
      }
    }
  }

  /** Ends it. Throws EBUSY while queues use it. Source: `ibv_destroy_comp_channel`(3). */
  destroy(): void {
    this.endStrictly('ibv_destroy_comp_channel');
  }

  /** @internal */
  [inspectCustom](): string {
    return inspectLine('CompletionChannel', { cqs: this.cqs.size });
  }

  /** An event of `cq` came. @internal */
  queueEvent(cq: CompletionQueue): void {
    this.#events.push(cq);
  }

  /** Has `server` called with the queue of each event, which needs no acknowledgement then, until it is null. @internal */
  serveEvents(server: ((cq: CompletionQueue) => void) | null): void {
    this.#events.serve(server);
  }

  /** Waits for an event of `cq`, whose channel this is alone. @internal */
  waitFor(cq: CompletionQueue, signal: AbortSignal | undefined): Promise<CompletionQueue> {
    return this.#events.take(signal, cq);
  }

  /** A queue has ended: forgets its events, and ends the waits that were for it. @internal */
  onCqEnded(cq: CompletionQueue): void {
    const verb = 'ibv_get_cq_event';
    this.cqs.delete(cq);
    this.#events.drop((other) => other === cq);
    this.#events.cancel(cq, new VerbsError({ code: 'ECANCELED', verb, message: `${cq.label} was destroyed` }));
  }

  /** @internal */ protected override releaseInProvider(): void {} // a channel is the host's alone

  /** @internal */ protected override onEnded(): void {
    const verb = 'ibv_get_cq_event';
    this.#events.close(new VerbsError({ code: 'ECANCELED', verb, message: `the ${this.label} was destroyed` }));
  }
}
