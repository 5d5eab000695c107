/** Errors as values. */
import { VerbsError } from '@openverbs/verbs';
import { expect } from 'chai';

/** The VerbsError that `call` throws. */
export function failure(call: () => unknown): VerbsError {
  try {
    call();
  } catch (error) {
    if (VerbsError.is(error)) return error;
    throw error;
  }
  return expect.fail('it should have thrown');
}
