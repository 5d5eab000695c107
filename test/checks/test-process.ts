/** A process of tests: runs them, with the checks of the sources in their places or one of them removed, as it is told. */
import { cover } from './cover.ts';
import type { Answer, Request } from './messages.ts';
import { removeCheck, restoreCheck } from './switch.ts';
import { TestSuite } from './test-suite.ts';

const tests = await TestSuite.load(process.cwd(), process.argv[2]);
// No failure, as in mocha's own command, also between two runs.
process.on('unhandledRejection', () => {});
process.on('disconnect', () => process.exit());
process.on('message', (request: Request) => {
  answer(request).then(tell, (error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});
tell({ kind: 'ready', tests: tests.infos });

async function answer(request: Request): Promise<Answer> {
  const onTest = (test: number): void => tell({ kind: 'started', test });
  if (request.kind === 'cover') return { kind: 'covered', ...(await cover(tests, request.suite, onTest)) };
  if (request.removed !== null) removeCheck(request.removed);
  try {
    const failure = await tests.run(request.tests, true, { waited: onTest });
    return { kind: 'ran', failure, rssBytes: process.memoryUsage.rss() };
  } finally {
    restoreCheck();
  }
}

function tell(message: Answer): void {
  process.send!(message);
}
