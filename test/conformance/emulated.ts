/** The emulated provider as a subject of the conformance suite. */
import type { ConformanceSubject } from '@openverbs/conformance';

/**
 * What this release of the emulated HCA supports. Written down here as well, so that a capability neither comes nor goes
 * without somebody meaning it.
 */
export const capabilities: ConformanceSubject['capabilities'] = {
  rc: true,
  rdmaWrite: true,
  rdmaRead: true,
  atomics: true,
  inlineData: true,
  completionEvents: true,
  asyncEvents: true,
  sqDrain: true,
  resizeCq: true,
  directAccess: true,
  dmaBuffers: true,
  sharesMachine: true,
};

/** Nothing deviates. An entry needs the reason, and the clause that it deviates from. */
export const deviations: Readonly<Record<string, string>> = {};
