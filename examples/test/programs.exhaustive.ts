/** Examples in guests whose every post is a trip to another thread. */
import { TIMEOUT_MS } from './run-example.ts';
import { describeUnchanged } from './unchanged.ts';

describe('examples', function () {
  this.timeout(TIMEOUT_MS);
  describeUnchanged('basic');
});
