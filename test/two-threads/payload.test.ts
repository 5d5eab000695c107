/** Every length that is listed and some others; a whole lap is in payload.exhaustive.ts. */
import { describePayloads } from './payload.ts';

describePayloads(25);
