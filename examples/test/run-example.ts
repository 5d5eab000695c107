/** Runs an example as a user does, in a process of its own. */
import { spawn, type ChildProcessWithoutNullStreams, type SpawnOptionsWithoutStdio } from 'node:child_process';
import process from 'node:process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/** Several programs start threads that wait for each other, on machines that may have few cores and other things to do. */
export const TIMEOUT_MS = 90_000;

/** What a user would see. */
export interface ExampleRun {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `name`, for example `'rcopy'`, with these arguments, and these variables beside those that there are. */
export async function runExample(
  name: string,
  args: readonly string[] = [],
  cwd?: string,
  env: NodeJS.ProcessEnv = {},
): Promise<ExampleRun> {
  const child = spawnExample(name, args, { cwd, env: { ...process.env, ...env } });
  const [out, err, exit] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { status: (exit as [number])[0], out, err };
}

/**
 * Runs several examples at once, before the tests of this block: each is busy with its start for most of the time. The test that
 * waits for one says how it failed.
 */
export function atOnce(start: () => Promise<ExampleRun>[]): (index: number) => Promise<ExampleRun> {
  let runs: Promise<ExampleRun>[] = [];
  before(() => {
    runs = start();
    for (const run of runs) run.catch(() => undefined);
  });
  after(() => Promise.allSettled(runs));
  return (index) => runs[index];
}

/** Starts `name`, for a test that does more than wait for its end. */
export function spawnExample(
  name: string,
  args: readonly string[],
  options: SpawnOptionsWithoutStdio,
): ChildProcessWithoutNullStreams {
  const program = fileURLToPath(new URL(`../src/${name}.js`, import.meta.url));
  return spawn(process.execPath, [program, ...args], options);
}
