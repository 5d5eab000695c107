/**
 * Brings what the back-end tells on the channel `openverbs:xen` from the device domain's thread to the thread that opened the provider, since a
 * channel belongs to its thread. Only for those who listen already when the provider is opened.
 */
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { TraceChannel } from '@openverbs/verbs';
import type { XenMessage } from '@openverbs/verbs';

/** Messages under way between the two threads; more are lost, and a message says how many. */
export const TRACES_UNDER_WAY_MAX = 65536;

/** What the device domain's thread is given. */
export interface TraceRequest {
  readonly wanted: boolean;
  /** One word that both threads share: messages under way. */
  readonly underWay: Int32Array;
}

/** What is listened to now. */
export function traceRequest(): TraceRequest {
  const wanted = channel(TraceChannel.XEN).hasSubscribers;
  return { wanted, underWay: new Int32Array(new SharedArrayBuffer(4)) };
}

/** In the device domain's thread: hands messages to `post` from now on, until the function that is returned is called. */
export function forwardTraces({ wanted, underWay }: TraceRequest, post: (message: XenMessage) => void): () => void {
  if (!wanted) return () => undefined;
  let lost = 0;
  const forward = (message: XenMessage): void => {
    Atomics.add(underWay, 0, 1);
    post(message);
  };
  const listener = (message: unknown): void => {
    if (Atomics.load(underWay, 0) >= TRACES_UNDER_WAY_MAX) {
      lost++;
      return;
    }
    if (lost > 0) forward({ ...(message as XenMessage), command: `${lost} messages lost`, id: 0, durationNs: 0 });
    lost = 0;
    forward(message as XenMessage);
  };
  subscribe(TraceChannel.XEN, listener);
  return () => {
    unsubscribe(TraceChannel.XEN, listener);
  };
}

/** In the thread that opened the provider: publishes one that arrived. */
export function publishForwarded({ underWay }: TraceRequest, message: XenMessage): void {
  Atomics.sub(underWay, 0, 1);
  channel(TraceChannel.XEN).publish(message);
}
