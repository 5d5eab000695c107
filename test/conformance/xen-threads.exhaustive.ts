/** Guests in a thread of their own: all suites where every domain and the device have their threads, and some in every mix of placements. */
import { expectConformance, nameOf } from './xen-threads.ts';
import type { XenMix } from './xen-threads.ts';

const MODES = ['basic', 'bypass'] as const;
const PLACEMENTS = ['inline', 'thread'] as const;
const SUITES = ['cq', 'send-recv', 'rdma-write', 'ud', 'channel', 'async-events', 'srq', 'xrc', 'solicited'];

const mixes = MODES.flatMap((mode) =>
  PLACEMENTS.flatMap((dom0) =>
    PLACEMENTS.flatMap((device): XenMix[] => [
      { mode, dom0, device, main: 'in verbs' },
      { mode, dom0, device, main: 'in its event loop' },
    ]),
  ),
);

describe('guests in a thread of their own, all suites', () => {
  for (const mode of MODES) {
    const mix: XenMix = { mode, dom0: 'thread', device: 'thread', main: 'in verbs' };
    it(nameOf(mix), () => expectConformance(mix)).timeout(600_000);
  }
});

describe('guests in a thread of their own, in every mix', () => {
  for (const mix of mixes) it(nameOf(mix), () => expectConformance(mix, SUITES)).timeout(120_000);
});
