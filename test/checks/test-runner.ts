/** A process of tests, seen from the driver: it may hang, and it may die. */
import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import type { Answer, Coverage, Failure, Request, TestInfo } from './messages.ts';

/** For all modules and tests to be loaded. */
const START_MS_MAX = 60_000;
/** Without a word of the next test, while nothing is known of how long they take. */
const COVER_SILENT_MS_MAX = 30_000;
const COVER_TRIES_MAX = 3;
/** Without a word of the next test: what each may take, and how many times what it took before. */
const SILENT_MS_MAX = 6000;
const SLOWER_MAX = 5;
/** How long a test may wait for what a failure has left behind to go away. */
const GRACE_MS_MAX = 1000;
/** What is kept of what it says on the way. */
const SAID_LENGTH_MAX = 2000;
/** Failed tests leave memory behind. */
const RSS_BYTES_MAX = 1.5 * 2 ** 30;

/** How tests ended; `title` is the test that failed, or ran when the process hung or died. */
export type Outcome =
  | { readonly result: 'passed' }
  | { readonly result: 'failed' | 'hung' | 'died'; readonly title: string; readonly message: string };

/** Anything but an answer. */
type End = { readonly kind: 'hung' } | { readonly kind: 'died'; readonly how: string };

export class TestRunner {
  readonly tests: readonly TestInfo[];
  /** Whether the tests that it ran had all checks in their places. */
  isFresh = true;
  /** Whether there should be a new one for what comes next. */
  isWornOut = false;
  readonly #child: ChildProcess;
  #hear: (answer: Answer | End) => void = () => {};
  /** What ran last. */
  #title = '';

  private constructor(child: ChildProcess, tests: readonly TestInfo[]) {
    this.#child = child;
    this.tests = tests;
    child.on('message', (answer: Answer) => this.#hear(answer));
    child.once('exit', (code, signal) => {
      this.isWornOut = true;
      this.#hear({ kind: 'died', how: `ended with ${signal ?? code}` });
    });
  }

  /** Starts the tests of a package in a copy of the repository. */
  static start(root: string, packageName: string): Promise<TestRunner> {
    const program = path.join(root, 'test', 'dist', 'checks', 'test-process.js');
    const env = { ...process.env, OPENVERBS_TEST_GRACE_MS_MAX: String(GRACE_MS_MAX) };
    const child = fork(program, [packageName], { cwd: root, env, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    let said = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-SAID_LENGTH_MAX)));
    return new Promise((resolve, reject) => {
      const fail = (how: string): void => reject(new Error(`the tests of ${packageName} do not start: ${how}`));
      const timer = setTimeout(() => child.kill('SIGKILL'), START_MS_MAX);
      const onExit = (code: number | null, signal: string | null): void =>
        fail(`ended with ${signal ?? code}\n${said}`);
      child.once('error', (error) => fail(error.message));
      child.once('exit', onExit);
      child.once('message', (answer: Answer) => {
        clearTimeout(timer);
        child.off('exit', onExit);
        if (answer.kind === 'ready') resolve(new TestRunner(child, answer.tests));
      });
    });
  }

  /**
   * Runs the tests of a suite and looks which checks they reach. Again when one fails: some give up when a busy machine is slow.
   *
   * @throws Error when one fails
   */
  async cover(suite: number): Promise<readonly Coverage[]> {
    let answer: Answer | End = await this.#ask({ kind: 'cover', suite }, () => COVER_SILENT_MS_MAX);
    for (let tries = 1; tries < COVER_TRIES_MAX && answer.kind === 'covered' && answer.failure !== null; tries++) {
      answer = await this.#ask({ kind: 'cover', suite }, () => COVER_SILENT_MS_MAX);
    }
    if (answer.kind === 'covered' && answer.failure === null) return answer.coverage;
    throw new Error(`with all checks in their places: ${describe(this.#outcomeOf(answer))}`);
  }

  /** Runs tests, up to the first failure, without a check, or with all of them. `msOf` is what each took before. */
  async run(removed: number | null, tests: readonly number[], msOf: (test: number) => number): Promise<Outcome> {
    if (removed !== null) this.isFresh = false;
    const silentMsMax = (test?: number): number => SILENT_MS_MAX + SLOWER_MAX * (test === undefined ? 0 : msOf(test));
    const answer = await this.#ask({ kind: 'run', removed, tests }, silentMsMax);
    if (answer.kind === 'ran' && answer.rssBytes > RSS_BYTES_MAX) this.isWornOut = true;
    return this.#outcomeOf(answer);
  }

  stop(): void {
    this.isWornOut = true;
    this.#child.kill('SIGKILL');
  }

  #ask(request: Request, silentMsMax: (test?: number) => number): Promise<Answer | End> {
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout;
      const end = (answer: Answer | End): void => {
        clearTimeout(timer);
        this.#hear = () => {};
        if (answer.kind === 'hung') this.stop();
        resolve(answer);
      };
      const wait = (test?: number): void => {
        clearTimeout(timer);
        timer = setTimeout(() => end({ kind: 'hung' }), silentMsMax(test));
      };
      this.#hear = (answer) => {
        if (answer.kind !== 'started') return end(answer);
        this.#title = this.tests[answer.test].title;
        wait(answer.test);
      };
      wait();
      if (this.#child.connected) this.#child.send(request);
      else end({ kind: 'died', how: 'ended before' });
    });
  }

  #outcomeOf(answer: Answer | End): Outcome {
    if (answer.kind === 'hung') return { result: 'hung', title: this.#title, message: 'did not end' };
    if (answer.kind === 'died') return { result: 'died', title: this.#title, message: `the process ${answer.how}` };
    const failure: Failure | null = 'failure' in answer ? answer.failure : null;
    return failure === null ? { result: 'passed' } : { result: 'failed', ...failure };
  }
}

/** `the scheduler keeps a guest to 30 MB/s: expected 31 to be below 30`, in one line. */
export function describe(outcome: Outcome): string {
  return outcome.result === 'passed' ? '' : `${outcome.title}: ${outcome.message.split('\n', 1)[0]}`;
}
