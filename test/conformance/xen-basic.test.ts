/** The split driver, basic: two guests and their device domain on one thread. */
import { runConformance } from '@openverbs/conformance';
import { xenSubject } from './xen.ts';

runConformance(xenSubject('basic', { dom0: 'inline', device: 'inline' }));
