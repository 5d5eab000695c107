import { expect } from 'chai';
import { VerbsError } from '@openverbs/verbs';
import { Account } from '../src/backend/accounting.ts';
import type { GuestContext } from '../src/backend/guest-context.ts';
import { PendingRegions } from '../src/backend/pending-region.ts';
import type { RegionRequest } from '../src/backend/pending-region.ts';
import { Quota } from '../src/backend/quota.ts';
import { PAGES_PER_COMMAND } from '../src/protocol/limits.ts';

const PAGE_BYTES = 4096;
/** Where devices find page 0: elsewhere than its number says. */
const BASE = 2 ** 33;
/** Of one GiB. */
const PAGES = 262_144;

function requestOf(pages: number): RegionRequest {
  const place = { firstOffset: 0, length: pages * PAGE_BYTES, pages, iova: 0 };
  return { context: {} as GuestContext, use: 0, mr: 0, flags: 0, pd: 0, access: 0, ...place };
}

/** Regions of a guest whose pages are all its own, but for one. */
class World {
  readonly counts = new Float64Array(Account.DOUBLES);
  readonly quota = new Quota();
  readonly regions: PendingRegions;
  pinned = 0;

  constructor(foreign = -1) {
    const pin = (frames: readonly number[]): ReturnType<ConstructorParameters<typeof PendingRegions>[0]> => {
      if (frames.includes(foreign)) throw new VerbsError({ code: 'EINVAL', message: 'not of the guest' });
      this.pinned += frames.length;
      return {
        count: frames.length,
        addresses: () => frames.map((frame) => BASE + frame * PAGE_BYTES),
        unpin: () => {
          this.pinned -= frames.length;
        },
      };
    };
    this.regions = new PendingRegions(pin, this.quota, this.counts);
  }

  add(region: number, first: number, count: number): void {
    this.regions.add(
      region,
      Array.from({ length: count }, (_, n) => first + n),
    );
  }
}

function codeOf(call: () => void): string {
  try {
    call();
  } catch (error) {
    return VerbsError.is(error) ? error.code : String(error);
  }
  return '';
}

describe('a region whose pages come in chunks', () => {
  it('of 1 GiB: each page is looked at once, pinned and counted', () => {
    const world = new World();
    const region = world.regions.begin(requestOf(PAGES));
    for (let first = 0; first < PAGES; first += PAGES_PER_COMMAND) world.add(region, first, PAGES_PER_COMMAND);
    expect([world.counts[Account.PAGES_VERIFIED], world.pinned, world.quota.used.pages]).to.deep.equal([
      PAGES,
      PAGES,
      PAGES,
    ]);
    const pins = world.regions.end(region, ({ addresses, pins: made }) => {
      expect(addresses).to.have.lengthOf(PAGES);
      expect(addresses.every((address, n) => address === BASE + n * PAGE_BYTES)).to.equal(true);
      return made;
    });
    expect([world.quota.used.regions, world.pinned]).to.deep.equal([0, PAGES]);
    world.regions.unpin(pins);
    expect([world.quota.used.pages, world.pinned]).to.deep.equal([0, 0]);
  });

  it('ends with all pages or not at all, and takes no more than it told of', () => {
    const world = new World();
    const region = world.regions.begin(requestOf(3));
    world.add(region, 0, 2);
    expect(codeOf(() => world.regions.end(region, () => undefined))).to.equal('EINVAL');
    expect(codeOf(() => world.add(region, 2, 2))).to.equal('EINVAL');
    world.add(region, 2, 1);
    world.regions.end(region, () => undefined);
    expect(codeOf(() => world.regions.end(region, () => undefined))).to.equal('EINVAL');
  });

  it('given up between two chunks, or with its guest, lets all pages go', () => {
    const world = new World();
    for (const giveUp of ['abort', 'abortAll'] as const) {
      const region = world.regions.begin(requestOf(3));
      world.add(region, 0, 2);
      if (giveUp === 'abort') world.regions.abort(region);
      else world.regions.abortAll();
      const { regions, pages } = world.quota.used;
      expect([world.pinned, regions, pages], giveUp).to.deep.equal([0, 0, 0]);
    }
  });

  it('counts no page of a chunk in which one is refused', () => {
    const world = new World(3);
    const region = world.regions.begin(requestOf(4));
    world.add(region, 0, 2);
    expect(codeOf(() => world.add(region, 2, 2))).to.equal('EINVAL');
    expect([world.counts[Account.PAGES_VERIFIED], world.pinned, world.quota.used.pages]).to.deep.equal([2, 2, 2]);
  });
});
