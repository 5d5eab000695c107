/** What a guest may have: named limits, counted by kind. */
import { VerbsError } from '@openverbs/verbs';

/**
 * Kinds of what is counted, each with the most that a guest gets unless the toolstack says otherwise. Of what is one for all guests it is no
 * more than a sixteenth of what is left when a sixteenth is kept for the device domain, or a guest could have what is another's.
 */
export const QUOTAS = {
  contexts: 56,
  pds: 2048,
  mrs: 7168,
  mws: 2048,
  cqs: 2048,
  qps: 2048,
  srqs: 1024,
  ahs: 1920,
  xrcds: 64,
  /** Queue pairs in multicast groups. */
  attachments: 60,
  /** Regions that are told of and not made yet. */
  regions: 16,
  /** Pages that are registered, each registration counted. */
  pages: 1 << 20,
  /** Runs of pages that follow each other among these: the hypervisor's table of runs is one for all guests. */
  pinnedRuns: 7680,
  /** Bytes of queues in the device domain's memory: those of basic. */
  queueBytes: 120 * 2 ** 20,
} as const;

/** A kind of what is counted. */
export type QuotaKind = keyof typeof QUOTAS;

/** The most of each kind. */
export type QuotaLimits = Readonly<Record<QuotaKind, number>>;

/** Counts for one guest, whatever front-ends it has: as many as it likes would be as many quotas. */
export class Quota {
  readonly used: Record<QuotaKind, number>;
  readonly limits: QuotaLimits;

  constructor(limits: Partial<QuotaLimits> = {}) {
    this.limits = { ...QUOTAS, ...limits };
    this.used = Object.fromEntries(Object.keys(QUOTAS).map((kind) => [kind, 0])) as Record<QuotaKind, number>;
  }

  /** @throws VerbsError ENOMEM that names the limit */
  take(kind: QuotaKind, count = 1): void {
    if (this.used[kind] + count > this.limits[kind]) {
      throw new VerbsError({
        code: 'ENOMEM',
        message: `this guest may have ${this.limits[kind]} ${kind}, and has ${this.used[kind]}`,
        hint: `give up some, or have its quota of ${kind} raised`,
      });
    }
    this.used[kind] += count;
  }

  /** Counts what `make` makes; nothing when that fails. */
  within<T>(kind: QuotaKind, make: () => T, count = 1): T {
    this.take(kind, count);
    try {
      return make();
    } catch (error) {
      this.give(kind, count);
      throw error;
    }
  }

  give(kind: QuotaKind, count = 1): void {
    this.used[kind] -= count;
  }
}
