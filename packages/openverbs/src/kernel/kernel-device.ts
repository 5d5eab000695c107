/**
 * What kernel level keeps of a device: the one context that all its consumers share, apart from those of user level, and the handlers
 * of their objects. Handlers are called one by one, in the order of the events, and never from within a verb.
 */
import { EventType, VerbsError } from '@openverbs/verbs';
import type { AsyncEvent, CompletionChannel, CompletionQueue, Context, Device, VerbsObject } from '@openverbs/verbs';

import { removeGone } from './client-registry.ts';
import type { IbEventHandler } from './event-handler.ts';

/** Called with an event and what the object was made with; C's `void (*event_handler)(struct ib_event *, void *)`. */
export type EventHandler = (event: AsyncEvent, context: unknown) => void;
/** Called when an armed queue has completions; C's `ib_comp_handler`. */
export type CompHandler = (cq: CompletionQueue, cq_context: unknown) => void;

/** A handler, and what it is called with besides. */
interface Handled<Handler> {
  readonly handler: Handler;
  readonly context: unknown;
}

const devices = new WeakMap<Device, KernelDevice>();
const owners = new WeakMap<Context, KernelDevice>();

/** A device, as kernel level has it opened. */
export class KernelDevice {
  readonly context: Context;
  readonly deviceHandlers = new Set<IbEventHandler>();
  readonly #comp = new Map<VerbsObject, Handled<CompHandler>>();
  readonly #async = new Map<VerbsObject, Handled<EventHandler>>();
  #channel: CompletionChannel | null = null;

  constructor(context: Context) {
    this.context = context;
  }

  /** Where queues with a completion handler report to. */
  channel(): CompletionChannel {
    return (this.#channel ??= this.context.createCompChannel());
  }

  setCompHandler(cq: CompletionQueue, handler: CompHandler): void {
    this.#comp.set(cq, { handler, context: cq.cqContext });
    this.serve();
  }

  setEventHandler(object: VerbsObject, handler: EventHandler, context: unknown): void {
    this.#async.set(object, { handler, context });
    this.serve();
  }

  /**
   * Serves events while there is a handler. That keeps the event loop alive, so the process ends by itself once the objects with handlers are
   * destroyed, whoever did it.
   */
  serve(): void {
    for (const handlers of [this.#comp, this.#async])
      for (const object of handlers.keys()) if (object.destroyed) handlers.delete(object);
    if (this.context.destroyed) return;
    this.#channel?.serveEvents(this.#comp.size > 0 ? (cq) => this.#completed(cq) : null);
    if (!this.context.device.supports('asyncEvents')) return;
    const wanted = this.#async.size + this.deviceHandlers.size > 0;
    this.context.serveAsyncEvents(wanted ? (event) => this.#happened(event) : null);
  }

  #completed(cq: CompletionQueue): void {
    const handled = this.#comp.get(cq);
    handled?.handler(cq, handled.context);
  }

  #happened(event: AsyncEvent): void {
    const object = event.cq ?? event.qp ?? event.srq;
    if (object === undefined) {
      // A handler may take itself or another out.
      for (const each of [...this.deviceHandlers]) if (this.deviceHandlers.has(each)) each.handler(each, event);
      if (event.type === EventType.DEVICE_FATAL) removeGone();
      return;
    }
    const handled = this.#async.get(object);
    handled?.handler(event, handled.context);
  }
}

/** The device, opened for kernel level. */
export function kernelDevice(device: Device): KernelDevice {
  const known = devices.get(device);
  if (known !== undefined && !known.context.destroyed) return known;
  const opened = new KernelDevice(device.open());
  devices.set(device, opened);
  owners.set(opened.context, opened);
  return opened;
}

/** The device that an object belongs to, for its handler. Throws EINVAL for an object of user level, whose events are waited for. */
export function kernelDeviceOf(verb: string, context: Context): KernelDevice {
  const owner = owners.get(context);
  if (owner !== undefined) return owner;
  const message = `the object is of a context of user level of ${context.device.name}, which has no handlers`;
  throw new VerbsError({ code: 'EINVAL', verb, message, hint: 'make it on what ib_alloc_pd gave' });
}

/** An object of the context has ended: its handlers go. */
export function forgetHandlers(context: Context): void {
  owners.get(context)?.serve();
}

/** A handler argument: a function, or none. */
export function checkHandler(verb: string, what: string, handler: unknown): void {
  if (handler === null || handler === undefined || typeof handler === 'function') return;
  throw new VerbsError({
    code: 'EINVAL',
    verb,
    message: `${what} is ${typeof handler}, no function`,
    hint: 'null for none',
  });
}
