/**
 * The suite that every provider runs: by object and by rule, driven by the capability manifest, with listed deviations.
 *
 * @packageDocumentation
 */
export { defineSuite, testKey } from './define-suite.ts';
export type { ConformanceBody, ConformanceSuite, ConformanceTest, SuiteBuilder } from './define-suite.ts';
export { conforms, summarize } from './report.ts';
export type {
  CapabilityResult,
  ConformanceReport,
  DeviatingTest,
  ExcludedTest,
  FailedTest,
  SuiteSummary,
} from './report.ts';
export { runConformance } from './run-conformance.ts';
export type { ConformanceSubject } from './run-conformance.ts';
export type { ConformanceSession } from './session.ts';
export { suites } from './suites/index.ts';
export { StandaloneRunner } from './standalone-runner.ts';
export type { StandaloneFailure } from './standalone-runner.ts';
export type { TestBody, TestInterface } from './test-interface.ts';
