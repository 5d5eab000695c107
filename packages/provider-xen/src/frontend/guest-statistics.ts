/** What a front-end counts for eyes, beside what its device channel and its event channel count. */
import { newCqePollerCounts, statisticsOf } from '@openverbs/cqe-poller';
import { GuestCount } from '../channel/guest-counts.ts';

export class GuestStatistics {
  /** All pollers of the front-end count here together. */
  readonly pollerCounts = newCqePollerCounts();
  /** Registrations that a cache above has answered, and the pages that they had. */
  cacheHits = 0;
  cachePagesSaved = 0;

  /** Polls that the CQE poller answered: in basic, all. */
  get polls(): number {
    return statisticsOf(this.pollerCounts).polls;
  }

  /** Of these, polls that the buffer answered. */
  get pollsSaved(): number {
    return statisticsOf(this.pollerCounts).localPolls;
  }

  /** Tells the back-end of the registrations alone. No request goes with one that was saved, so it is told at once. */
  publishSaved(into: Float64Array): void {
    into[GuestCount.CACHE_HITS] = this.cacheHits;
    into[GuestCount.CACHE_PAGES_SAVED] = this.cachePagesSaved;
  }

  /** Tells the back-end. */
  publish(into: Float64Array, notifications: number): void {
    const { polls, localPolls } = statisticsOf(this.pollerCounts);
    into[GuestCount.POLLS] = polls;
    into[GuestCount.POLLS_SAVED] = localPolls;
    this.publishSaved(into);
    into[GuestCount.NOTIFICATIONS] = notifications;
  }
}
