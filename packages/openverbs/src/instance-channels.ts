/** Channels of `node:diagnostics_channel` by which tools learn of each `openVerbs()` of a program that they run, in its thread. */
import { channel } from 'node:diagnostics_channel';

import type { OpenVerbs } from './open-verbs.ts';

/** Names of the channels. */
export const InstanceChannel = {
  /** `openVerbs()` has opened its devices. */
  OPEN: 'openverbs:open',
  /** It begins to release them: they are still there. */
  CLOSE: 'openverbs:close',
} as const;

/** What the channels tell. A subscriber runs in the middle of the call. */
export interface InstanceMessage {
  /** What `openVerbs()` returns. */
  readonly openVerbs: OpenVerbs;
}

const openChannel = channel(InstanceChannel.OPEN);
const closeChannel = channel(InstanceChannel.CLOSE);

/** Tells that it was opened. */
export function tellOpened(openVerbs: OpenVerbs): OpenVerbs {
  openChannel.publish({ openVerbs } satisfies InstanceMessage);
  return openVerbs;
}

/** Tells that it closes. */
export function tellClosing(openVerbs: OpenVerbs): void {
  closeChannel.publish({ openVerbs } satisfies InstanceMessage);
}
