/** The option of `npm run mutations` and `npm run checks` that says how much goes on at once. */
import { availableParallelism } from 'node:os';
import { InvalidArgumentError, Option } from 'commander';

const PROCESSES_DEFAULT_MAX = 2;

export function processesOption(): Option {
  return new Option('--processes <n>', 'how many at a time')
    .argParser(positive)
    .default(Math.min(PROCESSES_DEFAULT_MAX, availableParallelism()));
}

function positive(value: string): number {
  const number = Number(value);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new InvalidArgumentError('It has to be a whole number above 0.');
}
