/**
 * The driver of the software HCA: kernel half (commands, allocation) and user half (rings, doorbells).
 *
 * @packageDocumentation
 */
export { HOST_ADDRESS_BASE } from './buffer-table.ts';
export { CAPABILITIES } from './device-attributes.ts';
export { asVerbsError } from './errors.ts';
export { HcaContext } from './hca-context.ts';
export { HcaDevice } from './hca-device.ts';
export { userDriver } from './user-half.ts';
export { TRACE_CHANNELS, type Traced, traceEngine, type TraceSink } from './tracing.ts';
