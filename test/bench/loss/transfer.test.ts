/** Goodput on a bad network. Time is virtual, so the figures are the same on every machine. */
import { expect } from 'chai';
import { transfer } from './transfer.ts';

const MESSAGES = 1024;
const SEEDS = [1, 2, 3, 4];

describe('goodput when one frame in a hundred is lost', function () {
  this.timeout(60_000);

  it('is more than half of what there is without loss, under every seed', () => {
    const whole = transfer(0, 1, MESSAGES).goodput;
    const shares = SEEDS.map((seed) => transfer(0.01, seed, MESSAGES).goodput / whole);
    expect(Math.min(...shares), shares.join(' ')).to.be.above(0.5);
  });
});
