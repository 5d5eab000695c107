/** The tests of a package, of which any may run any number of times in this process. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import Mocha from 'mocha';
import type { Failure, TestInfo } from './messages.ts';

/** As in `.mocharc.json`. */
const TEST_MS_MAX = 10_000;

/** What a caller hears of a run. */
export interface Listener {
  /** Before the hooks that lead to a test, and again before it. */
  waited?(test: number): void;
  /** Before a test, and what stands before each. */
  started?(test: number): void;
  /** After a test, and before what stands after each. */
  ended?(test: number): void;
}

export class TestSuite {
  readonly infos: readonly TestInfo[];
  readonly #mocha: Mocha;
  readonly #numbers = new Map<Mocha.Test, number>();
  /** What each suite has in it when nothing is left out. */
  readonly #whole = new Map<Mocha.Suite, Pick<Mocha.Suite, 'tests' | 'suites'>>();

  private constructor(mocha: Mocha) {
    this.#mocha = mocha;
    const tests: TestInfo[] = [];
    const walk = (suite: Mocha.Suite): void => {
      const number = this.#whole.size;
      this.#whole.set(suite, { tests: suite.tests, suites: suite.suites });
      for (const test of suite.tests) {
        this.#numbers.set(test, tests.length);
        tests.push({ title: test.fullTitle(), suite: number });
      }
      suite.suites.forEach(walk);
    };
    walk(mocha.suite);
    this.infos = tests;
  }

  /** Loads the tests of a package, compiled, with the hooks that `npm test` has. */
  static async load(root: string, packageName: string): Promise<TestSuite> {
    const hooks = pathToFileURL(path.join(root, 'scripts', 'mocha-root-hooks.mjs')).href;
    const { mochaHooks } = (await import(hooks)) as { mochaHooks: Mocha.RootHookObject };
    const options = { timeout: TEST_MS_MAX, checkLeaks: true, rootHooks: mochaHooks, reporter: Mocha.reporters.Base };
    const mocha = new Mocha(options).cleanReferencesAfterRun(false);
    const folder = path.join(root, 'packages', packageName, 'dist', 'test');
    const files = readdirSync(folder).filter((file) => file.endsWith('.test.js'));
    for (const file of files.sort()) mocha.addFile(path.join(folder, file));
    await mocha.loadFilesAsync();
    return new TestSuite(mocha);
  }

  /** Runs tests, in the order of the files; with `bail`, up to the first failure. The answer is the first failure. */
  run(numbers: readonly number[], bail: boolean, listener: Listener): Promise<Failure | null> {
    const wanted = new Set(numbers);
    this.#keep(this.#mocha.suite, (test) => wanted.has(this.#numbers.get(test)!), bail);
    return new Promise((resolve) => {
      let failure: Failure | null = null;
      const runner = this.#mocha.run(() => resolve(failure));
      runner.on('suite', (suite: Mocha.Suite) => {
        const first = this.#firstOf(suite);
        if (first !== undefined) listener.waited?.(first);
      });
      runner.on('test', (test: Mocha.Test) => {
        const number = this.#numbers.get(test)!;
        listener.waited?.(number);
        listener.started?.(number);
      });
      runner.on('test end', (test: Mocha.Test) => listener.ended?.(this.#numbers.get(test)!));
      runner.on('fail', (test: Mocha.Runnable, error: Error) => {
        failure ??= { title: test.fullTitle(), message: String(error?.message) };
      });
    });
  }

  /** Numbers of the tests of a suite. */
  numbersOf(suite: number): number[] {
    return [...this.infos.keys()].filter((test) => this.infos[test].suite === suite);
  }

  /** The first test of a suite, or of one in it, among those that are kept. */
  #firstOf(suite: Mocha.Suite): number | undefined {
    const [test] = suite.tests;
    if (test !== undefined) return this.#numbers.get(test);
    return suite.suites.map((child) => this.#firstOf(child)).find((first) => first !== undefined);
  }

  /** Leaves out of a suite all other tests, and suites that have none left, whose hooks would run. */
  #keep(suite: Mocha.Suite, isWanted: (test: Mocha.Test) => boolean, bail: boolean): boolean {
    const { tests, suites } = this.#whole.get(suite)!;
    suite.bail(bail);
    suite.tests = tests.filter(isWanted);
    suite.suites = suites.filter((child) => this.#keep(child, isWanted, bail));
    return suite.tests.length + suite.suites.length > 0;
  }
}
