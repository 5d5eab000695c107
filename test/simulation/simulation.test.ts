import { availableParallelism } from 'node:os';
import { expect } from 'chai';
import { generate } from './generate.ts';
import { runSeeds } from './pool.ts';
import { simulate } from './simulate.ts';

const PROCESSES = Math.min(2, availableParallelism());
/**
 * Milliseconds for all seeds, of all processes together: as many seeds run as fit, so that a slow machine is in time too. `.ci/run` has
 * a thousand.
 */
const TIME_MS = 30_000;
const SEEDS_MAX = 1000;

describe('the simulation', () => {
  it('agrees with the model, seed by seed', async () => {
    const seeds = Array.from({ length: SEEDS_MAX }, (_, n) => n + 1);
    const endMs = performance.now() + TIME_MS / PROCESSES;
    const failures: string[] = [];
    let passed = 0;
    const onAnswer: Parameters<typeof runSeeds>[2] = ({ seed, failure }) => {
      if (failure === null) passed++;
      else failures.push(`${failure.message} (npm run simulate -- --seed ${seed} says more)`);
      return performance.now() < endMs;
    };
    await runSeeds(seeds, PROCESSES, onAnswer, false);
    expect(failures).to.deep.equal([]);
    expect(passed).to.be.above(0);
  }).timeout(5 * TIME_MS);

  it('is the same each time under one seed', () => {
    for (const seed of [1, 12, 1001]) expect(simulate(generate(seed))).to.deep.equal(simulate(generate(seed)));
  });

  it('is another one under another seed', () => {
    expect(simulate(generate(1)).digest).not.to.equal(simulate(generate(2)).digest);
  });
});
