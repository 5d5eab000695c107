/** A few; the many are in termination.exhaustive.ts. */
import { describeTerminatedThreads } from './terminated-threads.ts';

describeTerminatedThreads('inline', 5);
describeTerminatedThreads('thread', 3);
