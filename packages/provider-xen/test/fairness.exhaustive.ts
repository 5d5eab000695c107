/** Who gets how much of the link, among many guests. */
import { describeEqualWeights, expectShares, LINK_BYTES_PER_S, World } from './support/senders.ts';

describe('guests that share one HCA', () => {
  for (const guests of [5, 16]) describeEqualWeights(guests);

  it('of which each of 16 has another weight get shares by weight, whatever the size of their messages', () => {
    const weights = Array.from({ length: 16 }, (_, n) => n + 1);
    const guests = weights.map((weight) => ({ weight }));
    using world = new World({ guests, bandwidthBytesPerS: LINK_BYTES_PER_S }, (guest) => 16384 << (guest % 4));
    // The end is within a round, of which each guest's part is as much as its weight: so there have to be many.
    const ms = 700;
    expectShares(world.pass(ms), weights, ms);
  }).timeout(30_000);
});
