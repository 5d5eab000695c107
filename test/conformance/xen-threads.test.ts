/** Guests in a thread of their own, in one mix; all mixes and all suites run in xen-threads.exhaustive.ts. */
import { expectConformance, nameOf } from './xen-threads.ts';
import type { XenMix } from './xen-threads.ts';

const SUITES = ['send-recv', 'channel', 'async-events'];
const MIX: XenMix = { mode: 'basic', dom0: 'thread', device: 'inline', main: 'in one verb' };

describe('guests in a thread of their own', () => {
  it(nameOf(MIX), () => expectConformance(MIX, SUITES)).timeout(200_000);
});
