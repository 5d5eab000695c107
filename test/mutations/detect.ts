/** Runs what should notice a mutation. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import type { Detector } from './mutation.ts';
import { compiledName } from './scratch.ts';

/** No test file and no run of seeds takes nearly as long. */
const DETECT_MS_MAX = 180_000;

/** `passed`, `failed` with the test or the seed that did; `broke` when it never came to that: it hung, died, or did not start. */
export interface Outcome {
  readonly result: 'passed' | 'failed' | 'broke';
  readonly what: string;
}

/** Runs tests or seeds in a copy of the repository, up to the first failure. */
export async function detect(root: string, detector: Detector): Promise<Outcome> {
  return detector.kind === 'test' ? runTests(root, detector.file) : runSeeds(root, detector.first, detector.last);
}

async function runTests(root: string, file: string): Promise<Outcome> {
  const mocha = path.join('node_modules', 'mocha', 'bin', 'mocha.js');
  const { end, output } = await run(root, [mocha, '--bail', '--reporter', 'tap', compiledName(file)]);
  const failed = /^not ok \d+ (.*)$/m.exec(output);
  if (failed !== null) return { result: 'failed', what: failed[1] };
  const isWhole = /^# fail 0$/m.test(output) && /^ok 1 /m.test(output);
  return isWhole ? { result: 'passed', what: '' } : { result: 'broke', what: end };
}

interface SeedReport {
  readonly programs: number;
  readonly failed: readonly { readonly seed: number }[];
}

async function runSeeds(root: string, first: number, last: number): Promise<Outcome> {
  const range = ['--first', String(first), '--seeds', String(last - first + 1)];
  const simulation = path.join('test', 'dist', 'simulation', 'main.js');
  const { end, output } = await run(root, [simulation, '--json', '--bail', '--processes', '1', ...range]);
  if (!output.startsWith('{')) return { result: 'broke', what: end };
  const { programs, failed } = JSON.parse(output) as SeedReport;
  if (failed.length > 0) return { result: 'failed', what: `seed ${failed[0].seed}` };
  return programs > 0 ? { result: 'passed', what: '' } : { result: 'broke', what: 'no seed ran' };
}

/** Runs Node. `end` says how it ended. */
function run(root: string, args: readonly string[]): Promise<{ end: string; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: DETECT_MS_MAX,
      killSignal: 'SIGKILL',
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.once('error', reject);
    child.once('close', (code, signal) => {
      const end =
        signal === 'SIGKILL' ? `did not end within ${DETECT_MS_MAX / 1000} s` : `ended with ${signal ?? code}`;
      resolve({ end, output });
    });
  });
}
