/** The VerbsError that a call throws. */
import { VerbsError } from '@openverbs/verbs';

export function failure(call: () => unknown): VerbsError {
  try {
    call();
  } catch (error) {
    if (VerbsError.is(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
