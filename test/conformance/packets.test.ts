/** Messages as packets, in the suites that are about what arrives; all of them run in packets.exhaustive.ts. */
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
/** What they send shows that something else works, at one end. */
const AT_ONE_END = [
  'channel',
  'cq',
  'cq-resize',
  'device-faults',
  'local-errors',
  'memory-window-1',
  'mr',
  'mr-iova',
  'null-mr',
  'turned-bits',
];
const only = suites.map(({ name }) => name).filter((name) => ![...NOTHING_SENT, ...AT_ONE_END].includes(name));

runConformance({ ...asPackets, only });
