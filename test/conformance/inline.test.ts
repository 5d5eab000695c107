/** Placement `inline`: whoever rings a doorbell executes the device. */
import { runConformance } from '@openverbs/conformance';
import { openVerbs } from 'openverbs';
import { capabilities, deviations, devices, sessionOf } from './emulated.ts';

runConformance({
  name: 'the emulated provider, inline',
  open: () => sessionOf(openVerbs({ provider: 'emulated', emulated: { devices, placement: 'inline' } })),
  capabilities,
  deviations,
});
