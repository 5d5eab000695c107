/** A few; the many are in termination.exhaustive.ts. */
import { describeTerminatedThreads } from './terminated-threads.ts';

describeTerminatedThreads('inline', 20);
describeTerminatedThreads('thread', 5);
