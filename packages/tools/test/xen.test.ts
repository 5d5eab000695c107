/** Each tool runs in one guest of the split driver, half of them in basic. All of them run in both in xen.exhaustive.ts. */
import { describeTools } from './xen.ts';

describeTools('xen:basic', (index) => index % 2 === 0);
describeTools('xen:bypass', (index) => index % 2 === 1);
