/** Placement `thread`. All suites run in thread.exhaustive.ts. */
import { runConformance } from '@openverbs/conformance';
import { CORE_SUITES } from './core-suites.ts';
import { inThread } from './thread.ts';

// These bind thousands of times, and wait for the other thread each time.
const only = CORE_SUITES.filter((name) => !name.startsWith('memory-window'));

runConformance({ ...inThread, only });
