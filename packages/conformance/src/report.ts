/** What a run of the suite found, as an object that tools print. */
import type { CapabilityName } from '@openverbs/verbs/driver';

/** A test that the manifest excludes; its place was taken by the check that the capability really is absent. */
export interface ExcludedTest {
  /** Which test, as `testKey` names it. */
  readonly key: string;
  /** What the device lacks. */
  readonly capability: CapabilityName;
}

/** A test that fails as the list of deviations said it would. */
export interface DeviatingTest {
  /** Which test, as `testKey` names it. */
  readonly key: string;
  /** As the list gave it. */
  readonly reason: string;
  /** How it failed. */
  readonly failure: string;
}

/** A test that failed, or that passed although it is listed as a deviation. */
export interface FailedTest {
  /** Which test, as `testKey` names it. */
  readonly key: string;
  /** How it failed. */
  readonly failure: string;
}

/** The summary of a run. It is complete once the runner has called the suite's last `after`. */
export interface ConformanceReport {
  /** As the subject names itself. */
  readonly name: string;
  /** Keys of the tests that passed. */
  readonly passed: string[];
  /** What keeps the subject from conforming. */
  readonly failed: FailedTest[];
  /** Known deviations, as found. */
  readonly deviating: DeviatingTest[];
  /** What the device can't do, and says so. */
  readonly excluded: ExcludedTest[];
  /** Suites that the caller left out by `only`; a report with any is no statement of conformance. */
  readonly notSelected: string[];
}

/** An empty report. */
export function newReport(name: string): ConformanceReport {
  return { name, passed: [], failed: [], deviating: [], excluded: [], notSelected: [] };
}

/** True when the subject conforms: all suites ran, and nothing failed that was not listed. */
export function conforms(report: ConformanceReport): boolean {
  return report.failed.length === 0 && report.notSelected.length === 0 && report.passed.length > 0;
}
