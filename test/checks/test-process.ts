/** A process of tests: runs them, with the checks of the sources in their places or one of them removed, as it is told. */
import type { Answer, Coverage, Failure, Request } from './messages.ts';
import { removeCheck, restoreCheck, takeReached } from './switch.ts';
import { TestSuite } from './test-suite.ts';

const MS_DIGITS = 3;

const suite = await TestSuite.load(process.cwd(), process.argv[2]);
// What a test that fails leaves undone is no failure of the next one.
process.on('unhandledRejection', () => {});
process.on('message', (request: Request) => void answer(request));
tell({ kind: 'ready', tests: suite.tests });

async function answer(request: Request): Promise<void> {
  if (request.kind === 'cover') tell(await cover(request.suite));
  else {
    const failure = await runWithout(request.removed, request.tests);
    tell({ kind: 'ran', failure, rssBytes: process.memoryUsage.rss() });
  }
}

async function runWithout(removed: number | null, tests: readonly number[]): Promise<Failure | null> {
  if (removed !== null) removeCheck(removed);
  try {
    return await suite.run(tests, true, { started: (test) => tell({ kind: 'started', test }) });
  } finally {
    restoreCheck();
  }
}

/** A suite is run by itself, so that what its hooks reach is known to be theirs: it counts for each of its tests. */
async function cover(number: number): Promise<Answer> {
  const reached = new Map<number, Set<number>>();
  const reachedByHooks = new Set<number>();
  const ms = new Map<number, number>();
  let running: Set<number> | undefined;
  let startedMs = 0;
  const note = (): void => {
    for (const id of takeReached()) (running ?? reachedByHooks).add(id);
  };
  takeReached();
  const tests = [...suite.tests.keys()].filter((test) => suite.tests[test].suite === number);
  const failure = await suite.run(tests, false, {
    started: (test) => {
      note();
      reached.set(test, (running = new Set()));
      startedMs = performance.now();
      tell({ kind: 'started', test });
    },
    ended: (test) => ms.set(test, performance.now() - startedMs),
  });
  // What comes after the last test may be a hook of all.
  for (const id of takeReached()) reachedByHooks.add(id);
  const coverage: Coverage[] = [...reached].map(([test, own]) => ({
    test,
    ms: Number((ms.get(test) ?? 0).toFixed(MS_DIGITS)),
    reached: [...new Set([...own, ...reachedByHooks])],
  }));
  return { kind: 'covered', coverage, failure };
}

function tell(message: Answer): void {
  process.send!(message);
}
