/** `npm run bench`: measures, and prints tables or JSON lines. docs/benchmarks.md says how to read them. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { bandwidth } from './bandwidth/benchmark.ts';
import type { Benchmark, BenchOptions, ResultLine } from './benchmark.ts';
import { loss } from './loss/benchmark.ts';
import { postPoll } from './post-poll/benchmark.ts';
import { registration } from './registration/benchmark.ts';
import { pool } from './samples.ts';
import type { Samples } from './samples.ts';
import { scale } from './scale/benchmark.ts';
import { splitDriver } from './split-driver/benchmark.ts';
import { start } from './start.ts';
import { describeRun, formatTable } from './table.ts';
import { writePingpong } from './write-pingpong/benchmark.ts';

const BENCHMARKS: readonly Benchmark[] = [writePingpong, postPoll, bandwidth, scale, registration, loss, splitDriver];

/** Enough for quartiles that say something: 5 process starts of 11 pairs. */
const DEFAULTS: BenchOptions = { starts: 5, pairs: 11, blockMs: 50, quick: false };
const QUICK: BenchOptions = { starts: 1, pairs: 1, blockMs: 1, quick: true };

interface CommandOptions extends Partial<BenchOptions> {
  readonly only?: readonly string[];
  readonly json?: boolean;
}

/** Measures all cases, each in all starts before the next. A case is a few seconds long, so its starts see one weather. */
async function run(benchmark: Benchmark, options: BenchOptions): Promise<ResultLine[]> {
  const lines: ResultLine[] = [];
  for (const bench of benchmark.cases(options)) {
    const starts: Samples[] = [];
    const count = Math.min(bench.starts ?? Infinity, options.starts);
    while (starts.length < count) {
      progress(`${benchmark.name} ${JSON.stringify(bench.fields)}, start ${starts.length + 1} of ${count}`);
      starts.push(await start(benchmark.name, bench, options));
    }
    lines.push(...benchmark.lines(bench, pool(starts)));
  }
  progress('');
  return lines;
}

/** One line that is written over and over, for a person who waits. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

async function main(commandOptions: CommandOptions): Promise<void> {
  const { only, json, ...measuring } = commandOptions;
  const options: BenchOptions = { ...(measuring.quick ? QUICK : DEFAULTS), ...measuring };
  if (!json) process.stdout.write(`${describeRun(options)}\n`);
  for (const benchmark of BENCHMARKS) {
    if (only !== undefined && !only.includes(benchmark.name)) continue;
    const lines = await run(benchmark, options);
    const text = json
      ? lines.map((line) => `${JSON.stringify(line)}\n`).join('')
      : `${formatTable(benchmark, lines)}\n`;
    process.stdout.write(text);
  }
}

function positive(value: string): number {
  const number = Number(value);
  if (Number.isInteger(number) && number > 0) return number;
  throw new InvalidArgumentError('It has to be a positive integer.');
}

const names = BENCHMARKS.map(({ name }) => name);
const summaries = BENCHMARKS.map(({ name, title }) => `  ${name.padEnd(16)} ${title}`);
await new Command('npm run bench --')
  .description('Measures OpenVerbs and compares it with the floor: the least that the same work costs in JavaScript.')
  .addOption(new Option('--only <name...>', 'these benchmarks').choices(names))
  .option('--json', 'print nothing but one JSON object a line for each result')
  .option('--starts <n>', `processes that measure each case (default: ${DEFAULTS.starts})`, positive)
  .option('--pairs <n>', `pairs of blocks in each process (default: ${DEFAULTS.pairs})`, positive)
  .option('--block-ms <ms>', `shortest block (default: ${DEFAULTS.blockMs})`, positive)
  .option('--quick', 'a smoke run of few cases; its figures mean nothing')
  .addHelpText('after', `\nBenchmarks:\n${summaries.join('\n')}\n\nHow to read the figures: docs/benchmarks.md`)
  .action(main)
  .parseAsync()
  .catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
