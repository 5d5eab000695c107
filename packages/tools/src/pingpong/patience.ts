/** How long a ping-pong waits for a completion before it gives up. */
import type { PingPongOptions } from './options.ts';
import { SERVICES, type ServiceName } from './service.ts';

/** When to give up, and what to say then. */
export interface Patience {
  /** How long there may be no completion at all. */
  readonly stallMsMax: number;
  /** How often a timer looks, when nobody polls. */
  readonly watchIntervalMs: number;
  /** What it means that none comes; empty if it may be anything. */
  readonly meaning: string;
  readonly hint: string;
}

const WATCH_INTERVAL_MS = 250;
/** Retransmission may take that long. */
const RELIABLE_STALL_MS_MAX = 10_000;
/** Nobody sends again, so this is only for threads that wait for a core. */
const UNRELIABLE_STALL_MS_MAX = 2_000;

/** How long there may be no completion on a network without a delay, if nobody says otherwise. */
export function defaultStallMsMax(service: ServiceName): number {
  return SERVICES[service].isReliable ? RELIABLE_STALL_MS_MAX : UNRELIABLE_STALL_MS_MAX;
}

/** A message that is under way does not count as lost. */
export function patienceOf(options: PingPongOptions): Patience {
  const roundTripMs = (2 * (options.delay ?? 0)) / 1000;
  const stallMsMax = roundTripMs + (options.giveUpMs ?? defaultStallMsMax(options.service));
  const lost = {
    meaning: 'a message was lost: ',
    hint: `${options.service} does not send again; RC does, see ibv_rc_pingpong`,
  };
  return {
    stallMsMax,
    watchIntervalMs: WATCH_INTERVAL_MS,
    ...(SERVICES[options.service].isReliable ? { meaning: '', hint: '' } : lost),
  };
}
