/** Programs that run below openverbs-xentop: each way to fail, and each way to say their provider. */
import { expect } from 'chai';
import { describeFailures, itTellsAtTheEnd, PROGRAM, TIMEOUT_MS, xentop } from './xentop.ts';

describe('openverbs-xentop', function () {
  this.timeout(TIMEOUT_MS);

  itTellsAtTheEnd('xen:bypass');

  it('leaves the provider to the environment when the command line says none', async () => {
    const { OPENVERBS_PROVIDER: before } = process.env;
    process.env['OPENVERBS_PROVIDER'] = 'xen:basic';
    try {
      const { out } = await xentop(`--once ${PROGRAM}`);
      expect(out).to.match(/^ {2}guest1 +basic /m);
    } finally {
      if (before === undefined) delete process.env['OPENVERBS_PROVIDER'];
      else process.env['OPENVERBS_PROVIDER'] = before;
    }
  });

  describeFailures(['status', 'alone', 'cut']);
});
