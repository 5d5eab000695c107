/** The benchmarks that take longest to start run, too. */
import { describeOutput, TIMEOUT_MS } from './output.ts';

describe('the longer benchmarks', function () {
  this.timeout(TIMEOUT_MS);
  describeOutput(['registration', 'loss', 'write-pingpong', 'post-poll', 'split-driver']);
});
