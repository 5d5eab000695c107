/** All tools run in guests of the split driver. */
import { describeTools } from './xen.ts';

describeTools('xen:basic');
describeTools('xen:bypass');
