/** A few; the many are in termination.exhaustive.ts. */
import { describeTerminatedThreads } from './terminated-threads.ts';

describeTerminatedThreads('inline', 3);
describeTerminatedThreads('thread', 2);
