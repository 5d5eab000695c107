/** What a guest may have: named limits, counted by kind. */
import { VerbsError } from '@openverbs/verbs';

/** Kinds of what is counted, each with the most that a guest gets unless the toolstack says otherwise. */
export const QUOTAS = {
  contexts: 64,
  pds: 1024,
  mrs: 16384,
  mws: 4096,
  cqs: 4096,
  qps: 4096,
  srqs: 1024,
  ahs: 65536,
  xrcds: 64,
  /** Queue pairs in multicast groups. */
  attachments: 512,
  /** Regions that are told of and not made yet. */
  regions: 16,
  /** Pages that are registered, each registration counted. */
  pages: 1 << 20,
  /** Runs of pages that follow each other among these: the hypervisor's table of runs is one for all guests. */
  pinnedRuns: 16384,
  /** Bytes of queues in the device domain's memory: those of basic. */
  queueBytes: 256 * 2 ** 20,
} as const;

/** A kind of what is counted. */
export type QuotaKind = keyof typeof QUOTAS;

/** Counts for one guest. */
export class Quota {
  readonly used: Record<QuotaKind, number>;
  readonly limits: Readonly<Record<QuotaKind, number>>;

  constructor(limits: Partial<Record<QuotaKind, number>> = {}) {
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
