/** What an error of a verb must be. */
import { expect } from 'chai';
import { Errno, VerbsError } from '@openverbs/verbs';
import type { QueuePair } from '@openverbs/verbs';

type Code = VerbsError['code'];

/**
 * Calls a verb that must fail: with a `VerbsError` of one of `codes`, whose `errno` fits and that says something.
 *
 * @returns the error, for looking at its details
 */
export function expectError(code: Code | readonly Code[], call: () => unknown): VerbsError {
  let result: unknown;
  try {
    result = call();
  } catch (error) {
    return checkError(code, error);
  }
  expect.fail(`expected ${[code].flat().join(' or ')}, but the call returned ${String(result)}`);
}

/** Builds each of these in the extended form on a QP, and completes it: EINVAL, whatever the mistake. */
export function expectRefusedBuilds(qp: QueuePair, builds: readonly (() => void)[]): void {
  for (const build of builds) {
    qp.wrStart();
    build();
    expectError('EINVAL', () => {
      qp.wrComplete();
    });
  }
}

/** As {@link expectError} for a verb that waits. */
export async function expectRejection(code: Code | readonly Code[], promise: Promise<unknown>): Promise<VerbsError> {
  let result: unknown;
  try {
    result = await promise;
  } catch (error) {
    return checkError(code, error);
  }
  expect.fail(`expected ${[code].flat().join(' or ')}, but the promise resolved to ${String(result)}`);
}

function checkError(code: Code | readonly Code[], error: unknown): VerbsError {
  const codes: readonly Code[] = typeof code === 'string' ? [code] : code;
  if (!VerbsError.is(error)) {
    // The cause is what a reader needs: a TypeError out of the provider, most often.
    throw new Error(`expected a VerbsError ${codes.join(' or ')}, got ${String(error)}`, { cause: error });
  }
  if (!codes.includes(error.code)) {
    throw new Error(`expected ${codes.join(' or ')}, got ${error.code}: ${error.message}`, { cause: error });
  }
  expect(error.errno, `errno of ${error.code}`).to.equal(Errno[error.code]);
  expect(error.verb, 'verb').to.be.a('string');
  expect(error.message, 'the error says what is wrong').to.be.a('string').that.is.not.empty;
  return error;
}
