/**
 * CQE buffering: one trip to a completion queue that is slow to reach fetches all that it holds, and later polls are local.
 *
 * @packageDocumentation
 */
export { CqePoller } from './cqe-poller.ts';
export { CqePollers } from './cqe-pollers.ts';
export { type CqePollerStatistics, newCqePollerCounts, statisticsOf } from './statistics.ts';
export { storeCqe } from './store-cqe.ts';
export type { BufferedCq, CqePollerOps, CqePollerOptions, CqeSource } from '@openverbs/verbs/driver';
