/**
 * Keeps registrations of memory that are not used any more, and gives them to whoever asks for the same memory again.
 *
 * @packageDocumentation
 */
export { CachedRegistration } from './cached-registration.ts';
export { REGISTRATION_CACHE_LIMITS, type RegistrationCacheLimits } from './limits.ts';
export { RegistrationCache, type RegistrationCacheOps } from './registration-cache.ts';
export type { RegistrationCacheStatistics } from './statistics.ts';
