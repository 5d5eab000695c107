/** A guest against a native peer, in the suites that connect two devices; all suites run in xen-native-peer.exhaustive.ts. */
import { runConformance } from '@openverbs/conformance';
import { nativePeerSubject } from './xen-native-peer.ts';

const SUITES = ['send-recv', 'rdma-write', 'rdma-read', 'atomics', 'inline', 'uc', 'ud', 'srq', 'remote-errors', 'rnr'];

for (const mode of ['basic', 'bypass'] as const) {
  for (const tested of ['guest', 'native'] as const) {
    runConformance({ ...nativePeerSubject(mode, 'inline', tested), only: SUITES, deviations: {} });
  }
}
