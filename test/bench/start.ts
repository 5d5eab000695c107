/** Starts a process that measures one case. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { BenchCase, BenchOptions } from './benchmark.ts';
import type { Samples } from './samples.ts';

const MEASURE = fileURLToPath(new URL('./measure.js', import.meta.url));
/** No case takes nearly as long; one that does is stuck. */
const DEADLINE_MS = 300_000;

/** What the measuring process is told, as JSON in its first argument. */
export interface MeasureRequest {
  readonly name: string;
  readonly bench: BenchCase;
  readonly options: BenchOptions;
}

/** Measures a case in a new process. */
export function start(name: string, bench: BenchCase, options: BenchOptions): Promise<Samples> {
  const request: MeasureRequest = { name, bench, options };
  const what = `${name} ${JSON.stringify(bench.fields)}`;
  return new Promise((resolve, reject) => {
    let samples: Samples | undefined;
    const child = fork(MEASURE, [JSON.stringify(request)], {
      execArgv: ['--enable-source-maps', ...(bench.execArgv ?? [])],
      // Standard output is for results; a complaint of the child goes where ours go.
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    const deadline = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${what} did not end within ${DEADLINE_MS / 1000} s`));
    }, DEADLINE_MS);
    child.once('message', (message) => {
      samples = message as Samples;
    });
    child.once('error', (error) => {
      clearTimeout(deadline);
      reject(error);
    });
    child.once('exit', (code, signal) => {
      clearTimeout(deadline);
      if (code === 0 && samples !== undefined) resolve(samples);
      else reject(new Error(`${what} ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}
