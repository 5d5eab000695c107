import { expect } from 'chai';
import { cutAtCall, explore } from '../src/testing/index.ts';
import type { Model } from '../src/testing/index.ts';

describe('every order of steps', () => {
  interface State {
    word: number;
    readonly loaded: number[];
    readonly done: boolean[];
  }

  /** Two threads that add one to a word, by a load and a store each. */
  const lostUpdate: Model<State> = {
    initial: { word: 0, loaded: [-1, -1], done: [false, false] },
    threads: 2,
    step(before, thread) {
      const state = structuredClone(before);
      if (state.done[thread]) return undefined;
      if (state.loaded[thread] < 0) state.loaded[thread] = state.word;
      else {
        state.word = state.loaded[thread] + 1;
        state.done[thread] = true;
      }
      return state;
    },
    key: (state) => JSON.stringify(state),
  };

  it('finds the ends of all of them, the lost update among them', () => {
    const { states, ends } = explore(lostUpdate);
    expect(new Set(ends.map(({ word }) => word))).to.deep.equal(new Set([1, 2]));
    expect(ends.every(({ done }) => done[0] && done[1])).to.equal(true);
    expect(states).to.be.greaterThan(ends.length);
  });
});

describe('an action that is cut off', () => {
  class Steps {
    readonly done: string[] = [];

    get count(): number {
      return this.done.length;
    }

    both(): void {
      this.one('a');
      this.one('b');
    }

    one(name: string): void {
      this.done.push(name);
    }
  }

  function run(n: number): { wasCut: boolean; done: string[] } {
    const steps = new Steps();
    const wasCut = cutAtCall([Steps], n, () => {
      try {
        steps.both();
      } finally {
        if (steps.count > 0) steps.one('finally');
      }
    });
    return { wasCut, done: steps.done };
  }

  it('has nothing of the call that it was cut off at, nor of those after it', () => {
    expect(run(0)).to.deep.equal({ wasCut: true, done: [] });
    expect(run(1)).to.deep.equal({ wasCut: true, done: [] });
    expect(run(2)).to.deep.equal({ wasCut: true, done: ['a', 'finally'] });
  });

  it('is run to its end where it has fewer calls', () => {
    expect(run(4)).to.deep.equal({ wasCut: false, done: ['a', 'b', 'finally'] });
  });

  it('leaves the classes as they were, also after another error', () => {
    const { both } = Steps.prototype;
    const attempt = (): void => {
      cutAtCall([Steps], 9, () => {
        throw new RangeError('its own');
      });
    };
    expect(attempt).to.throw(RangeError, 'its own');
    expect(Steps.prototype.both).to.equal(both);
  });
});
