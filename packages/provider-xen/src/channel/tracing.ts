/**
 * Tells of the commands of the device channel on the channel `openverbs:xen` of `node:diagnostics_channel`, at both ends. A command looks at one
 * field while nobody listens.
 */
import { channel } from 'node:diagnostics_channel';
import { hostClock } from '@openverbs/machine';
import { TraceChannel } from '@openverbs/verbs';
import type { XenMessage } from '@openverbs/verbs';
import { Commands } from '../protocol/commands.ts';

const xenChannel = channel(TraceChannel.XEN);
const names = new Map<number, string>(Object.entries(Commands).map(([name, { number }]) => [number, name]));

/** When a command began, in nanoseconds; 0 while nobody listens. */
export function beginTrace(): number {
  return xenChannel.hasSubscribers ? hostClock.nowNs() : 0;
}

/** Tells of a command that has ended; nothing when nobody listened as it began. */
export function endTrace(side: XenMessage['side'], device: string, id: number, number: number, beganNs: number): void {
  if (beganNs === 0) return;
  const durationNs = hostClock.nowNs() - beganNs;
  const command = names.get(number) ?? `command ${number}`;
  xenChannel.publish({ side, device, id, command, atNs: beganNs, durationNs } satisfies XenMessage);
}
