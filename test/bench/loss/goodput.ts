/** Goodput on a bad network. Time is virtual, so the figures are the same on every machine. */
import { expect } from 'chai';
import { transfer } from './transfer.ts';

/** Registers the test with so many messages, under each of these seeds. */
export function describeGoodput(messages: number, seeds: readonly number[]): void {
  describe(`goodput of ${messages} messages when one frame in a hundred is lost`, function () {
    this.timeout(60_000);

    it('is more than half of what there is without loss, under every seed', () => {
      const whole = transfer(0, 1, messages).goodput;
      const shares = seeds.map((seed) => transfer(0.01, seed, messages).goodput / whole);
      expect(Math.min(...shares), shares.join(' ')).to.be.above(0.5);
    });
  });
}
