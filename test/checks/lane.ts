/** One process of tests at a time: finds out what the tests reach, and whether they notice when a check is gone. */
import type { NumberedCheck } from './instrument.ts';
import type { Coverage } from './messages.ts';
import type { Plan } from './plan.ts';
import { describe, type Outcome, type TestRunner } from './test-runner.ts';

/** What became of a check that was removed. Who hangs or dies without it has noticed, too. */
export interface Verdict {
  readonly result: 'noticed' | 'unnoticed' | 'unreached';
  /** Which test noticed, and how. */
  readonly by: string;
  readonly hung: boolean;
}

/** What a lane needs of a process of tests. */
export type Runner = Pick<TestRunner, 'tests' | 'isFresh' | 'isWornOut' | 'cover' | 'run' | 'stop'>;

export class Lane {
  readonly #startRunner: () => Promise<Runner>;
  #runner: Runner | undefined;

  /** @param startRunner - starts a process of tests that are always the same ones */
  constructor(startRunner: () => Promise<Runner>) {
    this.#startRunner = startRunner;
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

  async #start(): Promise<Runner> {
    if (this.#runner?.isWornOut !== false) {
      this.#runner?.stop();
      this.#runner = await this.#startRunner();
    }
    return this.#runner;
  }

  async #testCalled(title: string): Promise<number> {
    return (await this.#start()).tests.findIndex((test) => test.title === title);
  }

  /**
   * Runs tests without a check. A failure may have another reason: what another check that was gone has left in the process, or chance. So it
   * counts when the test passes in the same process with all checks in their places, and fails again without this one; else what a new
   * process says.
   */
  async #try(id: number, tests: readonly number[], plan: Plan): Promise<Outcome> {
    const runner = await this.#start();
    const wasFresh = runner.isFresh;
    const outcome = await run(runner, id, tests, plan);
    if (outcome.result === 'passed') return outcome;
    if (outcome.result === 'failed') {
      const failed = testsCalled(runner, outcome.title, tests);
      const control = await run(runner, null, failed, plan);
      if (control.result === 'passed' && (await run(runner, id, failed, plan)).result !== 'passed') return outcome;
    }
    runner.stop();
    return wasFresh && outcome.result !== 'failed' ? outcome : this.#tryAnew(id, tests, outcome.title, plan);
  }

  async #tryAnew(id: number, tests: readonly number[], title: string, plan: Plan): Promise<Outcome> {
    const runner = await this.#start();
    const control = await run(runner, null, testsCalled(runner, title, tests), plan);
    if (control.result !== 'passed') throw new Error(`fails with all checks in their places: ${describe(control)}`);
    const outcome = await run(runner, id, tests, plan);
    if (outcome.result !== 'passed') runner.stop();
    return outcome;
  }
}

function run(runner: Runner, removed: number | null, tests: readonly number[], plan: Plan): Promise<Outcome> {
  return runner.run(removed, tests, (test) => plan.msOf(test));
}

/** Those of some tests with a title; all of them for a hook, which is none of the tests. */
function testsCalled(runner: Runner, title: string, tests: readonly number[]): readonly number[] {
  const called = tests.filter((test) => runner.tests[test].title === title);
  return called.length > 0 ? called : tests;
}
