import { expect } from 'chai';
import { collectNowAndThen } from './collect.ts';
import { generate } from './generate.ts';
import { simulate } from './simulate.ts';

/**
 * Milliseconds for all seeds, and the tests that share them: as many seeds run as fit, so that a slow machine is in time too.
 * `.ci/run` has a thousand in all.
 */
const TIME_MS = 30_000;
const TESTS = 10;
const SEEDS_A_TEST = 100;

describe('the simulation', () => {
  for (let test = 0; test < TESTS; test++) {
    const first = 1 + test * SEEDS_A_TEST;
    it(`agrees with the model, from seed ${first} on`, () => {
      const endMs = performance.now() + TIME_MS / TESTS;
      for (let seed = first; seed < first + SEEDS_A_TEST; seed++) {
        const { failure } = simulate(generate(seed));
        collectNowAndThen();
        expect(failure, `seed ${seed}; npm run simulate -- --seed ${seed} says more`).to.equal(null);
        if (performance.now() > endMs) break;
      }
    });
  }

  it('is the same each time under one seed', () => {
    for (const seed of [1, 12, 1001]) expect(simulate(generate(seed))).to.deep.equal(simulate(generate(seed)));
  });

  it('is another one under another seed', () => {
    expect(simulate(generate(1)).digest).not.to.equal(simulate(generate(2)).digest);
  });
});
