/** The table of the page against the benchmark: it may not go stale. */
import { expect } from 'chai';
import { measureRows, pageWith } from './goodput-table.ts';

describe('the goodput under loss that docs/benchmarks.md shows', function () {
  this.timeout(600_000);

  it('is what the benchmark measures, and above one half at 1 %', () => {
    const rows = measureRows();
    const { before, after } = pageWith(rows);
    expect(before, 'npm run goodput writes it anew').to.equal(after);
    const share = rows.find(([lost]) => lost === '1 %')![2];
    expect(Number(share)).to.be.above(0.5);
  });
});
