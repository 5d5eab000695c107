/** Messages of the tracing channels in one line each, for people. */
import { inspect, type InspectOptions } from 'node:util';

import { enumName, flagNames, SendFlags, VerbsError, WcOpcode, WrOpcode } from '@openverbs/verbs';
import type {
  EventMessage,
  HcaMessage,
  PacketMessage,
  PollMessage,
  PostMessage,
  VerbMessage,
  XenMessage,
} from '@openverbs/verbs';

/** Values are cut so that a line stays one that can be read. */
const SHORT: InspectOptions = {
  depth: 4,
  compact: true,
  breakLength: Infinity,
  maxArrayLength: 8,
  maxStringLength: 80,
};
const VALUE_CHARS_MAX = 200;
const NS_PER_US = 1000;

/** `ibv_create_cq(context of emulated0, init: { cqe: 16 }) = CQ 1, 84.2 us`. */
export function formatVerbMessage({ verb, object, args, result, error, durationNs }: VerbMessage): string {
  const words = [object, ...Object.entries(args).map(([name, value]) => `${name}: ${short(value)}`)];
  const call = `${verb}(${words.join(', ')})`;
  const time = `${(durationNs / NS_PER_US).toFixed(1)} us`;
  if (VerbsError.is(error)) return `${call} failed: ${error.code}, ${error.message}, ${time}`;
  if (error !== undefined) return `${call} failed: ${error instanceof Error ? error.message : short(error)}, ${time}`;
  return `${call}${result === undefined ? '' : ` = ${short(result)}`}, ${time}`;
}

/** `QP 17 send: wrId 1, RDMA_WRITE, SIGNALED, 64 bytes, rkey 0x1a07, remote address 0x100000000000`. */
export function formatPostMessage({ object, queue, workRequests, errno }: PostMessage): string {
  const texts = workRequests.map(({ wrId, opcode, sendFlags = 0, length, rkey, remoteAddr }) => {
    const words = [`wrId ${wrId}`];
    if (opcode !== undefined) words.push(enumName(WrOpcode, opcode));
    if (sendFlags !== 0) words.push(flagNames(SendFlags, sendFlags));
    words.push(`${length} bytes`);
    if (rkey !== undefined) words.push(`rkey 0x${rkey.toString(16)}`);
    if (remoteAddr !== undefined) words.push(`remote address 0x${remoteAddr.toString(16)}`);
    return words.join(', ');
  });
  return `${object} ${queue}: ${texts.join('; ')}${errno === 0 ? '' : `, refused: errno ${errno}`}`;
}

/** `CQ 3: wrId 1, QP 17, SUCCESS: RDMA_WRITE`. */
export function formatPollMessage({ object, completions }: PollMessage): string {
  const texts = completions.map(({ wrId, qpNum, opcode, byteLen, explanation }) => {
    const words = [`wrId ${wrId}`];
    if (qpNum !== undefined) words.push(`QP ${qpNum}`);
    words.push(explanation);
    // What it holds else does not count.
    if (opcode !== undefined && (opcode & WcOpcode.RECV) !== 0 && byteLen !== undefined) words.push(`${byteLen} bytes`);
    return words.join(', ');
  });
  return `${object}: ${texts.join('; ')}`;
}

/** `QP 17: communication established`. */
export function formatEventMessage({ object, text }: EventMessage): string {
  return `${object}: ${text}`;
}

/** `port 1 sent IP6 fe80::1 > fe80::2: RC_ACKNOWLEDGE, …`. */
export function formatPacketMessage({ port, direction, text }: PacketMessage): string {
  return `port ${port} ${direction} ${text}`;
}

/** `QP 17 completer_retry_err: requests begin again, because answers are missing`. */
export function formatHcaMessage({ qpNum, what, text }: HcaMessage): string {
  return `${qpNum === 0 ? '' : `QP ${qpNum} `}${what}: ${text}`;
}

/** `front-end POST_SEND, request 17, 12.3 us`. */
export function formatXenMessage({ side, id, command, durationNs }: XenMessage): string {
  return `${side} ${command}, request ${id}, ${(durationNs / NS_PER_US).toFixed(1)} us`;
}

function short(value: unknown): string {
  const text = typeof value === 'string' ? value : inspect(value, SHORT);
  return text.length <= VALUE_CHARS_MAX ? text : `${text.slice(0, VALUE_CHARS_MAX)}…`;
}
