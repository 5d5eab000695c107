/** Placement `thread`: a worker executes the device. */
import type { ConformanceSubject } from '@openverbs/conformance';
import { openVerbs } from 'openverbs';
import { capabilities, deviations, devices, sessionOf } from './emulated.ts';

/** The subject. */
export const inThread: ConformanceSubject = {
  name: 'the emulated provider, in a thread',
  open: () => sessionOf(openVerbs({ provider: 'emulated', emulated: { devices, placement: 'thread' } })),
  capabilities,
  deviations,
};
