/** A guest against a native peer: all suites but those which write into the rings of both ends. */
import { suites, runConformance } from '@openverbs/conformance';
import { CORE_SUITES } from './core-suites.ts';
import { nativePeerSubject } from './xen-native-peer.ts';

const BOTH_ENDS_ALIKE = ['hostile-rings', 'hostile-srq', 'hostile-wqe'];
const only = suites.map(({ name }) => name).filter((name) => !BOTH_ENDS_ALIKE.includes(name));

// As in xen-basic.exhaustive.ts.
describe('a guest and a native peer', function () {
  this.timeout(60_000);

  for (const mode of ['basic', 'bypass'] as const) {
    for (const tested of ['guest', 'native'] as const) {
      runConformance({ ...nativePeerSubject(mode, 'inline', tested), only });
      runConformance({ ...nativePeerSubject(mode, 'thread', tested), only: CORE_SUITES });
    }
  }
});
