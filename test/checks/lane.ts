/** One process of tests at a time: finds out what the tests reach, and whether they notice when a check is gone. */
import type { NumberedCheck } from './instrument.ts';
import type { Coverage } from './messages.ts';
import type { Plan } from './plan.ts';
import { describe, type Outcome, TestRunner } from './test-runner.ts';

/** What became of a check that was removed. Who hangs or dies without it has noticed, too. */
export interface Verdict {
  readonly result: 'noticed' | 'unnoticed' | 'unreached';
  /** Which test noticed, and how. */
  readonly by: string;
  readonly hung: boolean;
}

export class Lane {
  readonly #root: string;
  readonly #packageName: string;
  #runner: TestRunner | undefined;

  /** Over a copy of the repository, for the tests of a package. */
  constructor(root: string, packageName: string) {
    this.#root = root;
    this.#packageName = packageName;
  }

  /** Numbers of the suites that have tests. */
  async suites(): Promise<number[]> {
    const { tests } = await this.#start();
    return [...new Set(tests.map(({ suite }) => suite))];
  }

  async cover(suite: number): Promise<readonly Coverage[]> {
    return (await this.#start()).cover(suite);
  }

  async judge(check: NumberedCheck, plan: Plan): Promise<Verdict> {
    const stages = plan.stagesOf(check.id, check.file);
    if (stages.length === 0) return { result: 'unreached', by: '', hung: false };
    for (const stage of stages) {
      const outcome = await this.#try(check.id, stage, plan);
      if (outcome.result === 'passed') continue;
      const test = await this.#testCalled(outcome.title);
      if (test >= 0) plan.noticed(check.file, test);
      return { result: 'noticed', by: describe(outcome), hung: outcome.result === 'hung' };
    }
    return { result: 'unnoticed', by: '', hung: false };
  }

  stop(): void {
    this.#runner?.stop();
  }

  async #start(): Promise<TestRunner> {
    if (this.#runner?.isUsable !== true) this.#runner = await TestRunner.start(this.#root, this.#packageName);
    return this.#runner;
  }

  async #testCalled(title: string): Promise<number> {
    return (await this.#start()).tests.findIndex((test) => test.title === title);
  }

  /**
   * Runs tests without a check. A check that was gone before may have left its mark on the process, so a failure counts when the test passes
   * in the same process with all checks in their places, or fails in a new one.
   */
  async #try(id: number, tests: readonly number[], plan: Plan): Promise<Outcome> {
    const runner = await this.#start();
    const wasFresh = runner.isFresh;
    const outcome = await runner.run(id, tests, (test) => plan.msOf(test));
    if (outcome.result === 'passed') return outcome;
    if (outcome.result === 'failed' && (await this.#passes(runner, outcome.title, tests, plan))) return outcome;
    runner.stop();
    return wasFresh ? outcome : this.#tryAnew(id, tests, outcome.title, plan);
  }

  async #tryAnew(id: number, tests: readonly number[], title: string, plan: Plan): Promise<Outcome> {
    const runner = await this.#start();
    if (!(await this.#passes(runner, title, tests, plan))) {
      throw new Error(`${title}: fails by itself, so nobody knows what it notices`);
    }
    const outcome = await runner.run(id, tests, (test) => plan.msOf(test));
    if (outcome.result !== 'passed') runner.stop();
    return outcome;
  }

  /** Whether a test passes with all checks in their places; all of them for a hook, which is none of the tests. */
  async #passes(runner: TestRunner, title: string, tests: readonly number[], plan: Plan): Promise<boolean> {
    const failed = tests.filter((test) => runner.tests[test].title === title);
    const { result } = await runner.run(null, failed.length > 0 ? failed : tests, (test) => plan.msOf(test));
    return result === 'passed';
  }
}
