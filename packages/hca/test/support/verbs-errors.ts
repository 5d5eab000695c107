/** What the driver throws. */
import { expect } from 'chai';
import { VerbsError } from '@openverbs/verbs';
import type { ErrnoName } from '@openverbs/verbs';

/** The call must throw a `VerbsError` with this code, and `text` in its message or hint. */
export function expectVerbsError(action: () => unknown, code: ErrnoName, text = /./): void {
  let caught: unknown;
  try {
    action();
  } catch (error) {
    caught = error;
  }
  expect(VerbsError.is(caught), String(caught)).to.equal(true);
  expect((caught as VerbsError).code, String(caught)).to.equal(code);
  expect(`${(caught as VerbsError).message} ${(caught as VerbsError).hint}`).to.match(text);
}
