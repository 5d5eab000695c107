/** The lower devices of the device domain, as verbs objects whose events are told of at once. */
import { EventDispatcher } from '@openverbs/event-dispatcher';
import { Device } from '@openverbs/verbs';
import type { DeviceOps, EventDispatcherOps } from '@openverbs/verbs/driver';

/** @param onEvent - is called when one of the devices has raised an event on this thread */
export function lowerDevices(devices: readonly DeviceOps[], provider: string, onEvent: () => void): Device[] {
  const dispatcher = telling(new EventDispatcher(), onEvent);
  return devices.map((ops) => new Device(ops, provider, dispatcher));
}

function telling(dispatcher: EventDispatcherOps, onEvent: () => void): EventDispatcherOps {
  return {
    attach(source) {
      const routing = dispatcher.attach(source);
      source.setInterruptHandler(() => {
        routing.dispatch();
        onEvent();
      });
      return routing;
    },
  };
}
