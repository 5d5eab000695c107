/** The split driver, basic: two guests and their device domain on one thread. All suites run in xen-basic.exhaustive.ts. */
import { runConformance } from '@openverbs/conformance';
import { CORE_SUITES } from './core-suites.ts';
import { xenSubject } from './xen.ts';

runConformance({ ...xenSubject('basic', { dom0: 'inline', device: 'inline' }), only: CORE_SUITES });
