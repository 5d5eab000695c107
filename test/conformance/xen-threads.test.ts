/** Guests in a thread of their own; all mixes and all suites run in xen-threads.exhaustive.ts. */
import { expectConformance, nameOf } from './xen-threads.ts';
import type { XenMix } from './xen-threads.ts';

const SUITES = ['cq', 'send-recv', 'rdma-write', 'ud', 'channel', 'async-events'];
const MIXES: readonly XenMix[] = [
  { mode: 'basic', dom0: 'thread', device: 'inline', main: 'in verbs' },
  { mode: 'bypass', dom0: 'thread', device: 'inline', main: 'in verbs' },
];

describe('guests in a thread of their own', () => {
  for (const mix of MIXES) {
    it(nameOf(mix), () => expectConformance(mix, SUITES)).timeout(60_000);
  }
});
