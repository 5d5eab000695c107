/**
 * CQE buffering: one trip to a completion queue that is slow to reach fetches all that it holds, and later polls are local.
 *
 * @packageDocumentation
 */
export { CqePoller, type CqePollerOptions } from './cqe-poller.ts';
export type { CqeSource } from './cqe-source.ts';
export { type CqePollerStatistics, newCqePollerCounts, statisticsOf } from './statistics.ts';
export { storeCqe } from './store-cqe.ts';
