/** `npm run simulate`: random programs on random networks, against the model. */
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { PROGRAMS_COVERING, undriven } from './claims.ts';
import { generate } from './generate.ts';
import { runSeeds } from './pool.ts';
import { regressionTest, reportFailure, reportTotals } from './report.ts';
import { addTotals, emptyTotals } from './totals.ts';
import type { Answer } from './worker.ts';

const SEEDS_DEFAULT = 200;
const REGRESSIONS = path.join(import.meta.dirname, '..', '..', 'simulation', 'regressions');

interface Options {
  readonly seeds: number;
  readonly first: number;
  readonly seed?: number;
  readonly processes: number;
  readonly verbose?: boolean;
  readonly json?: boolean;
  readonly regression?: boolean;
  readonly bail?: boolean;
}

async function main(options: Options): Promise<void> {
  const { seed, seeds, first, processes, json, bail } = options;
  const list = seed === undefined ? Array.from({ length: seeds }, (_, n) => first + n) : [seed];
  const totals = emptyTotals();
  const failures: Answer[] = [];
  let done = 0;
  const onAnswer = (answer: Answer): boolean => {
    addTotals(totals, answer.totals);
    if (answer.failure !== null) failures.push(answer);
    progress(++done === list.length ? '' : `${done} of ${list.length} seeds, ${failures.length} failed`);
    tell(answer, options);
    return bail !== true || failures.length === 0;
  };
  await runSeeds(list, processes, onAnswer, bail !== true);
  if (json === true) {
    const failed = failures.map(({ seed: number, failure, smaller }) => ({ seed: number, failure, smaller }));
    process.stdout.write(`${JSON.stringify({ ...totals, failed })}\n`);
  } else {
    process.stdout.write(`${reportTotals(totals)}\n`);
    process.stdout.write(`${done - failures.length} seeds passed, ${failures.length} failed\n`);
  }
  const missing = done >= PROGRAMS_COVERING ? undriven(totals) : [];
  if (missing.length > 0) process.stderr.write(`claimed, and done by none of the programs: ${missing.join(', ')}\n`);
  if (failures.length > 0 || missing.length > 0) process.exitCode = 1;
}

/** What is said of one seed as soon as it is over. */
function tell(answer: Answer, { verbose, json, regression }: Options): void {
  const { seed, failure, digest } = answer;
  if (verbose === true && json !== true) {
    const { connections, steps, devices, packets, weather } = generate(seed);
    const link = packets ? `packets, ${JSON.stringify(weather)}` : 'messages';
    const what = `${devices} devices, ${connections.length} connections, ${steps.length} steps, ${link}`;
    process.stdout.write(`seed ${seed}: ${what}, digest ${digest.slice(0, 16)}\n`);
  }
  if (failure === null) return;
  if (json !== true) process.stdout.write(`${reportFailure(answer)}\n`);
  if (regression === true) writeFileSync(path.join(REGRESSIONS, `seed-${seed}.test.ts`), regressionTest(answer));
}

/** One line that is written over and over, for a person who waits. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

function integer(value: string): number {
  const number = Number(value);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new InvalidArgumentError('It has to be a whole number.');
}

await new Command('npm run simulate --')
  .description('Runs random programs on random networks, and compares what they do with a model of the verbs.')
  .option('--seeds <n>', 'how many programs', integer, SEEDS_DEFAULT)
  .option('--first <n>', 'the first seed', integer, 1)
  .option('--seed <n>', 'this one alone', integer)
  .option('--processes <n>', 'how many at a time', integer, Math.min(2, availableParallelism()))
  .option('--verbose', 'a line for each program')
  .option('--json', 'print nothing but one JSON object')
  .option('--bail', 'stop at the first that fails, and leave its program as it is')
  .option('--regression', 'write a regression test for each seed that fails')
  .action(main)
  .parseAsync();
