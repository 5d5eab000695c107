/**
 * Tells what a device does on the channels `openverbs:packet` and `openverbs:hca` of `node:diagnostics_channel`. A channel belongs to
 * its thread, so the thread that executes the device publishes, or hands the messages to another one that does.
 */
import { channel } from 'node:diagnostics_channel';
import { deviceOf, portOf } from '@openverbs/netdev';
import { formatFrame } from '@openverbs/rocev2';
import { type HcaMessage, type PacketMessage, qpStateStr, TraceChannel, WorkCompletion } from '@openverbs/verbs';
import { STATUS_OF_SYNDROME } from '@openverbs/verbs/rings';
import type { CounterName } from '../counters.ts';
import type { Engine } from '../engine.ts';
import { type FrameRecord, type NoteKind, type NoteRecord, type TapListener } from '../tap.ts';

const TWO_32 = 4294967296;

const packetChannel = channel(TraceChannel.PACKET);
const hcaChannel = channel(TraceChannel.HCA);

/** What somebody listens to. */
export interface Traced {
  readonly packets: boolean;
  readonly hca: boolean;
}

/** Where messages go. */
export interface TraceSink {
  /** Asked for each message: whether it is wanted. */
  readonly traced: Traced;
  packet(message: PacketMessage): void;
  hca(message: HcaMessage): void;
}

/** The channels of this thread. */
export const TRACE_CHANNELS: TraceSink = {
  traced: {
    get packets() {
      return packetChannel.hasSubscribers;
    },
    get hca() {
      return hcaChannel.hasSubscribers;
    },
  },
  packet(message) {
    packetChannel.publish(message);
  },
  hca(message) {
    hcaChannel.publish(message);
  },
};

/** From now on, tells `sink` what the devices of a machine do while this thread executes them. */
export function traceEngine(engine: Engine, sink: TraceSink = TRACE_CHANNELS): void {
  const { traced } = sink;
  const listener: TapListener = {
    get wantsFrames() {
      return traced.packets;
    },
    get wantsNotes() {
      return traced.hca;
    },
    onFrame(record) {
      sink.packet(packetMessage(engine, record));
    },
    onNote(record) {
      sink.hca(hcaMessage(engine, record));
    },
  };
  engine.events.tap.listener = listener;
}

function packetMessage(engine: Engine, { direction, portId, atNs, frame }: FrameRecord): PacketMessage {
  const text = formatFrame(frame, 0, frame.length);
  return {
    device: engine.hcas[deviceOf(portId)].name,
    port: portOf(portId),
    direction,
    atNs,
    frame,
    text,
  };
}

function hcaMessage(engine: Engine, { hca, qpn, atNs, what, values }: NoteRecord): HcaMessage {
  const text = TEXTS[what as keyof typeof TEXTS]?.(values) ?? what;
  return { device: engine.hcas[hca].name, qpNum: qpn, atNs, what, text };
}

type Text = (values: readonly number[]) => string;

/** In words, by what it is. */
const TEXTS: Readonly<
  Record<Exclude<CounterName, `${string}_pkts` | `rdma_${string}`> | (typeof NoteKind)[keyof typeof NoteKind], Text>
> = {
  duplicate_request: () => 'a request came that had been executed before',
  out_of_seq_request: () => 'a request came ahead of its turn',
  rcvd_rnr_err: () => 'the peer had no receive posted',
  send_rnr_err: () => 'a request found no receive posted',
  rcvd_seq_err: () => 'the peer misses a request',
  ack_deferred: () => 'an answer waits',
  retry_exceeded_err: () => 'no answer came, and retryCnt is used up',
  retry_rnr_exceeded_err: () => 'the peer never had a receive posted, and rnrRetry is used up',
  completer_retry_err: () => 'requests begin again, because answers are missing',
  send_err: () => 'a packet could not be sent',
  link_downed: () => 'the port went down',
  rcvd_icrc_err: () => 'a frame failed its ICRC',
  completion: ([syndrome, vendorErr, faultKey, lo, hi]) => {
    const status = STATUS_OF_SYNDROME.find(([each]) => each === syndrome)?.[1] ?? 0;
    const fault = { status, vendorErr, faultKey: faultKey >>> 0, faultAddr: (hi >>> 0) * TWO_32 + (lo >>> 0) };
    return Object.assign(new WorkCompletion(), fault).explain();
  },
  state: ([state]) => `goes to ${qpStateStr(state)}`,
  doorbell_dropped: () => 'a doorbell named no object of its context',
  recovered: () => 'the lock was taken over from a thread that had died',
  reaped: () => 'what a thread had that died was reclaimed',
  lost: ([count]) => `${count} messages of tracing were lost, because nobody took them`,
};
