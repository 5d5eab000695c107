/** All suites in guests of a thread of their own, in every mix of placements. */
import { expectConformance, nameOf } from './xen-threads.ts';
import type { XenMix } from './xen-threads.ts';

const PLACEMENTS = ['inline', 'thread'] as const;

const mixes = (['basic', 'bypass'] as const).flatMap((mode) =>
  PLACEMENTS.flatMap((dom0) =>
    PLACEMENTS.flatMap((device): XenMix[] => [
      { mode, dom0, device, main: 'in verbs' },
      { mode, dom0, device, main: 'in its event loop' },
    ]),
  ),
);

describe('guests in a thread of their own, all suites', () => {
  for (const mix of mixes) it(nameOf(mix), () => expectConformance(mix)).timeout(600_000);
});
