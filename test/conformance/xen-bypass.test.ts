/** The split driver, bypass: two guests and their device domain on one thread. All suites run in xen-bypass.exhaustive.ts. */
import { runConformance } from '@openverbs/conformance';
import { PLACEMENT_SUITES } from './core-suites.ts';
import { xenSubject } from './xen.ts';

/** Verbs that take the same way in basic, and the device's retries. */
const AS_IN_BASIC = ['mr', 'qp', 'rnr'];
const only = PLACEMENT_SUITES.filter((name) => !AS_IN_BASIC.includes(name));

runConformance({ ...xenSubject('bypass', { dom0: 'inline', device: 'inline' }), only });
