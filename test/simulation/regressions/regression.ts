/** A regression test: a program that failed once, and what made it fail is mended. */
import { expect } from 'chai';
import type { Program } from '../program.ts';
import { simulate } from '../simulate.ts';

/** Declares the test. */
export function regression(name: string, program: Program): void {
  describe(`simulation, ${name}`, () => {
    it('does what the model says', () => {
      expect(simulate(program).failure).to.equal(null);
    });
  });
}
