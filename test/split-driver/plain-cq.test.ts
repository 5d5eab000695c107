/** Some programs, of which one in four overruns; the many are in plain-cq.exhaustive.ts. */
import { describePlainCq } from './plain-cq.ts';

describePlainCq(60, 3);
