/** Two threads on one machine. All suites run in shared-machine.exhaustive.ts. */
import { runConformance } from '@openverbs/conformance';
import { PLACEMENT_SUITES } from './core-suites.ts';
import { onSharedMachine } from './shared-machine.ts';

runConformance({ ...onSharedMachine(), only: PLACEMENT_SUITES });
