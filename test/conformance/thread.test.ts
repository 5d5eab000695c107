/** Placement `thread`. All suites run in thread.exhaustive.ts. */
import { runConformance } from '@openverbs/conformance';
import { CORE_SUITES } from './core-suites.ts';
import { inThread } from './thread.ts';

runConformance({ ...inThread, only: CORE_SUITES });
