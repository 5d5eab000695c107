/** The list of deviations that `--deviations` names. */
import { readFileSync } from 'node:fs';
import { UsageError } from '../cli/usage-error.ts';

const SHAPE = 'it holds a JSON object: {"suite › test": "reason"}';

/** Reads the list. That its keys name tests, and that each of these fails, is checked by the suite. */
export function readDeviations(path: string): Readonly<Record<string, string>> {
  const text = readFileSync(path, 'utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`${path} is not JSON: ${(cause as SyntaxError).message}`, SHAPE);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UsageError(`${path} is no list of deviations`, SHAPE);
  }
  const deviations = value as Readonly<Record<string, string>>;
  for (const [key, reason] of Object.entries(deviations)) {
    if (typeof reason !== 'string' || reason.trim() === '')
      throw new UsageError(`${path}: "${key}" has no reason`, SHAPE);
  }
  return deviations;
}
