/** Checks of arguments. Each error names what was given, where, and the limit. */
import { flagNames } from './enums/name-of.ts';
import { invalid } from './errors.ts';

/** The largest unsigned 32-bit number. */
export const U32_MAX = 0xffffffff;

/** Refuses what is not an integer of `min` to `max`. */
export function checkInteger(verb: string, what: string, value: unknown, min: number, max: number, limit = ''): void {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return;
  const why = limit === '' ? '' : ` (${limit})`;
  const details = { what, value: plain(value), min, max };
  if (typeof value !== 'number')
    throw invalid(verb, `${what} is ${show(value)}, not a number of ${min} to ${max}${why}`, '', details);
  if (!Number.isInteger(value))
    throw invalid(verb, `${what} is ${value}, not a whole number of ${min} to ${max}${why}`, '', details);
  throw invalid(verb, `${what} is ${value}; the limit is ${min} to ${max}${why}`, '', details);
}

/** Refuses what is not an unsigned 32-bit number. Small, so that it is inlined where literals are posted. */
export function checkU32(verb: string, what: string, value: number): void {
  if (typeof value !== 'number' || value >>> 0 !== value) checkInteger(verb, what, value, 0, U32_MAX);
}

/** Refuses what is not an integer of 0 to 2^53 - 1. */
export function checkU53(verb: string, what: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) checkInteger(verb, what, value, 0, Number.MAX_SAFE_INTEGER);
}

/** Refuses bits that have no name in `bits`. */
export function checkFlags(
  verb: string,
  what: string,
  value: unknown,
  bits: Readonly<Record<string, number>>,
  known: number,
): void {
  const hint = `known bits are ${flagNames(bits, known)}`;
  if (typeof value !== 'number')
    throw invalid(verb, `${what} is ${show(value)}, not a number of bits`, hint, { what, value: plain(value) });
  checkInteger(verb, what, value, 0, U32_MAX);
  const unknown = (value & ~known) >>> 0;
  if (unknown === 0) return;
  const message = `${what} has bits that mean nothing: 0x${unknown.toString(16)}`;
  throw invalid(verb, message, hint, { what, value, unknown });
}

/** Refuses what is not a value of an enum. */
export function checkOneOf(verb: string, what: string, value: unknown, values: Readonly<Record<string, number>>): void {
  if (Object.values(values).includes(value as number)) return;
  const names = Object.keys(values).join(', ');
  const hint = typeof value === 'number' ? `one of ${names}` : `it is a number, the value of one of ${names}`;
  throw invalid(verb, `${what} is ${show(value)}, which is none`, hint, { what, value: plain(value) });
}

/** Refuses what is not an object of `type`; one of another class may have just the fields that are looked at later. */
export function checkInstance<T>(
  verb: string,
  what: string,
  value: unknown,
  type: abstract new (...args: never[]) => T,
): asserts value is T {
  if (!(value instanceof type))
    throw invalid(verb, `${what} is ${show(value)}, not ${article(type.name)}`, '', { what, value: plain(value) });
}

/** A value as an error message shows it. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'object' && value !== null) return `an object (${value.constructor?.name ?? 'no class'})`;
  return typeof value === 'function' ? 'a function' : String(value);
}

/** A value as `details` hold it: what can be printed, copied and written as JSON, and keeps no object alive. */
function plain(value: unknown): unknown {
  return typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean' || value == null
    ? value
    : show(value);
}

/** A noun with its article. */
export function article(noun: string): string {
  return `${/^[AEIO]/i.test(noun) ? 'an' : 'a'} ${noun}`;
}

/** A key or an address, as people read them. */
export function hex(value: number): string {
  return `0x${(value < 0 ? value >>> 0 : value).toString(16)}`;
}
