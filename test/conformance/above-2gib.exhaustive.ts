/** All suites. */
import { runConformance } from '@openverbs/conformance';
import { above2Gib } from './above-2gib.ts';

runConformance(above2Gib);
