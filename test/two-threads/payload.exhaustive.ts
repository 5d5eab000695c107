/** A whole lap. */
import { describePayloads } from './payload.ts';
import { RANDOM_LENGTHS } from './rounds.ts';

describePayloads(RANDOM_LENGTHS);
