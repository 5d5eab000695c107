/** Finds out which checks each test of a suite reaches, and how long it takes. */
import type { Coverage, Failure } from './messages.ts';
import { takeReached } from './switch.ts';
import type { TestSuite } from './test-suite.ts';

const MS_DIGITS = 3;

/** What came of the tests of a suite. */
export interface Covered {
  readonly coverage: readonly Coverage[];
  readonly failure: Failure | null;
}

/**
 * Runs a suite by itself, so that what comes before its first test and after its last one is known to be of its hooks: whoever runs one of its
 * tests runs them, too.
 *
 * @param onTest - called before a test, and before the hooks that lead to it
 */
export async function cover(tests: TestSuite, suite: number, onTest: (test: number) => void): Promise<Covered> {
  const own = tests.numbersOf(suite);
  const reached = new Map(own.map((test) => [test, new Set<number>()]));
  const reachedByHooks = new Set<number>();
  const ms = new Map<number, number>();
  let runs = reachedByHooks;
  const note = (): void => {
    for (const id of takeReached()) runs.add(id);
  };
  takeReached();
  const begunMs = performance.now();
  let hooksMs: number | undefined;
  let startedMs = begunMs;
  const failure = await tests.run(own, false, {
    waited: onTest,
    started: (test) => {
      note();
      runs = reached.get(test)!;
      startedMs = performance.now();
      hooksMs ??= startedMs - begunMs;
    },
    ended: (test) => ms.set(test, (hooksMs ?? 0) + performance.now() - startedMs),
  });
  runs = reachedByHooks;
  note();
  const coverage = own.map((test) => ({
    test,
    ms: Number((ms.get(test) ?? 0).toFixed(MS_DIGITS)),
    reached: [...new Set([...reached.get(test)!, ...reachedByHooks])],
  }));
  return { coverage, failure };
}
