/** Keys that nobody knows: which one was meant, and the error that says so. */
import { VerbsError } from '@openverbs/verbs';

import { ENV_PREFIX } from './sources.ts';

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

/** The error for a key that is not among `valid`; `origin` says in words where it was found. */
export function unknownKey(key: string, origin: string, valid: readonly string[]): VerbsError {
  const nearest = key.startsWith(ENV_PREFIX) ? nearestVariable(key, valid) : nearestKey(key, valid);
  const meant = nearest === undefined ? '' : `; did you mean '${nearest}'?`;
  return new VerbsError({
    code: 'EINVAL',
    verb: 'openVerbs',
    message: `unknown key '${key}' in ${origin}${meant}`,
    hint: `valid keys are ${valid.join(', ')}`,
    details: { key, origin, nearest, valid },
  });
}

/** The prefix that all variables share makes none of them any nearer. */
function nearestVariable(name: string, valid: readonly string[]): string | undefined {
  const bare = (variable: string): string => variable.slice(ENV_PREFIX.length);
  const nearest = nearestKey(bare(name), valid.map(bare));
  return nearest === undefined ? undefined : ENV_PREFIX + nearest;
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
