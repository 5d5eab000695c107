/** Messages as packets. The network does nothing to them: what unreliable services promise is that they arrive on a good one. */
import type { ConformanceSubject } from '@openverbs/conformance';
import { openVerbs } from 'openverbs';
import { capabilities, deviations, devices, sessionOf } from './emulated.ts';

/** The subject. */
export const asPackets: ConformanceSubject = {
  name: 'the emulated provider, messages as packets',
  open: () => sessionOf(openVerbs({ provider: 'emulated', emulated: { devices, packets: true } })),
  capabilities,
  deviations,
};
