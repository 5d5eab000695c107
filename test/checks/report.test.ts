import { expect } from 'chai';
import { findChecks } from './find-checks.ts';
import { formatJson, formatProgress, formatSummary, formatWrong, isRight, summarize, type Trial } from './report.ts';

const [CHECK] = findChecks('packages/x/src/y.ts', 'function f() { if (a) return; }').map((check) => ({
  ...check,
  id: 7,
}));

describe('the report of a run', () => {
  const trial = (result: Trial['result'], why?: string): Trial => {
    return {
      check: CHECK,
      result,
      by: result === 'noticed' ? 'it works: it does not' : '',
      hung: false,
      why,
      seconds: 1,
    };
  };
  const [noticed, unnoticed, unreached] = [trial('noticed'), trial('unnoticed'), trial('unreached')];
  const [equivalent, wronglyEquivalent] = [
    trial('unnoticed', 'It is told twice.'),
    trial('noticed', 'It is told twice.'),
  ];

  it('takes a check for right that is noticed, or equivalent, and not both', () => {
    expect([noticed, unnoticed, unreached, equivalent, wronglyEquivalent].map(isRight)).to.deep.equal([
      true,
      false,
      false,
      true,
      false,
    ]);
  });

  it('counts', () => {
    const summary = summarize([noticed, { ...noticed, hung: true }, unnoticed, equivalent, wronglyEquivalent], 3);
    expect(summary).to.deep.equal({ checks: 8, noticed: 2, hung: 1, equivalent: 4, left: 2 });
    expect(formatSummary(summary)).to.equal(
      '8 checks: 2 noticed, 1 of them by a test that hung; 4 equivalent; 2 neither, or both\n',
    );
  });

  it('says of each check where it is, and what came of it', () => {
    const place = 'packages/x/src/y.ts:1 f: a';
    expect(formatProgress(noticed, 1, 9)).to.equal(`1/9 ${place}: noticed, it works: it does not, 1.0 s\n`);
    expect(formatProgress(unnoticed, 2, 9)).to.equal(`2/9 ${place}: UNNOTICED, 1.0 s\n`);
    expect(formatProgress(wronglyEquivalent, 3, 9)).to.include('NOTICED, although it is equivalent');
    expect(JSON.parse(formatJson(equivalent))).to.include({ fn: 'f', result: 'unnoticed', why: 'It is told twice.' });
    expect(formatWrong([unreached]))
      .to.include('x/src/y.ts:1')
      .and.include('in if (a) return;')
      .and.include('unreached');
  });
});
