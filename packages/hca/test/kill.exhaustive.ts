/** More than in kill.test.ts. */
import { describeKills } from './support/kill.ts';

describeKills(12);
