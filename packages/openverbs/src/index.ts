/**
 * RDMA verbs for TypeScript: `openVerbs()`, and the verbs objects.
 *
 * @packageDocumentation
 */
export * from '@openverbs/verbs';
export { checkSettings, openVerbs } from './composition.ts';
export type { EmulatedSettings, OpenVerbsConfig, ProviderReference, ProviderSections } from './configuration/config.ts';
export { InstanceChannel, type InstanceMessage } from './instance-channels.ts';
export type { OpenVerbs } from './open-verbs.ts';
export type { Parts, PartName, ReplacedParts } from './parts.ts';
export type { BackendCounters, GuestCounters } from '@openverbs/verbs/driver';
export { loadProvider, PROVIDER_PACKAGES } from './provider-loader.ts';
