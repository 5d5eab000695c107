/** As many programs as it takes for the rare orders of steps to come up. */
import { describePlainCq } from './plain-cq.ts';

describePlainCq(300, 40);
