/** The split driver, bypass, in the other placements of device domain and device. */
import { runConformance } from '@openverbs/conformance';
import { xenSubject } from './xen.ts';

// A test of all address handles is tens of thousands of commands to another thread.
describe('in other placements', function () {
  this.timeout(60_000);

  runConformance(xenSubject('bypass', { dom0: 'inline', device: 'thread' }));
  runConformance(xenSubject('bypass', { dom0: 'thread', device: 'inline' }));
  runConformance(xenSubject('bypass', { dom0: 'thread', device: 'thread' }));
});
