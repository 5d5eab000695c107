/** At every call of most actions, and at some of the longest ones; at every call of these in recovery.exhaustive.ts. */
import { describeDeaths } from './support/deaths.ts';

describeDeaths(3);
