/** The split driver, bypass: two guests and their device domain on one thread. All suites run in xen-bypass.exhaustive.ts. */
import { runConformance } from '@openverbs/conformance';
import { CORE_SUITES } from './core-suites.ts';
import { xenSubject } from './xen.ts';

runConformance({ ...xenSubject('bypass', { dom0: 'inline', device: 'inline' }), only: CORE_SUITES });
