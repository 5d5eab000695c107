/** What a poller has done. */

/** What a poller has done since it was made. */
export interface CqePollerStatistics {
  /** Polls of the application. */
  readonly polls: number;
  /** Polls that were answered without a trip to the slow side: those that the buffer has saved. */
  readonly localPolls: number;
  /** Trips to the slow side that fetched CQEs, or found none. */
  readonly trips: number;
  /** Of these, those that found none. */
  readonly emptyTrips: number;
  /** Trips to the slow side that told what was polled, and nothing else: where the queue could have overrun too soon. */
  readonly updates: number;
  /** CQEs that trips have fetched. */
  readonly cqes: number;
  /** Trips to the slow side that armed it. */
  readonly arms: number;
  /** CQEs that were fetched and not polled, because their QP was reset or destroyed. */
  readonly purged: number;
  /** CQEs that wait in the buffer now. */
  readonly buffered: number;
}

/** Places of the counts: an array of doubles, so that counting makes no object, however far it goes. */
export const Count = {
  POLLS: 0,
  LOCAL_POLLS: 1,
  TRIPS: 2,
  EMPTY_TRIPS: 3,
  UPDATES: 4,
  CQES: 5,
  ARMS: 6,
  PURGED: 7,
} as const;

/** Counts at zero, for pollers that count together. */
export function newCqePollerCounts(): Float64Array {
  return new Float64Array(Object.keys(Count).length);
}

/** The counts in words. */
export function statisticsOf(counts: Float64Array, buffered = 0): CqePollerStatistics {
  const [polls, localPolls, trips, emptyTrips, updates, cqes, arms, purged] = counts;
  return { polls, localPolls, trips, emptyTrips, updates, cqes, arms, purged, buffered };
}
