/** The minimal provider conforms to all that it claims. */
import { runConformance } from '@openverbs/conformance';
import { openVerbs } from 'openverbs';
import { provider } from '../src/minimal-provider/provider.ts';

runConformance({
  name: 'the minimal provider',
  open: () => openVerbs({ provider }),
  capabilities: { rc: true, rdmaWrite: true, completionEvents: true, vendorErrors: true, registersAnyMemory: true },
});
