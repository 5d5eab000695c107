/** The loop of a device domain that has a thread of its own: how long it sleeps, and what ends it. */
import { HypervisorError } from '@openverbs/hypervisor';
import { expect } from 'chai';
import { IDLE_NS_MAX, serve } from '../src/dom0/serve.ts';

const NOW_NS = 5e9;

interface Round {
  /** When the back-end has something to do again by itself. */
  readonly nextNs?: number;
  /** Whether the back-end has done something when it is looked at. */
  readonly worked?: boolean;
  /** What the wait ends with, if not with what it is for. */
  readonly error?: Error;
}

/** Serves so many rounds, and is told to stop after them; answers until when each of them waits, and whether its end is what is waited for. */
function served(rounds: readonly Round[]): { deadlinesNs: number[]; ended: boolean[] } {
  const [deadlinesNs, ended]: [number[], boolean[]] = [[], []];
  let round = 0;
  serve({
    backend: { run: () => rounds[round - 1].worked === true, nextNs: () => rounds[round].nextNs ?? Infinity },
    dom0: {
      waitUntil(condition, deadlineNs) {
        deadlinesNs.push(deadlineNs);
        const { error } = rounds[round++];
        ended.push(condition());
        if (error !== undefined) throw error;
      },
    },
    clock: { nowNs: () => NOW_NS },
    isStopping: () => round === rounds.length,
  });
  return { deadlinesNs, ended };
}

describe('the loop of a device domain', () => {
  it('sleeps until the back-end has something to do, and never longer than a while', () => {
    const { deadlinesNs } = served([
      { nextNs: NOW_NS + 7 },
      { nextNs: Infinity },
      { nextNs: NOW_NS + 2 * IDLE_NS_MAX },
    ]);
    expect(deadlinesNs).to.deep.equal([NOW_NS + 7, NOW_NS + IDLE_NS_MAX, NOW_NS + IDLE_NS_MAX]);
  });

  it('is woken by what is to do, and by being told to stop', () => {
    expect(served([{}, { worked: true }, {}, {}]).ended).to.deep.equal([false, true, false, true]);
  });

  it('goes on when nothing has come, and does not hide another fault', () => {
    const nothing = { error: new HypervisorError('ETIMEDOUT', 'nothing') };
    expect(served([nothing, nothing]).deadlinesNs).to.have.length(2);
    const gone = new HypervisorError('ESRCH', 'the domain has gone');
    expect(() => served([{ error: gone }, {}])).to.throw(gone);
  });
});
