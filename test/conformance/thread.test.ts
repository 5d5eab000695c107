/** Placement `thread`. All suites run in thread.exhaustive.ts. */
import { runConformance } from '@openverbs/conformance';
import { PLACEMENT_SUITES } from './core-suites.ts';
import { inThread } from './thread.ts';

runConformance({ ...inThread, only: PLACEMENT_SUITES });
