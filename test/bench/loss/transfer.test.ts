/** A few messages; as many as the benchmark has are in transfer.exhaustive.ts. */
import { describeGoodput } from './goodput.ts';

describeGoodput(256, [1]);
