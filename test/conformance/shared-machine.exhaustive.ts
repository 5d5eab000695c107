/** All suites. */
import { runConformance } from '@openverbs/conformance';
import { onSharedMachine } from './shared-machine.ts';

runConformance(onSharedMachine());
