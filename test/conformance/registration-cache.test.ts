/**
 * The registration cache is switched on, and the suites do not know. Left out are those which try keys at the edges of regions and after
 * their end: a key of the cache is that of the registration which holds the region, and works beyond both. The rest of the suite
 * has nothing to do with memory.
 */
import { runConformance } from '@openverbs/conformance';
import { openVerbs } from 'openverbs';
import { capabilities, devices, sessionOf } from './emulated.ts';

const MEMORY_SUITES = ['mr', 'mr-iova', 'mr-rereg', 'null-mr', 'pd', 'parent-domains', 'lifetimes', 'invalidate'];
const WINDOW_SUITES = ['memory-window-1', 'memory-window-2'];
const USER_SUITES = ['send-recv', 'rdma-write', 'rdma-read', 'atomics', 'sge-lists', 'srq', 'hostile-wqe'];

const SHARED = 'regions share the keys of the registration that holds them';
const KEPT = 'the keys of a registration that is kept still work';

runConformance({
  name: 'the emulated provider, with the registration cache',
  open: () => sessionOf(openVerbs({ provider: 'emulated', emulated: { devices }, registrationCache: true })),
  capabilities,
  only: [...MEMORY_SUITES, ...WINDOW_SUITES, ...USER_SUITES, 'device-faults'],
  deviations: {
    'mr › gives every live region keys of its own': SHARED,
    'mr › does not give a key again at once, so that a stale one is noticed': KEPT,
    'mr-rereg › changes memory': KEPT,
    'lifetimes › nothing is written to memory that was deregistered': KEPT,
  },
});
