/** The benchmarks that take longest to start run, too. */
import { describeOutput, TIMEOUT_MS } from './output.ts';

describe('the benchmarks of several providers', function () {
  this.timeout(TIMEOUT_MS);
  describeOutput(['post-poll', 'split-driver']);
});
