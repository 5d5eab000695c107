/** All suites. */
import { runConformance } from '@openverbs/conformance';
import { inThread } from './thread.ts';

runConformance(inThread);
