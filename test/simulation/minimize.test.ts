import { expect } from 'chai';
import { generate } from './generate.ts';
import { minimize } from './minimize.ts';
import type { Program } from './program.ts';
import { regressionTest, reportFailure } from './report.ts';
import type { Failure } from './simulate.ts';
import { emptyTotals } from './totals.ts';

/** A device that fails when three atomics are posted while packets are dropped. */
function run({ steps, weather }: Program): { readonly failure: Failure | null } {
  const atomics = steps.filter((step) => step.do === 'post' && step.operand !== '' && step.opcode >= 5).length;
  if (atomics >= 3 && weather.drop > 0) return { failure: { kind: 'memory', message: `${steps.length} steps` } };
  return { failure: weather.drop > 0 ? { kind: 'other', message: '' } : null };
}

describe('a failing program of the simulation', () => {
  const seed = Array.from({ length: 100 }, (_, n) => n).find((n) => run(generate(n)).failure?.kind === 'memory')!;
  const program = generate(seed);
  const failure = run(program).failure!;
  const smaller = minimize(program, failure, run);

  it('is made smaller as long as it fails in the same way', () => {
    expect(program.steps.length).to.be.above(10);
    expect(smaller.program.steps).to.have.length(3);
    expect(smaller.failure).to.deep.equal({ kind: 'memory', message: '3 steps' });
    const { drop, duplicate, reorder, corrupt } = smaller.program.weather;
    expect([drop > 0, duplicate, reorder, corrupt]).to.deep.equal([true, 0, 0, 0]);
    for (const step of smaller.program.steps) expect(step.waitNs).to.equal(0);
  });

  it('is told with its seed, its steps and the way to a regression test', () => {
    const answer = { seed, digest: '', totals: emptyTotals(), failure, smaller };
    expect(reportFailure(answer))
      .to.include(`seed ${seed} failed (memory)`)
      .and.include(JSON.stringify(smaller.program.steps[0]))
      .and.include(`--seed ${seed} --regression`);
    const text = regressionTest(answer);
    expect(text).to.match(new RegExp(`^// Found by seed ${seed}: `));
    const literal = /^regression\('seed \d+', (.*)\);$/m.exec(text)?.[1];
    expect(JSON.parse(literal!)).to.deep.equal(smaller.program);
  });
});
