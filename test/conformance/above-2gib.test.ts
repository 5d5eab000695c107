/** The suites in which the device calculates with addresses; all of them run in above-2gib.exhaustive.ts. */
import { runConformance } from '@openverbs/conformance';
import { above2Gib } from './above-2gib.ts';

const SUITES = [
  'mr',
  'mr-iova',
  'send-recv',
  'rdma-write',
  'rdma-read',
  'atomics',
  'atomic-write',
  'inline',
  'sge-lists',
  'memory-window-2',
  'srq',
  'srq-resize',
  'ud',
  'ud-errors',
  'cq-resize',
  'hostile-wqe',
];

runConformance({ ...above2Gib, only: SUITES });
