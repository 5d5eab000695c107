/** As many messages as the benchmark has. */
import { describeGoodput } from './goodput.ts';

describeGoodput(1024, [1, 2, 3, 4]);
