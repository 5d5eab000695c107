/** Runs seeds in several processes, and notices when one gets stuck. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { emptyTotals } from './totals.ts';
import type { Answer, Request } from './worker.ts';

const WORKER = fileURLToPath(new URL('./worker.js', import.meta.url));
/** No seed takes nearly as long, even with the time for making a failing program smaller; one that does is stuck. */
const SEED_MS_MAX = 150_000;

/** Runs all seeds by `processes` at a time; `onAnswer` is told of each, in the order in which they end, and says whether to go on. */
export async function runSeeds(
  seeds: readonly number[],
  processes: number,
  onAnswer: (answer: Answer) => boolean,
  minimizes = true,
): Promise<void> {
  const left = [...seeds];
  const lane = async (): Promise<void> => {
    let child: ChildProcess | null = null;
    for (let seed = left.shift(); seed !== undefined; seed = left.shift()) {
      child ??= start();
      const answer = await ask(child, { seed, minimizes });
      if (answer === null) {
        child.kill('SIGKILL');
        child = null;
      }
      if (!onAnswer(answer ?? stuck(seed))) left.length = 0;
    }
    child?.disconnect();
  };
  await Promise.all(Array.from({ length: Math.min(processes, seeds.length) }, lane));
}

function start(): ChildProcess {
  return fork(WORKER, [], { execArgv: ['--enable-source-maps'], stdio: ['ignore', 2, 2, 'ipc'] });
}

/** The answer of a process, or null when it has none. */
function ask(child: ChildProcess, request: Request): Promise<Answer | null> {
  return new Promise((resolve) => {
    const end = (answer: Answer | null): void => {
      clearTimeout(deadline);
      child.removeAllListeners();
      resolve(answer);
    };
    const deadline = setTimeout(() => end(null), SEED_MS_MAX);
    child.once('message', (message) => end(message as Answer));
    child.once('exit', () => end(null));
    child.once('error', () => end(null));
    child.send(request);
  });
}

function stuck(seed: number): Answer {
  const message = `the process that ran it died, or did not answer within ${SEED_MS_MAX / 1000} s`;
  return { seed, digest: '', totals: emptyTotals(), failure: { kind: 'stuck', message }, smaller: null };
}
