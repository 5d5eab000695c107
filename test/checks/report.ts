/** What is printed of a run. */
import Table from 'cli-table3';
import { describeCheck } from './check.ts';
import type { NumberedCheck } from './instrument.ts';
import type { Verdict } from './lane.ts';

const SOURCE_COLUMNS = 100;

/** A check that was removed. */
export interface Trial extends Verdict {
  readonly check: NumberedCheck;
  /** Why it cannot be noticed, if the table says so. */
  readonly why: string | undefined;
  readonly seconds: number;
}

/** Whether a check is what it should be: noticed, or equivalent and not. */
export function isRight({ result, why }: Trial): boolean {
  return (result === 'noticed') === (why === undefined);
}

/** So that whoever waits sees that it goes on. */
export function formatProgress(trial: Trial, done: number, all: number): string {
  const { check, result, by, seconds } = trial;
  const said = isRight(trial)
    ? result
    : result === 'noticed'
      ? 'NOTICED, although it is equivalent'
      : result.toUpperCase();
  return `${done}/${all} ${describeCheck(check)}: ${said}${by && `, ${by}`}, ${seconds.toFixed(1)} s\n`;
}

/** A line for machines. */
export function formatJson({ check, result, by, hung, why, seconds }: Trial): string {
  const { file, line, fn, kind, text, whole } = check;
  return `${JSON.stringify({ file, line, fn, kind, text, whole, result, by, hung, why, seconds })}\n`;
}

/** A table of the checks that are not what they should be. */
export function formatWrong(trials: readonly Trial[]): string {
  const table = new Table({
    head: ['place', 'check', 'without it'],
    colWidths: [null, SOURCE_COLUMNS, null],
    wordWrap: true,
    style: { head: [], border: [], compact: true },
  });
  for (const { check, result, by } of trials) {
    const { file, line, fn, text, whole } = check;
    const without = result === 'noticed' ? `equivalent, and noticed: ${by}` : result;
    table.push([
      `${file.replace('packages/', '')}:${line}\n${fn}`,
      text === whole ? text : `${text}\nin ${whole}`,
      without,
    ]);
  }
  return table.toString();
}

/** What came of all. */
export interface Summary {
  readonly checks: number;
  readonly noticed: number;
  /** Of those that were noticed, where a test did not end. */
  readonly hung: number;
  /** Those that the table says to be, and no test has noticed. */
  readonly equivalent: number;
  /** Neither noticed nor equivalent, or both. */
  readonly left: number;
}

/** @param skipped - how many that are equivalent were not tried */
export function summarize(trials: readonly Trial[], skipped: number): Summary {
  const count = (isMeant: (trial: Trial) => boolean): number => trials.filter(isMeant).length;
  return {
    checks: trials.length + skipped,
    noticed: count((trial) => isRight(trial) && trial.result === 'noticed'),
    hung: count((trial) => isRight(trial) && trial.hung),
    equivalent: skipped + count((trial) => isRight(trial) && trial.result !== 'noticed'),
    left: count((trial) => !isRight(trial)),
  };
}

export function formatSummary({ checks, noticed, hung, equivalent, left }: Summary): string {
  const noticing = `${noticed} noticed, ${hung} of them by a test that hung`;
  return `${checks} checks: ${noticing}; ${equivalent} equivalent; ${left} neither, or both\n`;
}
