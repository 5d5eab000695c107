/**
 * The tools as functions, for programs that print what they print.
 *
 * @packageDocumentation
 */
export { type CollectOptions, type DeviceInfo, type PortInfo, collectDeviceInfo } from './devinfo/collect.ts';
export { formatDeviceInfo, formatDeviceList } from './devinfo/format.ts';
export { formatGuests, type GuestJson, guestsToJson, type RefreshJson } from './xentop/format.ts';
export { type GuestRates, type GuestSample, sampleGuests } from './xentop/sample.ts';
export { formatDevices } from './devices/format.ts';
