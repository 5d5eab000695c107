/** What a run of the suite found, as an object that tools print. */
import type { CapabilityName } from '@openverbs/verbs/driver';
import { testKey } from './define-suite.ts';

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

/** A capability, and what came of its being claimed or left out. */
export interface CapabilityResult {
  /** Which. */
  readonly name: CapabilityName;
  /** Whether the manifest claims it. */
  readonly claimed: boolean;
  /** Keys of the tests that need it: of the suites that ran, or would have run with it. */
  readonly tests: string[];
  /** Key of the test that uses what is left out, and has to be refused; null for what is claimed. */
  refusal: string | null;
}

/** The tests of one suite, counted. */
export interface SuiteSummary {
  /** Name of the suite; `lists` and `absent` are the kit's own checks. */
  readonly suite: string;
  /** Tests that passed, refusals among them. */
  readonly passed: number;
  /** Tests that failed, or passed unexpectedly. */
  readonly failed: number;
  /** Tests that failed as they are listed. */
  readonly deviating: number;
  /** Tests that the manifest excludes. */
  readonly excluded: number;
  /** What the manifest leaves out and these tests need. */
  readonly lacking: readonly CapabilityName[];
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
  /** Every capability. */
  readonly capabilities: CapabilityResult[];
  /** Names of the suites, in the order in which they ran. */
  readonly suites: string[];
}

/** An empty report. */
export function newReport(name: string): ConformanceReport {
  const lists = { passed: [], failed: [], deviating: [], excluded: [], notSelected: [] };
  return { name, ...lists, capabilities: [], suites: [] };
}

/** True when the subject conforms: all suites ran, and nothing failed that was not listed. */
export function conforms(report: ConformanceReport): boolean {
  return report.failed.length === 0 && report.notSelected.length === 0 && report.passed.length > 0;
}

/** What ran, what the manifest excludes, and what deviates, suite by suite. */
export function summarize(report: ConformanceReport): SuiteSummary[] {
  return report.suites.map((suite) => {
    const ofSuite = (key: string): boolean => key.startsWith(testKey(suite, ''));
    const count = (tests: readonly { readonly key: string }[]): number =>
      tests.filter(({ key }) => ofSuite(key)).length;
    const excluded = report.excluded.filter(({ key }) => ofSuite(key));
    return {
      suite,
      passed: report.passed.filter(ofSuite).length,
      failed: count(report.failed),
      deviating: count(report.deviating),
      excluded: excluded.length,
      lacking: [...new Set(excluded.map(({ capability }) => capability))],
    };
  });
}
