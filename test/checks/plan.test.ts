import { expect } from 'chai';
import { Plan } from './plan.ts';

const COVERAGE = [
  { test: 0, ms: 5000, reached: [1, 2] },
  { test: 1, ms: 1, reached: [1] },
  { test: 2, ms: 90, reached: [1] },
  { test: 3, ms: 90, reached: [1, 2] },
  { test: 4, ms: 1, reached: [3] },
];

describe('the plan of a run', () => {
  it('has every test that reaches a check, the short ones in stages before the long ones', () => {
    const plan = new Plan(COVERAGE);
    expect(plan.stagesOf(1, 'x.ts')).to.deep.equal([[1, 2], [3], [0]]);
    expect(plan.stagesOf(2, 'x.ts')).to.deep.equal([[3], [0]]);
    expect(plan.stagesOf(4, 'x.ts')).to.deep.equal([]);
    expect(plan.msOf(0)).to.equal(5000);
  });

  it('begins with the short tests that noticed another check of the file', () => {
    const plan = new Plan(COVERAGE);
    for (const test of [0, 3, 4]) plan.noticed('x.ts', test);
    expect(plan.stagesOf(1, 'x.ts')).to.deep.equal([[3], [1, 2], [0]]);
    expect(plan.stagesOf(1, 'y.ts')).to.deep.equal([[1, 2], [3], [0]]);
  });
});
