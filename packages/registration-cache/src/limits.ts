/** How much a cache may hold. */
import { VerbsError } from '@openverbs/verbs';

/** How much a cache may hold. */
export interface RegistrationCacheLimits {
  /** Registrations that it knows, used and idle. When all of them are in use, further ones are made uncached. */
  readonly entriesMax: number;
  /** Registrations that nobody uses. The one that was given back first goes first. */
  readonly idleEntriesMax: number;
  /** Bytes of the registrations that nobody uses, since their memory stays pinned. A longer one is not kept at all. */
  readonly idleBytesMax: number;
}

/** The limits of a cache that is given none: 4096 registrations, of them 1024 idle, with 256 MiB. */
export const REGISTRATION_CACHE_LIMITS: RegistrationCacheLimits = Object.freeze({
  entriesMax: 4096,
  idleEntriesMax: 1024,
  idleBytesMax: 256 * 2 ** 20,
});

/** What each limit may be at most: a table of so many entries is made at once. */
const LIMIT_MAX: RegistrationCacheLimits = {
  entriesMax: 2 ** 20,
  idleEntriesMax: 2 ** 20,
  idleBytesMax: Number.MAX_SAFE_INTEGER,
};

/** Fills in what is left out. Throws EINVAL for an unknown limit, and for one out of range. */
export function completeLimits(given: Partial<RegistrationCacheLimits>): RegistrationCacheLimits {
  for (const [name, value] of Object.entries(given) as [keyof RegistrationCacheLimits, number | undefined][]) {
    const max = LIMIT_MAX[name];
    if (max === undefined) {
      const valid = Object.keys(LIMIT_MAX);
      const hint = `limits are ${valid.join(', ')}`;
      const message = `a registration cache has no limit '${name}'`;
      throw new VerbsError({ code: 'EINVAL', message, hint, details: { key: name, valid } });
    }
    if (value === undefined || (Number.isInteger(value) && value >= 1 && value <= max)) continue;
    const message = `${name} is ${String(value)}; the limit is 1 to ${max}`;
    throw new VerbsError({ code: 'EINVAL', message, details: { key: name, value, min: 1, max } });
  }
  const limit = (name: keyof RegistrationCacheLimits): number => given[name] ?? REGISTRATION_CACHE_LIMITS[name];
  const [entriesMax, idleEntriesMax] = [limit('entriesMax'), limit('idleEntriesMax')];
  return { entriesMax, idleEntriesMax: Math.min(idleEntriesMax, entriesMax), idleBytesMax: limit('idleBytesMax') };
}
