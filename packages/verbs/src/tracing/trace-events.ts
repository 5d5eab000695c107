/** Tells of events. */
import { COMPLETION_EVENT } from '../driver/events.ts';
import { eventTypeStr } from '../enums/event-type.ts';
import { eventChannel, type EventMessage, traceNowNs } from './channels.ts';

/** An event of `type` came for `object` of `device`. Costs a look at the channel without listeners. */
export function traceEvent(device: string, object: string, type: number): void {
  if (!eventChannel.hasSubscribers) return;
  const text = type === COMPLETION_EVENT ? 'completion' : eventTypeStr(type);
  const message: EventMessage = { device, object, type, text, atNs: traceNowNs() };
  eventChannel.publish(message);
}
