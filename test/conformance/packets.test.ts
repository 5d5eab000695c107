/** Messages as packets. The network does nothing to them: what unreliable services promise is that they arrive on a good one. */
import { runConformance } from '@openverbs/conformance';
import { openVerbs } from 'openverbs';
import { capabilities, deviations, sessionOf } from './emulated.ts';

runConformance({
  name: 'the emulated provider, messages as packets',
  open: () => sessionOf(openVerbs({ provider: 'emulated', emulated: { devices: 2, packets: true } })),
  capabilities,
  deviations,
});
