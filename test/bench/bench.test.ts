/** The benchmarks run, and say what they are said to say. What figures they come to is nobody's business here. The long ones are in bench.exhaustive.ts. */
import { expect } from 'chai';
import { describeOutput, MAIN, run, TIMEOUT_MS } from './output.ts';
import { counts } from './registration/measure.ts';
import { pairwise, pool, spread } from './samples.ts';

describe('the benchmarks', function () {
  this.timeout(TIMEOUT_MS);
  let tables: ReturnType<typeof run>;
  let refused: ReturnType<typeof run>;
  // Beside those whose output is data, which are on one thread, too.
  before(() => {
    tables = run(process.execPath, [MAIN, '--quick', '--only', 'scale']);
    refused = run(process.execPath, [MAIN, '--only', 'speed']);
    for (const each of [tables, refused]) each.catch(() => undefined);
  });
  after(() => Promise.allSettled([tables, refused]));

  it('print tables that name what was measured', async () => {
    expect((await tables).stdout)
      .to.match(/^Node /)
      .and.include('quartiles')
      .and.include('mr-create');
  });

  describeOutput(['bandwidth', 'scale']);

  it('refuse a name that is none', async () => {
    const failure: unknown = await refused.catch((error: unknown) => error);
    expect(failure).to.have.property('code', 1);
    expect(failure).to.have.property('stderr').that.includes('write-pingpong');
  });
});

describe('the figures of the benchmarks', () => {
  it('are the median and the quartiles, between samples where there is none', () => {
    expect(spread([4, 1, 3, 2])).to.deep.equal({ value: 2.5, q1: 1.75, q3: 3.25, samples: 4 });
    expect(spread([2, 4], (ns) => 1 / ns)).to.deep.equal({ value: 0.375, q1: 0.3125, q3: 0.4375, samples: 2 });
  });

  it('compare each sample with the one that was taken beside it', () => {
    expect(pairwise([3, 8], [2, 4])).to.deep.equal([1.5, 2]);
  });

  it('of a registration in a guest count each of its pages once, and none where the cache has it', () => {
    for (const pages of [1, 7, 300]) {
      const each = new Array<number>(4).fill(pages);
      expect(counts(pages)).to.deep.equal({ bypass: each, 'bypass-cached': [0, 0, 0, 0] });
    }
  });

  it('come from all process starts', () => {
    expect(pool([{ a: [1], b: [2] }, { a: [3] }])).to.deep.equal({ a: [1, 3], b: [2] });
  });
});
