import { expect } from 'chai';
import { findChecks } from './find-checks.ts';
import { Lane, type Runner } from './lane.ts';
import { Plan } from './plan.ts';
import type { Outcome } from './test-runner.ts';

const [CHECK] = findChecks('x.ts', 'if (a) return;').map((check) => ({ ...check, id: 7 }));
const PLAN = () => new Plan([{ test: 0, ms: 1, reached: [CHECK.id] }]);
const PASSED: Outcome = { result: 'passed' };
const FAILED: Outcome = { result: 'failed', title: 'it works', message: 'it does not' };
const HUNG: Outcome = { result: 'hung', title: 'it works', message: 'did not end' };

/** A run, with the check in its place or without it, and how it ends. */
type Run = readonly ['with' | 'without', Outcome];

/** Processes, each with the runs that it is asked for. */
function processes(...scripts: readonly (readonly Run[])[]) {
  const left = scripts.map((script) => [...script]);
  const waiting = [...left];
  const start = async (): Promise<Runner> => {
    const script = waiting.shift()!;
    const runner: Runner = {
      tests: [{ title: 'it works', suite: 0 }],
      isFresh: script !== left[0],
      isWornOut: false,
      cover: async () => [],
      run: async (removed) => {
        const [which, outcome] = script.shift()!;
        expect(which).to.equal(removed === null ? 'with' : 'without');
        return outcome;
      },
      stop: () => (runner.isWornOut = true),
    };
    return runner;
  };
  return { lane: new Lane(start), left };
}

describe('judging a check that is gone', () => {
  const judged = async (...scripts: readonly (readonly Run[])[]) => {
    const { lane, left } = processes(...scripts);
    const { result, by } = await lane.judge(CHECK, PLAN());
    expect(left.flat(), 'runs that were not asked for').to.deep.equal([]);
    return `${result} ${by}`.trim();
  };

  it('is unnoticed while all tests pass, and unreached where there is none', async () => {
    expect(await judged([['without', PASSED]])).to.equal('unnoticed');
    const { result } = await processes([]).lane.judge(CHECK, new Plan([]));
    expect(result).to.equal('unreached');
  });

  it('takes a failure for one that passes with the check, and fails again without it', async () => {
    expect(
      await judged([
        ['without', FAILED],
        ['with', PASSED],
        ['without', FAILED],
      ]),
    ).to.equal('noticed it works: it does not');
  });

  it('asks a new process when the old one is no longer what it was', async () => {
    const spoiled: Run[] = [
      ['without', FAILED],
      ['with', FAILED],
    ];
    expect(
      await judged(
        [...spoiled],
        [
          ['with', PASSED],
          ['without', PASSED],
        ],
      ),
    ).to.equal('unnoticed');
    expect(
      await judged(
        [...spoiled],
        [
          ['with', PASSED],
          ['without', FAILED],
        ],
      ),
    ).to.equal('noticed it works: it does not');
    expect(
      await judged(
        [['without', HUNG]],
        [
          ['with', PASSED],
          ['without', HUNG],
        ],
      ),
    ).to.equal('noticed it works: did not end');
  });

  it('does not take chance for a failure', async () => {
    const chance: Run[] = [
      ['without', FAILED],
      ['with', PASSED],
      ['without', PASSED],
    ];
    expect(
      await judged(
        [...chance],
        [
          ['with', PASSED],
          ['without', PASSED],
        ],
      ),
    ).to.equal('unnoticed');
  });

  it('judges nothing by a test that fails anyway', async () => {
    const error = await judged(
      [
        ['without', FAILED],
        ['with', FAILED],
      ],
      [['with', FAILED]],
    ).catch((reason: Error) => reason.message);
    expect(error).to.equal('fails with all checks in their places: it works: it does not');
  });
});
