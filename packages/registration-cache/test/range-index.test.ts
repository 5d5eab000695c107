import { expect } from 'chai';
import fc from 'fast-check';

import { type Range, RangeIndex } from '../src/range-index.ts';

const range = fc
  .tuple(fc.nat(30), fc.integer({ min: 1, max: 12 }))
  .map(([start, length]): Range => ({ start, end: start + length }));

describe('RangeIndex', () => {
  it('finds a range that contains another one whenever there is one', () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 12 }), fc.array(fc.nat(11)), range, (ranges, deleted, wanted) => {
        const index = new RangeIndex<Range>();
        const live = new Set(ranges);
        for (const each of ranges) index.add(each);
        for (const at of deleted) {
          if (ranges[at] === undefined) continue;
          index.delete(ranges[at]);
          live.delete(ranges[at]);
        }
        expect(index.size).to.equal(live.size);
        const containing = [...live].filter(({ start, end }) => start <= wanted.start && end >= wanted.end);
        const found = index.containing(wanted);
        if (containing.length === 0) expect(found).to.equal(undefined);
        else expect(containing).to.contain(found);
        expect(index.coverage(wanted)).to.equal(coverageByBytes([...live], wanted));
      }),
    );
  });

  it('takes the one that begins last', () => {
    const index = new RangeIndex<Range>();
    const [long, short] = [
      { start: 0, end: 100 },
      { start: 40, end: 60 },
    ];
    index.add(short);
    index.add(long);
    expect(index.containing({ start: 45, end: 50 })).to.equal(short);
    expect(index.containing({ start: 45, end: 61 })).to.equal(long);
  });
});

function coverageByBytes(ranges: readonly Range[], { start, end }: Range): string {
  const bytes = Array.from({ length: end - start }, (_, at) => start + at);
  const covered = bytes.filter((byte) => ranges.some((each) => each.start <= byte && byte < each.end));
  if (covered.length === bytes.length) return 'all';
  return covered.length === 0 ? 'none' : 'some';
}
