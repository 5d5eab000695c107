import { expect } from 'chai';
import { Xoshiro128 } from '../src/index.ts';
import { expectError } from './support/errors.ts';

function draw(prng: { nextUint32(): number }, n: number): number[] {
  return Array.from({ length: n }, () => prng.nextUint32());
}

describe('Xoshiro128', () => {
  it('is xoshiro128**: the first numbers of state 1, 2, 3, 4', () => {
    expect(draw(new Xoshiro128([1, 2, 3, 4]), 10)).to.deep.equal([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ]);
  });

  it('repeats itself for a seed, and counts all 53 bits of it', () => {
    const seeds = [0, 1, -1, 2 ** 32, 2 ** 52, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];
    const firsts = seeds.map((seed) => draw(new Xoshiro128(seed), 4));
    expect(seeds.map((seed) => draw(new Xoshiro128(seed), 4))).to.deep.equal(firsts);
    expect(new Set(firsts.map(String)).size).to.equal(seeds.length);
  });

  it('draws integers below a bound, all of them about as often', () => {
    const prng = new Xoshiro128(7);
    const counts = new Array<number>(6).fill(0);
    for (let i = 0; i < 60000; i++) counts[prng.nextInt(6)]++;
    for (const count of counts) expect(count).to.be.within(9500, 10500);
    expect(prng.nextInt(1)).to.equal(0);
    for (let i = 0; i < 100; i++) expect(prng.nextInt(2 ** 32)).to.be.within(0, 2 ** 32 - 1);
    // Three quarters of 2^32: every fourth number must be drawn again.
    for (let i = 0; i < 1000; i++) expect(prng.nextInt(3 * 2 ** 30)).to.be.lessThan(3 * 2 ** 30);
    for (const bound of [0, -1, 1.5, NaN, 2 ** 32 + 1]) expectError(() => prng.nextInt(bound), 'EINVAL', /bound/);
  });

  it('draws floats from 0 to 1, exclusive', () => {
    const prng = new Xoshiro128(1);
    let sum = 0;
    for (let i = 0; i < 10000; i++) {
      const value = prng.nextFloat();
      expect(value).to.be.within(0, 1 - 2 ** -32);
      sum += value;
    }
    expect(sum / 10000).to.be.closeTo(0.5, 0.02);
  });

  it('forks generators that share no numbers', () => {
    const parent = new Xoshiro128(42);
    const a = parent.fork();
    const b = parent.fork();
    const grandchild = new Xoshiro128(42).fork();
    const first = draw(a, 100);
    expect(draw(grandchild, 100), 'the first fork goes on where the parent was').to.deep.equal(first);
    const all = [...first, ...draw(b, 100), ...draw(parent, 100)];
    expect(new Set(all).size).to.equal(300);
  });

  it('jumps 2^64 numbers ahead', () => {
    const parent = new Xoshiro128([1, 2, 3, 4]);
    parent.fork();
    expect(draw(parent, 4)).to.deep.equal([1194304935, 745561276, 25819468, 3320478005]);
  });

  it('refuses seeds that it would not use whole, and a state of zeros', () => {
    for (const seed of [0.5, NaN, Infinity, 2 ** 53]) expectError(() => new Xoshiro128(seed), 'EINVAL', /seed/);
    expectError(() => new Xoshiro128([0, 0, 0, 0]), 'EINVAL', /all 0/);
  });
});
