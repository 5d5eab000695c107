/** Registers tests in which a thread dies in the middle of an action, and another one goes on. */
import { expect } from 'chai';
import { OWNER_IOMEM } from '@openverbs/machine';
import { audit, expectUsable } from './audit.ts';
import { cutOff, world } from './cut.ts';
import type { World } from './cut.ts';
import { expectError } from './testbed.ts';

/** More calls than any action has. */
const CALLS_MAX = 3000;

/** What is made before an action, and the action. */
type Case = (world: World) => () => void;

const CASES: Record<string, Case> = {
  'allocating pages':
    ({ victim }) =>
    () =>
      victim.guest.memory.allocPages(5),
  'freeing pages': ({ victim }) => {
    const frame = victim.guest.memory.allocPages(3);
    return () => {
      victim.guest.memory.freePages(frame);
    };
  },
  granting:
    ({ victim }) =>
    () =>
      victim.guest.grantTable.sharePages(0, 3),
  revoking: ({ victim }) => {
    const shared = victim.guest.grantTable.sharePages(0, 3);
    return () => {
      shared.unshare();
    };
  },
  mapping: ({ victim, bed }) => {
    const shared = bed.guest.grantTable.sharePages(0, 3);
    return () => victim.dom0.grantTable.map(bed.guest.domid, shared.refs);
  },
  unmapping: ({ victim, bed }) => {
    const shared = bed.guest.grantTable.sharePages(0, 3);
    const mapping = victim.dom0.grantTable.map(bed.guest.domid, shared.refs);
    return () => {
      mapping.unmap();
    };
  },
  'granting a page of a device': ({ victim, bed }) => {
    const frame = bed.machine.pages.alloc(4096, 4096, OWNER_IOMEM) / 4096;
    return () => victim.dom0.grantTable.grantAccess(bed.guest.domid, frame);
  },
  'letting go of a device that a guest has mapped': ({ victim, bed }) => {
    const frame = bed.machine.pages.alloc(4096, 4096, OWNER_IOMEM) / 4096;
    const refs = [1, 2].map(() => victim.dom0.grantTable.grantAccess(bed.guest.domid, frame));
    bed.guest.grantTable.map(0, refs);
    return () => {
      victim.dom0.close();
    };
  },
  pinning: ({ victim, bed }) => {
    const frame = bed.guest.memory.allocPages(8);
    return () => victim.dom0.memory.pinPages(bed.guest.domid, [frame, frame + 1, frame + 4]);
  },
  unpinning: ({ victim, bed }) => {
    const frame = bed.guest.memory.allocPages(8);
    const pinned = victim.dom0.memory.pinPages(bed.guest.domid, [frame, frame + 1, frame + 4]);
    return () => {
      pinned.unpin();
    };
  },
  'binding a channel': ({ victim, bed }) => {
    const port = bed.guest.eventChannels.allocUnbound(0);
    return () => victim.dom0.eventChannels.bindInterdomain(bed.guest.domid, port);
  },
  'closing a channel': ({ victim, bed }) => {
    const port = victim.dom0.eventChannels.bindInterdomain(bed.guest.domid, bed.guest.eventChannels.allocUnbound(0));
    return () => {
      victim.dom0.eventChannels.close(port);
    };
  },
  'creating a domain':
    ({ victim }) =>
    () =>
      victim.hypervisor.createDomain({ name: 'new', memoryBytes: 2 ** 20 }),
  'destroying a domain that is in use': ({ victim, bed }) => {
    const shared = bed.guest.grantTable.sharePages(0, 3);
    bed.dom0.grantTable.map(bed.guest.domid, [shared.refs[1]]);
    bed.guest.grantTable.map(bed.other.domid, bed.other.grantTable.sharePages(bed.guest.domid, 2).refs);
    bed.dom0.eventChannels.bindInterdomain(bed.guest.domid, bed.guest.eventChannels.allocUnbound(0));
    return () => {
      victim.hypervisor.destroyDomain(bed.guest.domid);
    };
  },
  'unmapping the last page of a dead domain': ({ victim, bed }) => {
    const shared = bed.guest.grantTable.sharePages(0, 2);
    const mapping = victim.dom0.grantTable.map(bed.guest.domid, shared.refs);
    bed.hypervisor.destroyDomain(bed.guest.domid);
    return () => {
      mapping.unmap();
    };
  },
};

/** Actions of so many calls that only some of them are cut in `npm test`. */
const LONG = ['creating a domain', 'destroying a domain that is in use'];

/**
 * Registers the tests.
 *
 * @param step - of the longest actions, every so manieth call is cut
 */
export function describeDeaths(step: number): void {
  describe('a thread that dies', () => {
    for (const [what, prepare] of Object.entries(CASES)) {
      const stride = LONG.includes(what) ? step : 1;
      it(`at any point of ${what} leaves the tables whole`, function () {
        this.timeout(60000);
        let n = 0;
        for (let wasCut = true; wasCut; n += stride) {
          expect(n).to.be.lessThan(CALLS_MAX);
          const here = world();
          wasCut = cutOff(here, n, prepare(here));
          try {
            audit(here.bed.machine);
            expect(here.victim.guest.alive, 'the domain of the dead thread').to.be.false;
            expectUsable(here.bed.hypervisor);
            audit(here.bed.machine);
          } catch (error) {
            (error as Error).message += ` (cut off at call ${n})`;
            throw error;
          }
        }
        expect(n, 'places where it was cut').to.be.greaterThan(5);
      });
    }

    it('at any point of a destruction does not keep @releaseDomain back', function () {
      this.timeout(60000);
      for (let n = 0, wasCut = true; wasCut; n++) {
        const here = world();
        const { bed, victim } = here;
        bed.dom0.xenstore.watch('@releaseDomain', '');
        bed.dom0.xenstore.checkWatch();
        wasCut = cutOff(here, n, () => {
          victim.hypervisor.destroyDomain(bed.guest.domid);
        });
        // The victim's own domain is gone in any case.
        expect(bed.dom0.xenstore.checkWatch()).to.deep.equal({ path: '@releaseDomain', token: '' });
        if (bed.guest.alive) continue;
        expectError(() => bed.dom0.xenstore.read(`/local/domain/${bed.guest.domid}`), 'ENOENT');
      }
    });

    it('leaves the channels between others as they are', () => {
      const here = world();
      const { dom0, guest } = here.bed;
      const near = guest.eventChannels.allocUnbound(0);
      const far = dom0.eventChannels.bindInterdomain(guest.domid, near);
      expect(dom0.eventChannels.take()).to.equal(far);
      dom0.eventChannels.unmask(far);
      expect(cutOff(here, 1, () => here.victim.guest.memory.allocPages(1))).to.be.true;
      guest.eventChannels.notify(near);
      expect(dom0.eventChannels.take()).to.equal(far);
    });

    it('at any point of a change in xenstore leaves all of the change or nothing', function () {
      this.timeout(60000);
      const outcomes = new Set<string>();
      for (let n = 0, wasCut = true; wasCut; n += step) {
        const here = world();
        const { bed, victim } = here;
        // So that the log begins anew in some of them.
        for (let i = 0; i < 20; i++) victim.dom0.xenstore.write('/fill', 'x'.repeat(2000 + (n % 40)));
        wasCut = cutOff(here, n, () => {
          victim.dom0.xenstore.transaction((t) => {
            victim.dom0.xenstore.write('/a/x', '1'.repeat(2000), t);
            victim.dom0.xenstore.write('/a/y', '2'.repeat(2000), t);
            victim.dom0.xenstore.rm('/fill', t);
          });
          for (let i = 0; i < 20; i++) victim.dom0.xenstore.write('/after', 'x'.repeat(2000));
        });
        const present = ['/a/x', '/a/y', '/fill'].map((path) => bed.dom0.xenstore.tryRead(path) !== undefined);
        outcomes.add(present.join());
      }
      expect([...outcomes].sort()).to.deep.equal(['false,false,true', 'true,true,false']);
    });
  });
}
