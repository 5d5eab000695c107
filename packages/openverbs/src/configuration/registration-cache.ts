/** The key `registrationCache`. */
import { RegistrationCache } from '@openverbs/registration-cache';
import type { RegistrationCacheOps } from '@openverbs/registration-cache';
import { VerbsError } from '@openverbs/verbs';
import { nearestKey } from '@openverbs/verbs/driver';

import { isRecord, type Setting } from './sources.ts';

/** The cache that the setting asks for; undefined when it is off. */
export function parseRegistrationCache({ name, origin, value }: Setting): RegistrationCacheOps | undefined {
  if (value === false) return undefined;
  const details = { key: name, origin };
  if (value !== true && !isRecord(value)) {
    const message = `'${name}' in ${origin} is neither true, nor false, nor an object with limits`;
    throw new VerbsError({ code: 'EINVAL', verb: 'openVerbs', message, hint: 'true switches it on', details });
  }
  try {
    return new RegistrationCache(value === true ? {} : value);
  } catch (error) {
    if (!VerbsError.is(error)) throw error;
    const { key, valid } = (error.details ?? {}) as { readonly key: string; readonly valid?: readonly string[] };
    const nearest = valid === undefined ? undefined : nearestKey(key, valid);
    const meant = nearest === undefined ? '' : `; did you mean '${nearest}'?`;
    const message = `${error.message} ('${name}' in ${origin})${meant}`;
    const { hint } = error;
    throw new VerbsError({
      code: 'EINVAL',
      verb: 'openVerbs',
      message,
      hint,
      details: { ...error.details, ...details, key, nearest },
      cause: error,
    });
  }
}
