/**
 * The emulated HCA as a provider of OpenVerbs.
 *
 * @packageDocumentation
 */
export type { EmulatedConfig, EmulatedDeviceConfig } from './config.ts';
export { provider, provider as default } from './provider.ts';
