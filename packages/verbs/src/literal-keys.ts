/** Literals of options and attributes: objects with no other keys than theirs, so that a misspelt one is not just left out. */
import { show } from './check.ts';
import { invalid, type VerbsError } from './errors.ts';

/** The keys that a literal may have, for a fast look. */
export type LiteralKeys = Readonly<Record<string, true | undefined>>;

/** The keys of `T`. The compiler holds the list against the type. */
export function literalKeys<T>(keys: Readonly<Record<keyof T, true>>): LiteralKeys {
  return Object.assign(Object.create(null) as Record<string, true>, keys);
}

/** Refuses what is no object, and keys that are not among `keys`. One that is undefined counts as left out. */
export function checkLiteral(verb: string, what: string, value: unknown, keys: LiteralKeys): void {
  // The hint is made for those who read it: every post of a plain object comes here.
  if (!isObject(value)) throw noObject(verb, what, value, `its keys are ${Object.keys(keys).join(', ')}`);
  const literal = value as Readonly<Record<string, unknown>>;
  for (const key in literal) {
    if (keys[key] !== undefined || literal[key] === undefined) continue;
    // What is inherited is of the object's class, such as that of an AbortController, which has a signal.
    if (Object.hasOwn(literal, key)) throw unknownKey(verb, what, key, Object.keys(keys));
  }
}

/** Refuses what is no object. */
export function checkObject(verb: string, what: string, value: unknown, hint: string): void {
  if (!isObject(value)) throw noObject(verb, what, value, hint);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function noObject(verb: string, what: string, value: unknown, hint: string): VerbsError {
  return invalid(verb, `${what} is ${show(value)}, not an object`, hint, { what });
}

/** The error of a key that is not among `valid`. */
export function unknownKey(verb: string, what: string, key: string, valid: readonly string[]): VerbsError {
  const nearest = nearestKey(key, valid);
  const meant = nearest === undefined ? '' : `; did you mean '${nearest}'?`;
  const details = { what, key, nearest, valid, invalid: [key] };
  return invalid(verb, `${what} has no key '${key}'${meant}`, `its keys are ${valid.join(', ')}`, details);
}

/**
 * The entry of `candidates` that is fewest edits away from `key`, ignoring case. An edit inserts, removes or replaces a
 * character, or swaps two neighbours (Damerau-Levenshtein distance, restricted form). Undefined if more than half of the
 * characters would have to change, as then nothing in the list was meant.
 */
export function nearestKey(key: string, candidates: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let distanceMin = Math.max(1, Math.floor(key.length / 2)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(key.toLowerCase(), candidate.toLowerCase());
    if (distance < distanceMin) {
      distanceMin = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      current[j] = Math.min(replaced, previous[j] + 1, current[j - 1] + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        current[j] = Math.min(current[j], beforePrevious[j - 2] + 1);
      }
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length];
}
