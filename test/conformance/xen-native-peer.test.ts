/** A guest against a native peer, in the suites that connect two devices; all suites, from both ends in both modes, in xen-native-peer.exhaustive.ts. */
import { runConformance } from '@openverbs/conformance';
import { nativePeerSubject } from './xen-native-peer.ts';

const SUITES = ['send-recv', 'rdma-write', 'rdma-read', 'atomics', 'inline', 'uc', 'ud', 'ud-errors', 'srq'];
/** What the device domain does not see on the way in, and so has to have set up well. */
const FROM_OUTSIDE = ['send-recv', 'rdma-read', 'atomics', 'ud', 'ud-errors'];

runConformance({ ...nativePeerSubject('basic', 'inline', 'guest'), only: SUITES, deviations: {} });
runConformance({ ...nativePeerSubject('bypass', 'inline', 'native'), only: FROM_OUTSIDE, deviations: {} });
