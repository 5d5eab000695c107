/** A few; more are in kill.exhaustive.ts. */
import { describeKills } from './support/kill.ts';

describeKills(3);
