/**
 * The channels of `node:diagnostics_channel` that verbs are told on, and what a message looks like. A channel belongs to its thread.
 * Without subscribers nothing is made or called; see `docs/tracing.md`.
 */
import { type Channel, channel } from 'node:diagnostics_channel';
import type { SgeLike } from '../sge.ts';

/** The channels of OpenVerbs, by what they tell. */
export const TraceChannel = {
  /** {@link VerbMessage}: a control verb was called. */
  VERB: 'openverbs:verb',
  /** {@link PostMessage}: work requests were posted. */
  POST: 'openverbs:post',
  /** {@link PollMessage}: completions were taken. */
  POLL: 'openverbs:poll',
  /** {@link EventMessage}: an event came for an object. */
  EVENT: 'openverbs:event',
  /** {@link PacketMessage}: a device sent or received a frame. */
  PACKET: 'openverbs:packet',
  /** {@link HcaMessage}: a device noticed something. */
  HCA: 'openverbs:hca',
  /** {@link XenMessage}: a command went over the device channel of the split driver. */
  XEN: 'openverbs:xen',
} as const;

/** Name of a channel. */
export type TraceChannel = (typeof TraceChannel)[keyof typeof TraceChannel];

/** What every message has. */
interface Message {
  /** Name of the device. */
  readonly device: string;
  /** When, in nanoseconds of the host's monotonic clock, `process.hrtime()`. */
  readonly atNs: number;
}

/** A control verb was called, and has returned or thrown; of a wait, its promise has settled. Published before its caller goes on. */
export interface VerbMessage extends Message {
  /** By its C name, for example `ibv_create_qp`. */
  readonly verb: string;
  /** What it was called on, as messages call it, for example `PD 3`. */
  readonly object: string;
  /** The arguments by name, as plain data; an object of verbs is what messages call it. */
  readonly args: Readonly<Record<string, unknown>>;
  /** What it returned, as plain data; undefined when it threw. */
  readonly result: unknown;
  /** What it threw, most often a `VerbsError`; undefined when it returned. */
  readonly error: unknown;
  /** How long it took, in nanoseconds. */
  readonly durationNs: number;
}

/** A work request, as it was posted: the fields that mean something for its opcode. */
export interface PostedWr {
  /** Comes back in the completion. */
  readonly wrId: number;
  /** Sends: one of `WrOpcode`. */
  readonly opcode?: number;
  /** Sends: `SendFlags` bits. */
  readonly sendFlags?: number;
  /** Bytes of the message, or that a receive has room for. */
  readonly length: number;
  /** Local memory; left out for inline data, and for lists of the extended form. */
  readonly sgList?: readonly SgeLike[];
  /** RDMA and atomics: the remote key. */
  readonly rkey?: number;
  /** RDMA and atomics: the remote address. */
  readonly remoteAddr?: bigint;
}

/** Work requests were posted, or refused. Of QPs and SRQs that were made while somebody listened. */
export interface PostMessage extends Message {
  /** For example `QP 17`. */
  readonly object: string;
  /** Which queue. */
  readonly queue: 'send' | 'recv';
  /** The whole chain, at most 256 of it. */
  readonly workRequests: readonly PostedWr[];
  /** 0, or the error number of the refusal. */
  readonly errno: number;
  /** How long the call took, in nanoseconds. `atNs` is when it began. */
  readonly durationNs: number;
}

/** A completion that was taken. */
export interface PolledCompletion {
  /** That of the work request. */
  readonly wrId: number;
  /** One of `WcStatus`. */
  readonly status: number;
  /** One of `WcOpcode`; undefined where an extended CQ was not asked for it, as with all that follows. */
  readonly opcode?: number;
  /** One of `VendorErr`, for the devices of OpenVerbs. */
  readonly vendorErr?: number;
  /** Bytes transferred. */
  readonly byteLen?: number;
  /** The local QP. */
  readonly qpNum?: number;
  /** What `wc.explain()` says. */
  readonly explanation: string;
}

/** Completions were taken; polls that find nothing are not told. Of CQs that were made while somebody listened. */
export interface PollMessage extends Message {
  /** For example `CQ 3`. */
  readonly object: string;
  /** In the order of the queue. */
  readonly completions: readonly PolledCompletion[];
  /** How long the call took, in nanoseconds. `atNs` is when it began. */
  readonly durationNs: number;
}

/** An event came for an object, and lies in the queue of its channel or context. */
export interface EventMessage extends Message {
  /** For example `QP 17`, `port 1`, `device`. */
  readonly object: string;
  /** One of `EventType`, or -1 for a completion event. */
  readonly type: number;
  /** In words. */
  readonly text: string;
}

/** A device sent or received a frame of RoCEv2. Who listens when devices are opened has their messages travel as packets. */
export interface PacketMessage extends Message {
  /** Seen from the device. */
  readonly direction: 'sent' | 'received';
  /** Port of the device, from 1. */
  readonly port: number;
  /** A copy of the frame, from its IP header to its ICRC. */
  readonly frame: Uint8Array;
  /** The frame in one line. */
  readonly text: string;
}

/** A device noticed something that is no ordinary work: a retry, a failed completion, a QP in error, a thread that died. */
export interface HcaMessage extends Message {
  /** The QP that it is about, 0 for none. */
  readonly qpNum: number;
  /** What it is: a counter's name, `completion`, `state`, or what the device calls it. */
  readonly what: string;
  /** In words. */
  readonly text: string;
}

/** A command of the split driver's device channel has ended, at one of its two ends. `atNs` is when it began there. */
export interface XenMessage extends Message {
  /** The end that tells: the front-end from the request to the answer, the back-end while it carries the command out. */
  readonly side: 'front-end' | 'back-end';
  /** The front-end's number of the request, the same at both ends. */
  readonly id: number;
  /** By its name in the protocol, for example `POST_SEND`. */
  readonly command: string;
  /** How long it took, in nanoseconds. */
  readonly durationNs: number;
}

// The type is written out: left to the compiler, the declarations would import it by its name without `node:`.
export const verbChannel: Channel = channel(TraceChannel.VERB);
export const postChannel: Channel = channel(TraceChannel.POST);
export const pollChannel: Channel = channel(TraceChannel.POLL);
export const eventChannel: Channel = channel(TraceChannel.EVENT);

/** Now, in the time of {@link VerbMessage.atNs}. */
export function traceNowNs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e9 + nanoseconds;
}
