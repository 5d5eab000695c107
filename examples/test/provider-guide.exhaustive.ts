/** The commands of `docs/provider-guide.md` that run suites. */
import { describeCommands } from './provider-guide.ts';

describe('the provider guide', () => {
  describeCommands((line) => line.includes('conformance'));
});
