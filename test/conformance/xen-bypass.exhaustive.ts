/** The split driver, bypass, in the other placements of device domain and device. */
import { runConformance } from '@openverbs/conformance';
import { xenSubject } from './xen.ts';

runConformance(xenSubject('bypass', { dom0: 'inline', device: 'thread' }));
runConformance(xenSubject('bypass', { dom0: 'thread', device: 'inline' }));
runConformance(xenSubject('bypass', { dom0: 'thread', device: 'thread' }));
