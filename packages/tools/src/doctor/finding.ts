/** What `openverbs doctor` finds. */
import type { ProviderFinding } from '@openverbs/verbs/driver';

/** Findings about one thing. */
export interface FindingGroup {
  readonly title: string;
  readonly findings: readonly ProviderFinding[];
}

/** A finding that is as it should be. */
export function fine(check: string, found: string): ProviderFinding {
  return { check, ok: true, found, cure: '' };
}

/** A finding that is not, and what to do. */
export function wrong(check: string, found: string, cure: string): ProviderFinding {
  return { check, ok: false, found, cure };
}

/** Whether nothing is wrong. */
export function allFine(groups: readonly FindingGroup[]): boolean {
  return groups.every(({ findings }) => findings.every(({ ok }) => ok));
}
