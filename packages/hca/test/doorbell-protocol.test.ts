import { expect } from 'chai';
import { explore } from '@openverbs/machine/testing';
import type { Exploration } from '@openverbs/machine/testing';
import { doorbellModel, isForgotten, RIGHT } from './support/doorbell-model.ts';
import type { Protocol, State } from './support/doorbell-model.ts';
import { isOverslept, RIGHT_SLEEP, sleepModel } from './support/sleep-model.ts';

/** Every interleaving ends, with all threads at their end. */
function run(posters: number, posts: number, protocol: Protocol): Exploration<State> {
  const exploration = explore(doorbellModel(posters, posts, protocol));
  expect(exploration.ends).to.not.be.empty;
  for (const end of exploration.ends) {
    expect(
      end.posters.every(({ at }) => at === 'ended'),
      'a thread is blocked for ever',
    ).to.equal(true);
    expect(end.lock, 'the lock is held for ever').to.equal(-1);
  }
  return exploration;
}

function expectNothingForgotten(posters: number, posts: number, protocol: Protocol): void {
  const { ends } = run(posters, posts, protocol);
  expect(ends.filter(isForgotten)).to.deep.equal([]);
}

function expectCaught(posters: number, protocol: Protocol): void {
  expect(run(posters, 1, protocol).ends.some(isForgotten), 'the model misses the fault').to.equal(true);
}

describe('the inline doorbell protocol, in every interleaving', () => {
  it('leaves nothing between 2 posters', () => {
    expectNothingForgotten(2, 1, RIGHT);
    expectNothingForgotten(2, 2, RIGHT);
  });

  it('leaves nothing between 3 posters', () => {
    expectNothingForgotten(3, 1, RIGHT);
  });

  it('leaves nothing when a page is full', () => {
    expectNothingForgotten(2, 3, { ...RIGHT, pageCapacity: 1 });
  });

  it('leaves nothing when the lock is lent in the middle of a queue', () => {
    expectNothingForgotten(2, 2, { ...RIGHT, lends: true });
    expectNothingForgotten(3, 1, { ...RIGHT, lends: true });
  });

  it('is one that the model can fault: it needs the look after unlocking', () => {
    expectCaught(2, { ...RIGHT, rechecks: false });
  });

  it('is one that the model can fault: it needs the word before the summary', () => {
    expectCaught(3, { ...RIGHT, wordFirst: false });
  });

  it('is one that the model can fault: it needs the second try', () => {
    expectCaught(2, { ...RIGHT, triesAgain: false });
  });

  it('is one that the model can fault: it takes the summary before the words', () => {
    expectCaught(3, { ...RIGHT, takesSummaryFirst: false });
  });
});

describe('the sleep of the engine thread, in every interleaving', () => {
  for (const posters of [1, 2, 3]) {
    it(`is ended by ${posters} posters and by a stop`, () => {
      for (const stops of [false, true]) {
        const { ends } = explore(sleepModel(posters, stops, RIGHT_SLEEP));
        expect(ends.filter(isOverslept)).to.deep.equal([]);
        expect(ends.every(({ engine }) => engine === (stops ? 'ended' : 'waiting'))).to.equal(true);
      }
    });
  }

  for (const fault of ['rechecks', 'ticketFirst', 'marksFirst'] as const) {
    it(`is one that the model can fault: without ${fault}`, () => {
      const { ends } = explore(sleepModel(1, true, { ...RIGHT_SLEEP, [fault]: false }));
      expect(ends.some(isOverslept)).to.equal(true);
    });
  }
});
