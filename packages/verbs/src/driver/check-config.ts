/** Checks of a provider's part of the configuration, for `parseConfig`. What they throw names the key and what would be right. */
import { inspect, type InspectOptions } from 'node:util';
import { VerbsError } from '../errors.ts';

/** How a wrong value is printed: on one line. */
const SHORT: InspectOptions = { depth: 1, compact: true, breakLength: Infinity, maxArrayLength: 4 };

/** An object with no other keys than these. */
export function checkRecord(where: string, value: unknown, keys: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badConfig(where, value, 'an object');
  const unknown = Object.keys(value).find((key) => !keys.includes(key));
  if (unknown !== undefined) {
    throw new VerbsError({
      code: 'EINVAL',
      message: `${where} has no key '${unknown}'`,
      hint: `its keys are ${keys.join(', ')}`,
      details: { key: unknown, valid: keys },
    });
  }
  return value as Record<string, unknown>;
}

/** An integer within bounds. */
export function checkConfigInteger(where: string, value: unknown, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw badConfig(where, value, `an integer from ${min} to ${max}`);
}

/** The error of a wrong value: what it is, and what would be right. */
export function badConfig(where: string, value: unknown, right: string): VerbsError {
  return new VerbsError({
    code: 'EINVAL',
    message: `${where} is ${inspect(value, SHORT)}`,
    hint: `it must be ${right}`,
  });
}
