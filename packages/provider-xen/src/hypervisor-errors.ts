/** What the hypervisor refuses, as verbs tells it. */
import { HypervisorError } from '@openverbs/hypervisor';
import type { HypervisorErrorCode } from '@openverbs/hypervisor';
import { VerbsError } from '@openverbs/verbs';
import type { ErrnoName } from '@openverbs/verbs';

/** What each code becomes; what is not listed is an argument that is wrong. */
const CODES: Partial<Readonly<Record<HypervisorErrorCode, ErrnoName>>> = {
  EBUSY: 'EBUSY',
  EEXIST: 'EEXIST',
  ENOMEM: 'ENOMEM',
  // Verbs has one code for limits of all kinds.
  ENOSPC: 'ENOMEM',
  ETIMEDOUT: 'ETIMEDOUT',
};

/**
 * The error as verbs tells it; what is no error of the hypervisor stays as it is.
 *
 * @param hints - by code, in place of those of the hypervisor
 */
export function toVerbsError(
  error: unknown,
  hints: Partial<Readonly<Record<HypervisorErrorCode, string>>> = {},
): unknown {
  if (!(error instanceof HypervisorError)) return error;
  const { code, message, hint } = error;
  return new VerbsError({ code: CODES[code] ?? 'EINVAL', message, hint: hints[code] ?? hint, cause: error });
}

/**
 * Has the hypervisor do something.
 *
 * @throws VerbsError when it refuses
 */
export function asVerbsError<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw toVerbsError(error);
  }
}
