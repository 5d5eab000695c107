/** What the benchmark of the split driver prints, and its statistics. What figures they come to is nobody's business here. */
import { expect } from 'chai';
import type { BenchCase, BenchOptions, ResultLine } from '../benchmark.ts';
import { pool } from '../samples.ts';
import type { Samples } from '../samples.ts';
import { COUNTS, PATHS, splitDriver } from './benchmark.ts';
import { interval } from './interval.ts';
import { measure, roundsOf } from './measure.ts';

const SIZES = [8, 1024, 4096, 65536, 1048576];
const BURSTS = [1, 4, 16, 64];
const FULL: BenchOptions = { starts: 5, pairs: 11, blockMs: 50, quick: false };
/** One operation or a few: what is measured means nothing. */
const TINY: BenchOptions = { starts: 1, pairs: 2, blockMs: 0.001, quick: true };
const SPREAD = ['value', 'q1', 'q3', 'samples'];

/** All fields but the figures. */
function kindOf(line: ResultLine): Record<string, unknown> {
  return Object.fromEntries(Object.entries(line).filter(([key]) => !SPREAD.includes(key)));
}

describe('the benchmark of the split driver', function () {
  this.timeout(30_000);
  const cases = splitDriver.cases(FULL);
  const partOf = (part: string): BenchCase[] => cases.filter((bench) => bench.part === part);

  it('measures each size, counts each size, and counts the trips of each burst', () => {
    expect(partOf('speed').map(({ fields }) => fields)).to.deep.equal(SIZES.map((size) => ({ size })));
    expect(partOf('counts').map(({ fields }) => fields)).to.deep.equal(SIZES.map((size) => ({ size })));
    expect(partOf('buffering').map(({ fields }) => fields)).to.deep.equal(BURSTS.map((burst) => ({ burst })));
    expect(cases).to.have.lengthOf(2 * SIZES.length + BURSTS.length);
  });

  it('has 30 rounds at least for each size, in however many processes', () => {
    for (const starts of [1, 2, 3, 5, 30, 100]) {
      for (const pairs of [1, 11, 50]) expect(starts * roundsOf({ ...FULL, starts, pairs })).to.be.at.least(30);
    }
  });

  it('says of each size how long a round trip takes and how much comes through, by path, and of bypass what it is to native', () => {
    const one = measure({ fields: { size: 8 }, part: 'speed' }, TINY);
    const samples = pool([one, one]);
    for (const [n, bench] of partOf('speed').entries()) {
      const lines = splitDriver.lines(bench, samples);
      const size = SIZES[n];
      const of = (metric: string, unit: string): unknown[] =>
        PATHS.map((path) => ({ name: 'split-driver', size, path, metric, unit }));
      const ratio = lines.at(-1)!;
      expect(lines.map(kindOf)).to.deep.equal([
        ...of('round-trip', 'us'),
        ...of('bandwidth', 'GB/s'),
        { ...kindOf(ratio), name: 'split-driver', size, metric: 'bypass-over-native', unit: 'x' },
      ]);
      const limits = ['low', 'high', 'aa-low', 'aa-high'];
      expect(Object.keys(kindOf(ratio))).to.have.members(['name', 'size', 'metric', 'unit', ...limits]);
      for (const key of [...SPREAD, ...limits]) expect(ratio[key], key).to.be.a('number').above(0);
      expect(ratio['low'])
        .to.be.at.most(ratio.value)
        .and.at.most(ratio['high'] as number);
      expect(ratio['aa-low']).to.be.at.most(ratio['aa-high'] as number);
      for (const line of lines)
        expect(line)
          .to.include({ samples: 2 * TINY.pairs })
          .and.have.all.keys(Object.keys(line));
    }
  });

  it('says of each size what is counted, by path', () => {
    const counted: Samples = Object.fromEntries(
      COUNTS.flatMap((metric) => PATHS.map((path) => [`${metric} ${path}`, [1]])),
    );
    for (const [n, bench] of partOf('counts').entries()) {
      expect(splitDriver.lines(bench, counted).map(kindOf)).to.deep.equal(
        ['ring-requests', 'events', 'device-wakes'].flatMap((metric) =>
          ['native', 'idd', 'bypass', 'basic'].map((path) => {
            return { name: 'split-driver', size: SIZES[n], path, metric, unit: 'per round trip' };
          }),
        ),
      );
    }
  });

  it('counts one trip a burst with the buffer, and one a completion without', () => {
    for (const bench of partOf('buffering').slice(0, 3)) {
      const { burst } = bench.fields;
      const lines = splitDriver.lines(bench, measure(bench, TINY));
      const line = { name: 'split-driver', burst, metric: 'trips', unit: 'per completion', samples: 100 };
      const value = (trips: number): object => ({ value: trips, q1: trips, q3: trips });
      expect(lines).to.deep.equal([
        { ...line, buffer: 'on', ...value(1 / burst) },
        { ...line, buffer: 'off', ...value(1) },
      ]);
    }
  });
});

describe('the interval of ratios', () => {
  it('lies around their geometric mean', () => {
    expect(interval([2, 2, 2])).to.deep.equal({ mean: 2, low: 2, high: 2 });
    expect(interval([0.5, 2]).mean).to.equal(1);
    expect(interval([3])).to.deep.equal({ mean: 3, low: 3, high: 3 });
  });

  it('is that of Student’s distribution', () => {
    // Logarithms 0, 0.1 and 0.2: mean 0.1, deviation 0.1, quantile 4.303 of 2 degrees of freedom.
    const { mean, low, high } = interval([1, Math.exp(0.1), Math.exp(0.2)]);
    const error = (4.303 * 0.1) / Math.sqrt(3);
    expect(mean).to.be.closeTo(Math.exp(0.1), 1e-3);
    expect(low).to.be.closeTo(Math.exp(0.1 - error), 1e-3);
    expect(high).to.be.closeTo(Math.exp(0.1 + error), 1e-3);
  });

  it('is narrower for more ratios', () => {
    const alternating = (length: number): number[] => Array.from({ length }, (_, n) => (n % 2 ? 0.9 : 1.1));
    const [few, many] = [interval(alternating(2)), interval(alternating(40))];
    expect(few.low).to.be.below(many.low);
    expect(many.low).to.be.above(0.9).and.below(many.mean);
    expect(many.high).to.be.above(many.mean).and.below(1.1);
  });

  it('takes processes for independent, and not the ratios of one', () => {
    const ratios = [1, 1, 1, 1, 1.2, 1.2, 1.2, 1.2, 1.1, 1.1, 1.1, 1.1];
    const starts = interval(ratios, 3);
    expect(starts).to.deep.equal(interval([1, 1.2, 1.1]));
    expect(starts.high - starts.low).to.be.above(2 * (interval(ratios).high - interval(ratios).low));
    // What is different within processes alone averages out.
    expect(interval([0.9, 1.1, 1.1, 0.9], 2)).to.deep.include({
      low: interval([0.9, 1.1]).mean,
      high: interval([0.9, 1.1]).mean,
    });
  });

  it('contains the mean that chance was given in about 95 of 100 cases', () => {
    let seed = 1;
    // Park and Miller's generator, and the sum of 12 draws for a normal one.
    const draw = (): number => (seed = (seed * 48271) % 2147483647) / 2147483647;
    const normal = (): number => Array.from({ length: 12 }, draw).reduce((sum, each) => sum + each, -6);
    const contained = (starts: number, each: number): number => {
      let count = 0;
      for (let n = 0; n < 1000; n++) {
        const ratios = Array.from({ length: starts }, normal).flatMap((common) =>
          Array.from({ length: each }, () => Math.exp(0.02 * common + 0.02 * normal())),
        );
        const { low, high } = interval(ratios, starts);
        if (low <= 1 && high >= 1) count++;
      }
      return count;
    };
    expect(contained(5, 11)).to.be.within(930, 970);
    expect(contained(10, 3)).to.be.within(930, 970);
  });

  it('is refused for no ratios, and for some that are not as many of each process', () => {
    expect(() => interval([])).to.throw(RangeError);
    expect(() => interval([1, 2, 3], 2)).to.throw(RangeError);
  });
});
