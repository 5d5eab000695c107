/** `npm run mutations`: breaks the device in many places, one at a time, and expects that the tests notice each. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import Table from 'cli-table3';
import { Command } from 'commander';
import { detect } from './detect.ts';
import { applyEdits, type Detector, formatDetector, type Mutation, readMutations, ROOT } from './mutation.ts';
import { processesOption } from './processes-option.ts';
import { Scratch } from './scratch.ts';
import { share } from './share.ts';
import { SourceCompiler } from './source-compiler.ts';

interface Options {
  readonly only?: readonly string[];
  readonly processes: number;
}

/** A line of the table. */
interface Line {
  readonly fault: string;
  readonly file: string;
  readonly caughtBy: string;
  readonly seconds: number;
  readonly isRight: boolean;
}

async function main({ only, processes }: Options): Promise<void> {
  const mutations = readMutations().filter(({ name }) => only === undefined || only.includes(name));
  const unknown = only?.find((name) => !mutations.some((mutation) => mutation.name === name));
  if (unknown !== undefined) throw new Error(`there is no mutation '${unknown}'`);
  const detectors = new Map(mutations.map(({ caughtBy }) => [formatDetector(caughtBy), caughtBy]));
  const compiler = new SourceCompiler();
  const controls = [...detectors.values()].map((detector) => (scratch: Scratch) => control(scratch, detector));
  const attempts = mutations.map((mutation) => (scratch: Scratch) => attempt(scratch, compiler, mutation));
  const lines = await runAll([...controls, ...attempts], processes);
  process.stdout.write(`${formatTable(lines.slice(controls.length))}\n`);
  const wrong = lines.filter(({ isRight }) => !isRight);
  for (const { fault, caughtBy } of wrong) process.stdout.write(`${fault}: ${caughtBy}\n`);
  const caught = lines.slice(controls.length).filter(({ isRight }) => isRight).length;
  process.stdout.write(`${caught} of ${mutations.length} mutations caught\n`);
  if (wrong.length > 0 || mutations.length === 0) process.exitCode = 1;
}

/** What is said to notice mutations is content with the device as it is. */
async function control(scratch: Scratch, detector: Detector): Promise<Line> {
  const startedMs = performance.now();
  const { result, what } = await detect(scratch.root, detector);
  return lineOf('no fault', formatDetector(detector), result === 'passed', what || result, startedMs);
}

async function attempt(scratch: Scratch, compiler: SourceCompiler, mutation: Mutation): Promise<Line> {
  const { name, file, caughtBy } = mutation;
  const startedMs = performance.now();
  try {
    const compiled = compiler.compile(file, applyEdits(mutation, readFileSync(path.join(ROOT, file), 'utf8')));
    const revert = scratch.replace(compiled.file, compiled.text);
    try {
      const { result, what } = await detect(scratch.root, caughtBy);
      const place = formatDetector(caughtBy);
      if (result === 'failed') return lineOf(name, file, true, `${place}: ${what}`, startedMs);
      return lineOf(name, file, false, result === 'passed' ? `SURVIVED ${place}` : `${place} ${what}`, startedMs);
    } finally {
      revert();
    }
  } catch (error) {
    return lineOf(name, file, false, error instanceof Error ? error.message : String(error), startedMs);
  }
}

function lineOf(fault: string, file: string, isRight: boolean, caughtBy: string, startedMs: number): Line {
  return { fault, file, caughtBy, seconds: (performance.now() - startedMs) / 1000, isRight };
}

/** Runs all, some at a time, each in a copy that is its own meanwhile. The answers are in the order of the tasks. */
async function runAll(tasks: readonly ((scratch: Scratch) => Promise<Line>)[], lanes: number): Promise<Line[]> {
  const lines: Line[] = [];
  const scratches = Array.from({ length: Math.min(lanes, tasks.length) }, () => new Scratch());
  try {
    await share(scratches, [...tasks.entries()], async (scratch, [index, task]) => {
      lines[index] = await task(scratch);
      tell(lines[index]);
    });
  } finally {
    for (const scratch of scratches) scratch.remove();
  }
  return lines;
}

/** So that whoever waits sees that it goes on. */
function tell({ fault, file, isRight, caughtBy, seconds }: Line): void {
  process.stderr.write(`${isRight ? 'ok' : 'WRONG'} ${fault} (${file}): ${caughtBy}, ${seconds.toFixed(1)} s\n`);
}

function formatTable(lines: readonly Line[]): string {
  const table = new Table({
    head: ['fault', 'file', 'caught by', 'seconds'],
    colAligns: ['left', 'left', 'left', 'right'],
    colWidths: [null, null, 90, null],
    wordWrap: true,
    style: { head: [], border: [], compact: true },
  });
  for (const { fault, file, caughtBy, seconds } of lines) {
    table.push([fault, path.posix.basename(file), caughtBy.replace('packages/hca/test/', ''), seconds.toFixed(1)]);
  }
  return table.toString();
}

await new Command('npm run mutations --')
  .description('Breaks the device in many places, one at a time and in a copy, and expects that the tests notice each.')
  .option('--only <name...>', 'these mutations')
  .addOption(processesOption())
  .action(main)
  .parseAsync();
