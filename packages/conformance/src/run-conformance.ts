/** Registers the suite with a test runner: which tests run, what takes the place of the others, and what counts as passed. */
import { Capability, type CapabilityManifest, type CapabilityName } from '@openverbs/verbs/driver';
import { refuseAbsent } from './absent-capability.ts';
import { Bench } from './bench/bench.ts';
import { Bystander } from './bench/bystander.ts';
import { withReasonsRequired } from './bench/completions.ts';
import { withWaitsOf } from './bench/wait.ts';
import { testKey, type ConformanceSuite, type ConformanceTest } from './define-suite.ts';
import { newReport, type CapabilityResult, type ConformanceReport } from './report.ts';
import type { ConformanceSession } from './session.ts';
import { suites as allSuites } from './suites/index.ts';
import { globalTestInterface, type TestInterface } from './test-interface.ts';

/** What is tested, and how. */
export interface ConformanceSubject {
  /** As the runner's output and the report name it. */
  readonly name: string;
  /**
   * Opens the devices. Called before the first test, and once more for each test that makes a device fail or pulls it out: what that gets
   * must be devices of their own.
   */
  open(): ConformanceSession | Promise<ConformanceSession>;
  /** What the first device supports, as its manifest says. It is held against the device itself. */
  readonly capabilities: CapabilityManifest['supports'];
  /**
   * Tests that are known to fail, by `'suite › test'`, with the reason. A listed test has to fail: one that passes, and an
   * entry that names no test, are failures.
   */
  readonly deviations?: Readonly<Record<string, string>>;
  /** Suites to run, by name; all when left out. What is left out so is in the report, and the subject does not conform. */
  readonly only?: readonly string[];
  /** For the random tests, to repeat a run that failed; drawn when left out. */
  readonly seed?: number;
  /**
   * Milliseconds that a test waits for what has to come, before it fails; 5000 when left out. More for a slow device, together
   * with the runner's own limit.
   */
  readonly waitMsMax?: number;
  /** Where to register; the global functions when left out. */
  readonly interface?: TestInterface;
  /** Is given the report when the last test has ended. */
  onReport?(report: ConformanceReport): void;
}

/**
 * Registers the conformance suite for a subject.
 *
 * @returns the report, which fills while the runner runs
 */
export function runConformance(subject: ConformanceSubject): ConformanceReport {
  return new Registration(subject, allSuites).register();
}

class Registration {
  readonly #subject: ConformanceSubject;
  readonly #suites: readonly ConformanceSuite[];
  readonly #runner: TestInterface;
  readonly #report: ConformanceReport;
  readonly #seed: number;
  /** Every capability, and the tests that try it. */
  readonly #results: ReadonlyMap<CapabilityName, CapabilityResult>;
  #session: ConformanceSession | undefined;

  constructor(subject: ConformanceSubject, suites: readonly ConformanceSuite[]) {
    this.#subject = subject;
    this.#suites = suites;
    this.#seed = subject.seed ?? Math.floor(Math.random() * 2 ** 32);
    this.#runner = subject.interface ?? globalTestInterface();
    this.#report = newReport(subject.name);
    const names = Object.keys(Capability) as CapabilityName[];
    const newResult = (name: CapabilityName): CapabilityResult => {
      return { name, claimed: this.#claims(name), tests: [], refusal: null };
    };
    this.#results = new Map(names.map((name) => [name, newResult(name)]));
    this.#report.capabilities.push(...this.#results.values());
  }

  register(): ConformanceReport {
    const { describe, before, after } = this.#runner;
    describe(`conformance of ${this.#subject.name}`, () => {
      before(async () => {
        this.#session = await this.#subject.open();
      });
      after(async () => {
        await this.#session?.close();
        this.#subject.onReport?.(this.#report);
      });
      this.#registerListChecks();
      for (const suite of this.#suites) this.#registerSuite(suite);
      this.#registerRefusals();
    });
    return this.#report;
  }

  /** The lists that the caller gives are checked like everything else: a stale entry would hide what it was meant to show. */
  #registerListChecks(): void {
    this.#describe('lists', () => {
      this.#registerTest('lists', 'the manifest is the device’s own', () => {
        this.#checkManifest();
      });
      this.#registerTest('lists', 'every deviation and every selected suite exists', () => {
        this.#checkNames();
      });
      this.#registerTest('lists', 'every capability that is claimed is tried by a test', () => {
        this.#checkClaims();
      });
    });
  }

  #checkManifest(): void {
    const device = this.#bench().device;
    const names = Object.keys(Capability) as CapabilityName[];
    const wrong = names.filter((name) => device.supports(name) !== this.#claims(name));
    if (wrong.length > 0) throw new Error(`the device and the given manifest differ in ${wrong.join(', ')}`);
  }

  #checkNames(): void {
    const keys = new Set(this.#suites.flatMap(({ name, tests }) => tests.map(({ title }) => testKey(name, title))));
    const names = new Set(this.#suites.map(({ name }) => name));
    const stale = [
      ...Object.keys(this.#subject.deviations ?? {}).filter((key) => !keys.has(key)),
      ...(this.#subject.only ?? []).filter((name) => !names.has(name)),
    ];
    if (stale.length > 0) throw new Error(`no such test or suite: ${stale.join(', ')}`);
  }

  /** Nobody can vouch for a claim that no test of the kit tries. */
  #checkClaims(): void {
    const tried = new Set(
      this.#suites.flatMap(({ needs, tests }) => [...needs, ...tests.flatMap((test) => test.needs)]),
    );
    const untried = [...this.#results.values()].filter(({ name, claimed }) => claimed && !tried.has(name));
    if (untried.length > 0) throw new Error(`no test tries ${untried.map(({ name }) => name).join(', ')}`);
  }

  #describe(suite: string, body: () => void): void {
    this.#report.suites.push(suite);
    this.#runner.describe(suite, body);
  }

  #registerSuite(suite: ConformanceSuite): void {
    if (this.#subject.only !== undefined && !this.#subject.only.includes(suite.name)) {
      this.#report.notSelected.push(suite.name);
      return;
    }
    this.#describe(suite.name, () => {
      for (const { title, needs } of suite.tests) {
        const key = testKey(suite.name, title);
        for (const name of new Set([...suite.needs, ...needs])) this.#results.get(name)?.tests.push(key);
      }
      const absent = this.#firstAbsent(suite.needs);
      if (absent !== undefined) {
        this.#registerAbsence(suite.name, suite.tests, absent);
        return;
      }
      for (const test of suite.tests) {
        const absentForTest = this.#firstAbsent(test.needs);
        if (absentForTest === undefined) {
          this.#registerTest(suite.name, test.title, () => this.#runTest(test));
        } else {
          this.#registerAbsence(suite.name, [test], absentForTest);
        }
      }
    });
  }

  /** Capabilities that the manifest leaves out and that took no suite's place. */
  #registerRefusals(): void {
    const left = this.#report.capabilities.filter(({ claimed, refusal }) => !claimed && refusal === null);
    if (left.length === 0) return;
    this.#describe('absent', () => {
      for (const { name } of left) this.#registerRefusal('absent', `${name} is refused`, name);
    });
  }

  #claims(name: CapabilityName): boolean {
    return this.#subject.capabilities[name] === true;
  }

  #firstAbsent(needs: readonly CapabilityName[]): CapabilityName | undefined {
    return needs.find((name) => !this.#claims(name));
  }

  /** In the place of tests that need `capability`: using it must be refused. */
  #registerAbsence(suite: string, tests: readonly ConformanceTest[], capability: CapabilityName): void {
    for (const test of tests) this.#report.excluded.push({ key: testKey(suite, test.title), capability });
    const what = tests.length === 1 ? `${tests[0].title}: ` : '';
    this.#registerRefusal(suite, `${what}excluded by the manifest, so using ${capability} is refused`, capability);
  }

  #registerRefusal(suite: string, title: string, capability: CapabilityName): void {
    const result = this.#results.get(capability);
    if (result !== undefined) result.refusal ??= testKey(suite, title);
    this.#registerTest(suite, title, () =>
      withWaitsOf(this.#subject.waitMsMax, () => refuseAbsent(capability, this.#bench())),
    );
  }

  /** One entry of the runner; what it ends with goes into the report. */
  #registerTest(suite: string, title: string, run: () => void | Promise<void>): void {
    const key = testKey(suite, title);
    const reason = this.#subject.deviations?.[key];
    const shown = reason === undefined ? title : `${title} (deviates: ${reason})`;
    this.#runner.it(shown, async () => {
      const failure = await failureOf(run);
      if (reason === undefined) {
        this.#record(key, failure);
        if (failure !== null) throw failure;
      } else if (failure === null) {
        const unexpected = new Error(`passes, but is listed as a deviation: ${reason}`);
        this.#record(key, unexpected);
        throw unexpected;
      } else {
        this.#report.deviating.push({ key, reason, failure: failure.message });
      }
    });
  }

  #record(key: string, failure: Error | null): void {
    if (failure === null) this.#report.passed.push(key);
    else this.#report.failed.push({ key, failure: failure.message });
  }

  async #runTest(test: ConformanceTest): Promise<void> {
    const bench = this.#bench();
    try {
      await withWaitsOf(this.#subject.waitMsMax, async () => {
        const bystander = test.provokes && this.#claims('rc') ? new Bystander(bench) : null;
        await withReasonsRequired(this.#claims('vendorErrors'), async () => {
          await test.body(bench);
        });
        await bystander?.verify();
      });
    } finally {
      await bench.release();
    }
  }

  #bench(): Bench {
    if (this.#session === undefined) throw new Error('the subject did not open');
    return new Bench(this.#session, this.#seed, () => this.#subject.open());
  }
}

async function failureOf(run: () => void | Promise<void>): Promise<Error | null> {
  try {
    await run();
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error), { cause: error });
  }
}
