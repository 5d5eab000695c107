/** Handlers of events that are about a device or a port, by their C names. */
import { VerbsError } from '@openverbs/verbs';
import type { AsyncEvent, Device } from '@openverbs/verbs';

import { aDevice, attributes } from '../gen2/first-argument.ts';
import { inTerms } from '../gen2/terms.ts';
import { kernelDevice } from './kernel-device.ts';

/** C's `struct ib_event_handler`. */
export interface IbEventHandler {
  /** Whose events. */
  readonly device: Device;
  /** Called with each. */
  handler(handler: IbEventHandler, event: AsyncEvent): void;
}

/** A handler of `device`; C fills a struct. */
export function INIT_IB_EVENT_HANDLER(device: Device, handler: IbEventHandler['handler']): IbEventHandler {
  return { device: aDevice('INIT_IB_EVENT_HANDLER', device), handler };
}

/** Has the handler called with events that are about the device or a port, in order, and never from within a verb. */
export function ib_register_event_handler(event_handler: IbEventHandler): void {
  const kernel = inTerms('ib_register_event_handler', (verb) => kernelDevice(handlerDevice(verb, event_handler)));
  if (typeof event_handler.handler !== 'function')
    throw invalid('ib_register_event_handler', 'its handler is no function');
  kernel.deviceHandlers.add(event_handler);
  kernel.serve();
}

/** Ends what {@link ib_register_event_handler} began. */
export function ib_unregister_event_handler(event_handler: IbEventHandler): void {
  const kernel = inTerms('ib_unregister_event_handler', (verb) => kernelDevice(handlerDevice(verb, event_handler)));
  if (!kernel.deviceHandlers.delete(event_handler))
    throw invalid('ib_unregister_event_handler', 'the handler is not registered');
  kernel.serve();
}

function handlerDevice(verb: string, event_handler: IbEventHandler): Device {
  return aDevice(verb, attributes(verb, 'the first argument', event_handler).device);
}

function invalid(verb: string, message: string): VerbsError {
  return new VerbsError({ code: 'EINVAL', verb, message, hint: 'pass what INIT_IB_EVENT_HANDLER made' });
}
