/** How a suite of the conformance kit is written down: data that the registration reads, so that every test has one name. */
import type { CapabilityName } from '@openverbs/verbs/driver';
import type { Bench } from './bench/bench.ts';

/** Body of a test. Everything that it opens through the bench is released after it. */
export type ConformanceBody = (bench: Bench) => void | Promise<void>;

/** One test. */
export interface ConformanceTest {
  /** Says what holds; unlike any other title of its suite. */
  readonly title: string;
  /** What the device has to support for the test to make sense, beside what its suite needs. */
  readonly needs: readonly CapabilityName[];
  /**
   * The test provokes an error. Then a pair of QPs that stands by must still move verified data afterwards: the error hit
   * what it should and nothing else.
   */
  readonly provokes: boolean;
  /** What runs. */
  readonly body: ConformanceBody;
}

/** The tests of one kind of object, or of one rule. */
export interface ConformanceSuite {
  /** What `only` and the keys of tests call it. */
  readonly name: string;
  /** What the device has to support for any of its tests to make sense. */
  readonly needs: readonly CapabilityName[];
  /** In the order in which they run. */
  readonly tests: readonly ConformanceTest[];
}

/** What the callback of {@link defineSuite} declares tests with. */
export interface SuiteBuilder {
  /** A test of something that works. */
  works(title: string, body: ConformanceBody): void;
  /** The same, of something that takes more capabilities than the suite. */
  works(title: string, needs: readonly CapabilityName[], body: ConformanceBody): void;
  /** A test of something that must be answered with an error, and must change nothing else. */
  provokes(title: string, body: ConformanceBody): void;
  /** The same, of something that takes more capabilities than the suite. */
  provokes(title: string, needs: readonly CapabilityName[], body: ConformanceBody): void;
}

/** Declares a suite. Two tests of the same title are a mistake, because deviations name tests by their titles. */
export function defineSuite(
  name: string,
  needs: readonly CapabilityName[],
  define: (suite: SuiteBuilder) => void,
): ConformanceSuite {
  const tests = new Map<string, ConformanceTest>();
  const add = (title: string, provokes: boolean, rest: readonly [unknown, unknown?]): void => {
    if (tests.has(title)) throw new TypeError(`the suite "${name}" has two tests "${title}"`);
    const body = (rest[1] ?? rest[0]) as ConformanceBody;
    const testNeeds = rest[1] === undefined ? [] : (rest[0] as readonly CapabilityName[]);
    tests.set(title, { title, needs: testNeeds, provokes, body });
  };
  define({
    works: (title: string, ...rest: [unknown, unknown?]) => {
      add(title, false, rest);
    },
    provokes: (title: string, ...rest: [unknown, unknown?]) => {
      add(title, true, rest);
    },
  });
  return Object.freeze({ name, needs, tests: [...tests.values()] });
}

/** The name by which a list of deviations refers to a test. */
export function testKey(suite: string, title: string): string {
  return `${suite} › ${title}`;
}
