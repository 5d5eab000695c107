import { expect } from 'chai';
import { readChecks } from './areas.ts';
import type { Equivalent } from './equivalent.ts';
import { EQUIVALENT } from './equivalent-checks.ts';
import { findChecks } from './find-checks.ts';
import { matchEquivalent } from './match-equivalent.ts';

/** Of a check; a smaller number means that the search does not find what it should. */
const CHECKS_MIN = 500;
const SOURCE = 'function f() { if (a || b) return 1; if (a && c) return 2; }';

describe('the table of equivalent checks', () => {
  const entry = (text: string, within?: string): Equivalent => ({
    fn: 'f',
    text,
    ...(within === undefined ? {} : { within }),
    why: 'It is told twice.',
  });
  const wrongOf = (...table: Equivalent[]) => matchEquivalent(findChecks('x.ts', SOURCE), { 'x.ts': table }).wrong;

  it('means checks that are there, each one', () => {
    const checks = readChecks();
    expect(checks.length).to.be.at.least(CHECKS_MIN);
    const { equivalent, wrong } = matchEquivalent(checks, EQUIVALENT);
    expect(wrong).to.deep.equal([]);
    expect(equivalent.size).to.equal(Object.values(EQUIVALENT).flat().length);
  });

  it('gives a reason for each', () => {
    for (const { fn, text, why } of Object.values(EQUIVALENT).flat())
      expect(why, `${fn}: ${text}`).to.match(/^[A-Z].*\.$/);
  });

  it('is told which entries mean none, several, or what another means', () => {
    expect(wrongOf(entry('b'), entry('a', 'a && c'))).to.deep.equal([]);
    expect(wrongOf(entry('d'))).to.deep.equal(['x.ts f: d: there is no such check']);
    expect(wrongOf({ ...entry('b'), fn: 'g' })).to.deep.equal(['x.ts g: b: there is no such check']);
    expect(wrongOf(entry('a'))).to.deep.equal(["x.ts f: a: there are 2 of them; 'within' says which"]);
    expect(wrongOf(entry('b'), entry('b'))).to.deep.equal(['x.ts f: b: stands in the table twice']);
  });
});
