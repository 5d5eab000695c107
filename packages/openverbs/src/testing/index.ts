/**
 * For tests of programs that use OpenVerbs: two ready devices, what can happen to hardware, and what a test left open.
 *
 * @packageDocumentation
 */
export { closeSharedOpenVerbs } from '../shared-instance.ts';
export { failDevice, failQp, removeDevice, setGid, setPkey, setPort } from './device-faults.ts';
export type { BackendCounters, FaultCounters, Faults, GuestCounters } from '@openverbs/verbs/driver';
export { faultCounters, setFaults } from './faults.ts';
export { guestCounters } from './guests.ts';
export { leakCheck } from './leak-check.ts';
export { openTestPair } from './test-pair.ts';
export type { TestEnd, TestPair, TestPairOptions } from './test-pair.ts';
