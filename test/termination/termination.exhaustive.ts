/** As many as it takes for some to die at each of the moments that matter. */
import { describeTerminatedThreads } from './terminated-threads.ts';

// The dead may have executed the device themselves, or they only held locks of the driver.
describeTerminatedThreads('inline', 1000);
describeTerminatedThreads('thread', 100);
