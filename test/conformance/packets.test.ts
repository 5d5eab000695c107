/** Messages as packets, in the suites that send some; all of them run in packets.exhaustive.ts. */
import { runConformance, suites } from '@openverbs/conformance';
import { asPackets } from './packets.ts';

/** Nothing travels in them, so they are the same over any link. */
const NOTHING_SENT = [
  'address-handle',
  'context',
  'device',
  'limits',
  'parent-domains',
  'pd',
  'qp-attributes',
  'qp-state',
  'rc-state-table',
  'uc-state',
];
const only = suites.map(({ name }) => name).filter((name) => !NOTHING_SENT.includes(name));

runConformance({ ...asPackets, only });
