/** `npm run checks`: removes every check of what guests can reach, one at a time, and expects that the tests notice each. */
import { Command } from 'commander';
import { processesOption } from '../mutations/processes-option.ts';
import { readChecks } from './areas.ts';
import type { Check } from './check.ts';
import { EQUIVALENT } from './equivalent-checks.ts';
import { matchEquivalent } from './match-equivalent.ts';
import { formatJson, formatProgress, formatSummary, formatWrong, isRight, summarize, type Trial } from './report.ts';
import { tryAll } from './try-all.ts';

interface Options {
  readonly only?: readonly string[];
  readonly all?: boolean;
  readonly json?: boolean;
  readonly processes: number;
}

async function main({ only, all, json, processes }: Options): Promise<void> {
  const checks = readChecks();
  const { equivalent, wrong } = matchEquivalent(checks, EQUIVALENT);
  const wanted = checks.filter((check) => only === undefined || only.some((name) => isWithin(check, name)));
  const unknown = only?.find((name) => !wanted.some((check) => isWithin(check, name)));
  if (unknown !== undefined) throw new Error(`there is no check in '${unknown}'`);
  const tried = wanted.filter((check) => all === true || !equivalent.has(check));
  const trials: Trial[] = [];
  await tryAll(checks, tried, processes, (check, verdict, seconds) => {
    const trial = { check, ...verdict, why: equivalent.get(check)?.why, seconds };
    trials.push(trial);
    process.stderr.write(formatProgress(trial, trials.length, tried.length));
    if (json === true) process.stdout.write(formatJson(trial));
  });
  const failed = trials.filter((trial) => !isRight(trial)).sort((a, b) => a.check.id - b.check.id);
  const summary = summarize(trials, wanted.length - tried.length);
  if (json === true) process.stdout.write(`${JSON.stringify({ ...summary, table: wrong })}\n`);
  else {
    if (failed.length > 0) process.stdout.write(`${formatWrong(failed)}\n`);
    for (const line of wrong) process.stdout.write(`the table of equivalent checks: ${line}\n`);
    process.stdout.write(formatSummary(summary));
  }
  if (failed.length > 0 || wrong.length > 0 || wanted.length === 0) process.exitCode = 1;
}

/** Whether a check is in a file or a folder, named by the end of its path, or by a part of it. */
function isWithin({ file }: Check, name: string): boolean {
  return `/${file}/`.includes(`/${name.replace(/\/$/, '')}/`);
}

await new Command('npm run checks --')
  .description(
    'Removes every check of what guests can reach, one at a time and in a copy, and expects that the tests notice each.',
  )
  .option('--only <file...>', 'the checks of these sources, or folders of sources')
  .option('--all', 'also those of which test/checks/equivalent-*.ts say that nothing can notice')
  .option('--json', 'a line of JSON for each, and one at the end')
  .addOption(processesOption())
  .action(main)
  .parseAsync();
