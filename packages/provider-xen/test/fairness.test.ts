/** Who gets how much of the link, among a few guests; among many of them: fairness.exhaustive.ts. */
import { expect } from 'chai';
import {
  DEPTH,
  describeEqualWeights,
  expectAbout,
  expectShares,
  LINK_BYTES_PER_S,
  MESSAGE_BYTES,
  World,
} from './support/senders.ts';
import type { Sender } from './support/senders.ts';

describe('guests that share one HCA', () => {
  describeEqualWeights(2);

  it('get shares by weight, and by new ones while they send', () => {
    const guests = [1, 2, 3, 4].map((weight) => ({ weight }));
    using world = new World({ guests, bandwidthBytesPerS: LINK_BYTES_PER_S });
    expectShares(world.pass(200), [1, 2, 3, 4], 200);
    world.setShare(0, { weight: 5 });
    world.setShare(3, { weight: 1 });
    world.pass(2);
    expectShares(world.pass(200), [5, 2, 3, 1], 200);
  }).timeout(30_000);

  it('in bypass have neither shares nor rates: the back-end is not asked for what they post', () => {
    const guests = [{ weight: 1, rateBytesPerS: 1e6 }, { weight: 9 }];
    using world = new World({ mode: 'bypass', guests, bandwidthBytesPerS: 1e6 });
    const ms = 10;
    const all = ms * DEPTH * MESSAGE_BYTES;
    expect(world.pass(ms)).to.deep.equal([all, all]);
  });

  it('keep to their rates, and to new ones while they send', () => {
    const limited = { rateBytesPerS: 40e6 };
    using world = new World({ guests: [limited, {}], bandwidthBytesPerS: 400e6 });
    const [slow, other] = world.pass(250);
    expectAbout(slow, 10e6, 'at 40 MB/s');
    expectAbout(other, 90e6, 'the other one');
    world.setShare(0, { rateBytesPerS: 80e6 });
    world.pass(2);
    expectAbout(world.pass(250)[0], 20e6, 'at 80 MB/s');
    world.setShare(0, {});
    world.pass(2);
    const [free, beside] = world.pass(250);
    expectAbout(free, 50e6, 'without a rate');
    expectAbout(beside, 50e6, 'beside it');
  }).timeout(30_000);

  it('keep to their rates, however often they modify their queue pairs', () => {
    using world = new World({ guests: [{ rateBytesPerS: 40e6 }, {}], bandwidthBytesPerS: 400e6 });
    const [slow, other] = world.pass(250, (sender) => {
      sender.post();
      sender.modify();
    });
    expectAbout(slow, 10e6, 'at 40 MB/s');
    expectAbout(other, 90e6, 'the other one');
  }).timeout(30_000);

  it('lose nothing to one that names more bytes than any message has', () => {
    using world = new World({ guests: [{}, {}], bandwidthBytesPerS: LINK_BYTES_PER_S });
    const post = (sender: Sender, guest: number): void => {
      if (guest === 0) sender.claim();
      else sender.post();
    };
    // It comes when the link is free and nobody waits, so it need not wait for its turn. Then what the link has saved up goes.
    world.pass(20, () => undefined);
    world.pass(10, post);
    const [, honest] = world.pass(100, post);
    expectAbout(honest, LINK_BYTES_PER_S / 10, 'the honest one');
  }).timeout(30_000);
});
