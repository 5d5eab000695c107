/** The error of keys that nobody knows: which one was meant. */
import { VerbsError } from '@openverbs/verbs';
import { nearestKey } from '@openverbs/verbs/driver';

import { ENV_PREFIX } from './sources.ts';

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
