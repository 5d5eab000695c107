/** All suites. */
import { runConformance } from '@openverbs/conformance';
import { asPackets } from './packets.ts';

runConformance(asPackets);
