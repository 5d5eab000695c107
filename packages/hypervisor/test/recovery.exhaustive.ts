/** At every call of every action. */
import { describeDeaths } from './support/deaths.ts';

describeDeaths(1);
