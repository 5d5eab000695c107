/** The split driver, basic, in the other placements of device domain and device. */
import { runConformance } from '@openverbs/conformance';
import { xenSubject } from './xen.ts';

runConformance(xenSubject('basic', { dom0: 'inline', device: 'thread' }));
runConformance(xenSubject('basic', { dom0: 'thread', device: 'inline' }));
runConformance(xenSubject('basic', { dom0: 'thread', device: 'thread' }));
