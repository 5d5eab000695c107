/** Checks of thrown errors. */
import { expect } from 'chai';
import { MachineError } from '../../src/index.ts';
import type { MachineErrorCode } from '../../src/index.ts';

/** Expects a {@link MachineError} of a code, whose message and hint match. */
export function expectError(action: () => unknown, code: MachineErrorCode, text = /./): void {
  let caught: unknown;
  try {
    action();
  } catch (error) {
    caught = error;
  }
  expect(caught).to.be.instanceOf(MachineError);
  const error = caught as MachineError;
  expect(error.code).to.equal(code);
  expect(`${error.message} ${error.hint}`).to.match(text);
}
