/**
 * Brings the messages of the engine's thread to the channels of the thread that opened the provider, since a channel belongs to its
 * thread. Only for those who listen already when the provider is opened: the engine's thread hears of nothing afterwards.
 */
import { TRACE_CHANNELS } from '@openverbs/hca/driver';
import type { Traced, TraceSink } from '@openverbs/hca/driver';
import type { HcaMessage, PacketMessage } from '@openverbs/verbs';

/** Messages under way between the two threads; more are lost, and counted. */
export const TRACES_UNDER_WAY_MAX = 65536;

/** One message under way. */
export type ForwardedTrace = { readonly packet: PacketMessage } | { readonly hca: HcaMessage };

/** Words that both threads share. */
const UNDER_WAY = 0;

/** What the engine's thread is given. */
export interface TraceRequest {
  readonly traced: Traced;
  readonly words: Int32Array;
}

/** What is listened to now. */
export function traceRequest(): TraceRequest {
  const { packets, hca } = TRACE_CHANNELS.traced;
  return { traced: { packets, hca }, words: new Int32Array(new SharedArrayBuffer(4)) };
}

/** In the engine's thread: hands messages to `post`. */
export function forwardTraces({ traced, words }: TraceRequest, post: (trace: ForwardedTrace) => void): TraceSink {
  let lost = 0;
  const forward = (trace: ForwardedTrace, like: PacketMessage | HcaMessage): void => {
    if (Atomics.load(words, UNDER_WAY) >= TRACES_UNDER_WAY_MAX) {
      lost++;
      return;
    }
    Atomics.add(words, UNDER_WAY, 1);
    post(trace);
    if (lost === 0) return;
    const text = `${lost} messages of tracing were lost, because nobody took them`;
    lost = 0;
    Atomics.add(words, UNDER_WAY, 1);
    post({ hca: { device: like.device, qpNum: 0, atNs: like.atNs, what: 'lost', text } });
  };
  return {
    traced,
    packet(message) {
      forward({ packet: message }, message);
    },
    hca(message) {
      forward({ hca: message }, message);
    },
  };
}

/** In the thread that opened the provider: publishes one that arrived. */
export function publishForwarded({ words }: TraceRequest, trace: ForwardedTrace): void {
  Atomics.sub(words, UNDER_WAY, 1);
  if ('packet' in trace) TRACE_CHANNELS.packet(trace.packet);
  else TRACE_CHANNELS.hca(trace.hca);
}
