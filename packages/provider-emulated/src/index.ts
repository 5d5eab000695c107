/**
 * The emulated HCA as a provider of OpenVerbs.
 *
 * @packageDocumentation
 */
export type {
  EmulatedConfig,
  EmulatedDeviceConfig,
  EmulatedDeviceSettings,
  EmulatedGidConfig,
  EmulatedGidSettings,
} from './config.ts';
export { provider } from './provider.ts';
