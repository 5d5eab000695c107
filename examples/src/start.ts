/**
 * What `npm start` runs: shows in a few seconds that RDMA works on this machine, whatever is built into it, and that the same programs
 * run in guests of the Xen split driver.
 */
import process from 'node:process';
import { VerbsError } from 'openverbs';
import { interruptible } from './rcopy/interruptible.ts';
import { createProgressBar } from './rcopy/progress-bar.ts';
import { findLargeFile, LARGE_BYTES_MIN } from './start/large-file.ts';
import { PATHS, type Path, type PathResult, describePaths, formatPaths, runPath } from './start/paths.ts';
import { formatBytes } from './text.ts';

const NEXT = `Try next
  npx ibv_devinfo -v                      what the device can do
  npx ibv_rc_pingpong --self --threads 2  a ping-pong, a thread for each end
  OPENVERBS_PROVIDER=xen:bypass npx ibv_rc_pingpong --self
                                          the same tools in a guest
  node examples/dist/src/rcopy.js FILE    copy a file of yours
  examples/src/first.ts                   the shortest program
  npm test                                everything that is promised, checked
`;

async function main(): Promise<void> {
  print(`Devices\n${describePaths()}\n\n`);
  const results = await interruptible(measureAll);
  print(`\nThe same programs on each path\n${formatPaths(results)}\n\n`);
  print(NEXT);
}

async function measureAll(signal: AbortSignal): Promise<Map<Path, PathResult>> {
  const { path: source, bytes } = findLargeFile();
  print(`Copy of ${source} by RDMA WRITE, then ping-pong by SEND, both ends on this thread\n`);
  if (bytes < LARGE_BYTES_MIN) {
    print(`  (${formatBytes(bytes)} are little to tell a rate by; Node brings no larger file on this machine)\n`);
  }
  const results = new Map<Path, PathResult>();
  for (const path of PATHS) {
    const result = await measure(path, source, signal);
    if (result !== undefined) results.set(path, result);
  }
  return results;
}

/** What came of a path; undefined when something failed there, which is said. The others have their turn all the same. */
async function measure(path: Path, source: string, signal: AbortSignal): Promise<PathResult | undefined> {
  const bar = createProgressBar();
  try {
    const result = await runPath(path, source, { ...bar, signal });
    bar.stop();
    const { bytes, writes, sha256 } = result.copy;
    print(`  ${path.padEnd(10)} ${formatBytes(bytes)}, ${writes} writes, sha256 match ${sha256}\n`);
    return result;
  } catch (error) {
    bar.stop();
    if (signal.aborted) throw error;
    fail(`${path}: `, error);
    return undefined;
  }
}

function fail(where: string, error: unknown): void {
  process.stderr.write(`npm start: ${where}${error instanceof Error ? error.message : String(error)}\n`);
  if (VerbsError.is(error) && error.hint) process.stderr.write(`hint: ${error.hint}\n`);
  process.exitCode = 1;
}

function print(text: string): void {
  process.stdout.write(text);
}

main().catch((error: unknown) => {
  fail('', error);
});
