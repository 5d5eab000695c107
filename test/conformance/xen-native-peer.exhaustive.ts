/** A guest against a native peer, all suites. */
import { runConformance } from '@openverbs/conformance';
import { nativePeerSubject } from './xen-native-peer.ts';

// As in xen-basic.exhaustive.ts.
describe('a guest and a native peer', function () {
  this.timeout(60_000);

  for (const mode of ['basic', 'bypass'] as const) {
    for (const dom0 of ['inline', 'thread'] as const) {
      for (const tested of ['guest', 'native'] as const) runConformance(nativePeerSubject(mode, dom0, tested));
    }
  }
});
