/**
 * The parts that `openVerbs({ use })` replaces. A further part is one member of {@link Parts} and one line of {@link PARTS}.
 */
import { CqePollers } from '@openverbs/cqe-poller';
import { EventDispatcher } from '@openverbs/event-dispatcher';
import type { RegistrationCacheOps } from '@openverbs/registration-cache';
import type { CqePollerOps, EventDispatcherOps, ProviderClock, ProviderPrng } from '@openverbs/verbs/driver';

/** Every part, by its name in `use`. */
export interface Parts {
  /** Routes events to objects. By default an `EventDispatcher` of `@openverbs/event-dispatcher`. */
  eventDispatcher: EventDispatcherOps;
  /** The time that devices live by; undefined for the host's. */
  clock: ProviderClock | undefined;
  /** Where devices take random numbers from; undefined for the host's. */
  prng: ProviderPrng | undefined;
  /** What registers memory for all devices; undefined for the devices themselves. The key `registrationCache` makes the usual one. */
  registrationCache: RegistrationCacheOps | undefined;
  /** Buffers completions of queues that are slow to reach: of `xen:basic`. By default `CqePollers` of `@openverbs/cqe-poller`. */
  cqePoller: CqePollerOps;
}

/** Name of a part. */
export type PartName = keyof Parts;

/** The parts that a program brings itself; the others are the usual ones. */
export type ReplacedParts = { readonly [Name in PartName]?: NonNullable<Parts[Name]> };

/** One part: the name under which the container knows it, and how the usual one is made, once for each `openVerbs()`. */
export interface PartEntry<Part> {
  readonly token: symbol;
  /** What each of the kind can do: a program that brings another finds out at once when it lacks one of these. */
  readonly methods: readonly (keyof NonNullable<Part> & string)[];
  /** `part` gives another part that this one is made of. */
  make(part: <Name extends PartName>(name: Name) => Parts[Name]): Part;
}

/** All parts. */
export const PARTS: { readonly [Name in PartName]: PartEntry<Parts[Name]> } = {
  eventDispatcher: {
    token: Symbol.for('openverbs.EventDispatcher'),
    methods: ['attach'],
    make: () => new EventDispatcher(),
  },
  clock: { token: Symbol.for('openverbs.Clock'), methods: ['nowNs', 'setTimer'], make: () => undefined },
  prng: { token: Symbol.for('openverbs.Prng'), methods: ['nextUint32'], make: () => undefined },
  registrationCache: {
    token: Symbol.for('openverbs.RegistrationCache'),
    methods: ['attach'],
    make: () => undefined,
  },
  cqePoller: { token: Symbol.for('openverbs.CqePoller'), methods: ['attach'], make: () => new CqePollers() },
};
