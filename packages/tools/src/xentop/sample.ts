/** What guests have done up to a moment, and how fast they go. */
import type { GuestCounters, OpenVerbs } from 'openverbs';

/** The guests at a moment. */
export interface GuestSample {
  /** When, in nanoseconds of the host's monotonic clock. */
  readonly atNs: number;
  /** The guests of all threads of the machine. */
  readonly guests: readonly GuestCounters[];
}

/** What a guest does in a second. */
export interface GuestRates {
  /** Commands to the device domain. */
  readonly commands: number;
  /** Work requests, whatever way they went. */
  readonly posts: number;
  /** Bytes of payload of sends. */
  readonly bytes: number;
  /** Events from the device domain. */
  readonly events: number;
}

const NS_PER_S = 1e9;

/** Looks at the guests now. */
export function sampleGuests(verbs: Pick<OpenVerbs, 'guests'>): GuestSample {
  return { atNs: Number(process.hrtime.bigint()), guests: verbs.guests() };
}

/** Work requests of a guest: those that went through the device domain, and those that the device took from queues of the guest's own. */
export function postsOf({ backend }: GuestCounters): number {
  return (backend?.posts ?? 0) + (backend?.directPosts ?? 0);
}

/** Seconds between two samples; undefined without a former one. */
export function secondsBetween(sample: GuestSample, former: GuestSample | undefined): number | undefined {
  return former === undefined ? undefined : (sample.atNs - former.atNs) / NS_PER_S;
}

/** How fast a guest went between two samples; undefined when the former does not have it. */
export function ratesOf(
  now: GuestCounters,
  sample: GuestSample,
  former: GuestSample | undefined,
): GuestRates | undefined {
  const before = former?.guests.find(({ domid, name }) => domid === now.domid && name === now.name);
  const seconds = secondsBetween(sample, former);
  if (before === undefined || seconds === undefined || seconds <= 0) return undefined;
  const rate = (of: (guest: GuestCounters) => number): number => Math.max(of(now) - of(before), 0) / seconds;
  return {
    commands: rate(({ ringRequests }) => ringRequests),
    posts: rate(postsOf),
    bytes: rate(({ backend }) => backend?.bytes ?? 0),
    events: rate(({ events }) => events),
  };
}
