/** Some tools run in a guest of the split driver, those that say the most. All of them run in both modes in xen.exhaustive.ts. */
import { describeTools } from './xen.ts';

describeTools('xen:basic', ['openverbs doctor']);
describeTools('xen:bypass', ['ibv_devinfo', 'ibv_rc_pingpong --self -n 50 -e']);
