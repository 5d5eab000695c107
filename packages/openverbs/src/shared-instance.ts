/** The instance that the C names share. C programs open no library, so the first call that needs devices does. */
import type { Device } from '@openverbs/verbs';

import { openVerbs } from './composition.ts';
import type { OpenVerbs } from './open-verbs.ts';

/** Who wants to know when devices of the shared instance come and go. */
export interface SharedInstanceListener {
  /** It was opened. Must not throw. */
  opened(devices: readonly Device[]): void;
  /** It is about to be closed; its devices work until this returns. Must not throw. */
  closing(): void;
  /** One of its devices is about to be pulled out; it works until this returns. Must not throw. */
  removing(device: Device): void;
}

let shared: OpenVerbs | undefined;
let listener: SharedInstanceListener | undefined;

/** The shared instance; made at the first call, from the environment and `openverbs.config.json`. */
export function sharedOpenVerbs(): OpenVerbs {
  if (shared === undefined) {
    shared = openVerbs();
    listener?.opened(shared.devices);
  }
  return shared;
}

/** Closes the instance that the C names share, with all that is open in it. The next call that needs devices opens another. */
export function closeSharedOpenVerbs(): void {
  if (shared === undefined) return;
  listener?.closing();
  const closing = shared;
  shared = undefined;
  closing?.[Symbol.dispose]();
}

/** A device is about to be pulled out by this thread. Only who listens to the shared instance, and only for its devices, is told. */
export function announceRemoval(device: Device): void {
  if (shared?.devices.includes(device)) listener?.removing(device);
}

/** Sets the one listener: the clients of kernel level. */
export function listenToSharedOpenVerbs(to: SharedInstanceListener): void {
  listener = to;
}
