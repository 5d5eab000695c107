/**
 * The Xen split driver as a provider of OpenVerbs: front-end, back-end, device channel and event channel; basic and bypass. Applications
 * don't import this package: they name the provider `xen` in their configuration.
 *
 * @packageDocumentation
 */
export { QUOTAS } from './backend/quota.ts';
export type { QuotaKind } from './backend/quota.ts';
export type { XenConfig, XenGuestConfig, XenSettings } from './config.ts';
export { provider } from './provider.ts';
