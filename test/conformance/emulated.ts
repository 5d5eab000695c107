/** The emulated provider as a subject of the conformance suite. */
import type { ConformanceSession, ConformanceSubject } from '@openverbs/conformance';
import { openVerbs, type OpenVerbs, type OpenVerbsConfig } from 'openverbs';

/**
 * What this release of the emulated HCA supports. Written down here as well, so that a capability neither comes nor goes
 * without somebody meaning it.
 */
export const capabilities: ConformanceSubject['capabilities'] = {
  rc: true,
  uc: true,
  ud: true,
  multicast: true,
  rdmaWrite: true,
  rdmaRead: true,
  atomics: true,
  atomicWrite: true,
  flush: true,
  inlineData: true,
  completionEvents: true,
  asyncEvents: true,
  sqDrain: true,
  resizeCq: true,
  memoryWindows: true,
  localInvalidate: true,
  reregMr: true,
  regMrIova: true,
  zeroBased: true,
  nullMr: true,
  physicalMr: true,
  srq: true,
  srqResize: true,
  cqModeration: true,
  extendedCq: true,
  parentDomains: true,
  hwCounters: true,
  pathMigration: true,
  deviceFaults: true,
  completionTimestamps: true,
  xrc: true,
  vendorErrors: true,
  directAccess: true,
  dmaBuffers: true,
  sharesMachine: true,
};

/**
 * Two devices in several partitions, as full and as limited members, with a hole in the table. Two ports each, so that an alternate
 * path is another one.
 */
export const devices = [
  { ports: 2, pkeys: [0xffff, 0x7fff, 0x8001, 0x0001, 0] },
  { ports: 2, pkeys: [0xffff, 0x0001, 0x7fff, 0x8001] },
];

/** Nothing deviates. An entry needs the reason, and the clause that it deviates from. */
export const deviations: Readonly<Record<string, string>> = {};

/**
 * The opened devices as the suite takes them. A context that a test left open makes the close fail, and goes all the same.
 *
 * @param joining - what the configuration of a thread that joins has beside the machine
 */
export function sessionOf(verbs: OpenVerbs, joining: OpenVerbsConfig = {}): ConformanceSession {
  return {
    devices: verbs.devices,
    machine: verbs.machine,
    join: (machine) => sessionOf(openVerbs({ ...joining, machine }), joining),
    close: () => {
      try {
        verbs.close();
      } finally {
        verbs[Symbol.dispose]();
      }
    },
  };
}
