/** What `OPENVERBS_DEBUG` can print, and the configuration key `debug` that it is. One table. */
import { TraceChannel, VerbsError } from '@openverbs/verbs';
import { nearestKey } from '@openverbs/verbs/driver';

import type { Setting } from '../configuration/sources.ts';
import {
  formatEventMessage,
  formatHcaMessage,
  formatPacketMessage,
  formatPollMessage,
  formatPostMessage,
  formatVerbMessage,
  formatXenMessage,
} from './format.ts';

/** Each topic: its channel, and a message of it in words. */
export const DEBUG_TOPICS = {
  /** Control verbs. */
  verbs: { channel: TraceChannel.VERB, format: formatVerbMessage },
  /** Work requests that are posted. */
  posts: { channel: TraceChannel.POST, format: formatPostMessage },
  /** Completions that are taken. */
  polls: { channel: TraceChannel.POLL, format: formatPollMessage },
  /** Completion events and asynchronous events. */
  events: { channel: TraceChannel.EVENT, format: formatEventMessage },
  /** Frames, where messages travel as packets. */
  packets: { channel: TraceChannel.PACKET, format: formatPacketMessage },
  /** What the software HCA notices: retries, failed completions, queue pairs in error. */
  hca: { channel: TraceChannel.HCA, format: formatHcaMessage },
  /** Commands of the split driver's device channel, at both ends. */
  xen: { channel: TraceChannel.XEN, format: formatXenMessage },
} as const;

/** Name of a topic. */
export type DebugTopic = keyof typeof DEBUG_TOPICS;

const NAMES = Object.keys(DEBUG_TOPICS) as DebugTopic[];

/** Reads the value of the key: a list, or names separated by commas. */
export function parseDebug({ name, origin, value }: Setting): readonly DebugTopic[] {
  const list: unknown = typeof value === 'string' ? value.split(',').map((each) => each.trim()) : value;
  const hint = `topics are ${NAMES.join(', ')}; several are separated by commas`;
  const details = { key: name, origin, valid: NAMES };
  if (!Array.isArray(list)) {
    const message = `'${name}' in ${origin} is no list of topics`;
    throw new VerbsError({ code: 'EINVAL', verb: 'openVerbs', message, hint, details });
  }
  for (const each of list as unknown[]) {
    if (NAMES.includes(each as DebugTopic)) continue;
    const nearest = typeof each === 'string' ? nearestKey(each, NAMES) : undefined;
    const meant = nearest === undefined ? '' : `; did you mean '${nearest}'?`;
    const message = `'${name}' in ${origin} names no topic by '${String(each)}'${meant}`;
    throw new VerbsError({ code: 'EINVAL', verb: 'openVerbs', message, hint, details: { ...details, nearest } });
  }
  return [...new Set(list as DebugTopic[])];
}
