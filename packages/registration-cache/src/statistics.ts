/** What a cache has done. */

/** What a cache has done, and what it holds now. Counts run from its beginning. */
export interface RegistrationCacheStatistics {
  /** Answered by a registration that was there. */
  readonly hits: number;
  /** Not answered so: registered in the device, and kept. */
  readonly misses: number;
  /** Registered in the device and not kept: every entry was in use, or a shared registration can't have what was asked for. */
  readonly uncached: number;
  /** Registrations that the device made. */
  readonly registrations: number;
  /** Registrations that the device ended. */
  readonly deregistrations: number;
  /** Pages of 4096 bytes that the device registered, each as often as it was. */
  readonly pages: number;
  /** Pages that hits did not have to register. */
  readonly pagesSaved: number;
  /** Idle registrations that ended to make room. */
  readonly evictions: number;
  /** Registrations that ended because their memory, their protection domain or their device went, or because the memory changed its length. */
  readonly invalidations: number;
  /** How often everything idle was given up because the device had no room. */
  readonly flushes: number;
  /** Misses that overlap memory which is registered alike. */
  readonly overlappingMisses: number;
  /** Of these, those that would have been hits if registrations that touch had been merged into one: what merging would have paid. */
  readonly mergedHits: number;
  /** Deregistrations that the device refused when room was made. They are tried again when the memory or the domain goes. */
  readonly failures: number;
  /** Registrations in the cache that are in use. */
  readonly inUse: number;
  /** Bytes of them. */
  readonly inUseBytes: number;
  /** Registrations that nobody uses. */
  readonly idle: number;
  /** Bytes of them. */
  readonly idleBytes: number;
}

/** The part of the statistics that only grows. */
type Growing = Exclude<keyof RegistrationCacheStatistics, 'inUse' | 'inUseBytes' | 'idle' | 'idleBytes'>;

/** The counters. */
export type Counters = Record<Growing, number>;

/** Counters at their beginning. */
export function newCounters(): Counters {
  return {
    hits: 0,
    misses: 0,
    uncached: 0,
    registrations: 0,
    deregistrations: 0,
    pages: 0,
    pagesSaved: 0,
    evictions: 0,
    invalidations: 0,
    flushes: 0,
    overlappingMisses: 0,
    mergedHits: 0,
    failures: 0,
  };
}
