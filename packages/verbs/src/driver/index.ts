/**
 * What a provider author implements.
 *
 * @packageDocumentation
 */
export * from './attributes.ts';
export * from './capabilities.ts';
export type * from './data-path.ts';
export * from './define-provider.ts';
export type * from './device-ops.ts';
export * from './events.ts';
export { nearestKey } from '../literal-keys.ts';
export type { CqRings, Doorbell, QpRings, SrqRings } from '../rings/rings.ts';
