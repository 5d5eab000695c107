/** The split driver, bypass: two guests and their device domain on one thread. */
import { runConformance } from '@openverbs/conformance';
import { xenSubject } from './xen.ts';

runConformance(xenSubject('bypass', { dom0: 'inline', device: 'inline' }));
