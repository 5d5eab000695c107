/** Examples in guests, also in those whose every post is a trip to another thread, and what else ends them. */
import { expect } from 'chai';
import { describeKernelClient, describeWrongArguments, itLeavesNothingBehind } from './programs.ts';
import { runExample, TIMEOUT_MS } from './run-example.ts';
import { scratchDirectory } from './scratch-directory.ts';
import { describeUnchanged, itRunsTwoThreads } from './unchanged.ts';

describe('examples', function () {
  this.timeout(TIMEOUT_MS);
  const path = scratchDirectory();

  describeUnchanged('basic', ['first', 'rc-pingpong', 'events']);
  itRunsTwoThreads('basic');
  describeUnchanged('bypass', ['first', 'events']);
  itRunsTwoThreads('bypass');
  describeWrongArguments([['0'], ['64', '-1'], ['1.5']]);
  describeKernelClient([
    ['xen:basic', 'vib1.0'],
    ['xen:bypass', 'vib1.0'],
  ]);
  itLeavesNothingBehind('SIGTERM', path);

  it('start says what failed, goes on with the others, and its exit code tells', async () => {
    // rcopy opens a context for each side.
    const { status, out, err } = await runExample('start', [], undefined, { OPENVERBS_XEN_QUOTAS: '{"contexts":1}' });
    expect(status).to.equal(1);
    expect(err).to.match(/^npm start: xen:basic: .*\n/);
    expect(out).to.match(/\n {2}rcopy +[\d.]+ [kMG]B\/s +failed +failed\n/);
  });
});
