/** The split driver, basic: all suites, all on one thread, and device domain and device on threads of their own. More mixes: xen-threads. */
import { runConformance } from '@openverbs/conformance';
import { xenSubject } from './xen.ts';

// A test of all address handles is tens of thousands of commands to another thread.
describe('all suites', function () {
  this.timeout(60_000);

  runConformance(xenSubject('basic', { dom0: 'inline', device: 'inline' }));
  runConformance(xenSubject('basic', { dom0: 'inline', device: 'inline', cqeBuffering: false }));
  runConformance(xenSubject('basic', { dom0: 'thread', device: 'thread' }));
});
