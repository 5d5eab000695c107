/** Guests that write as much into xenstore as they may: the others and dom0 go on. */
import { expect } from 'chai';
import { DEFAULT_LIMITS } from '../src/index.ts';
import type { Domain } from '../src/index.ts';
import { XENSTORE_CONTENTS_SHARE, XENSTORE_RESERVED_SHARE } from '../src/limits.ts';
import { expectError, PAGE, testbed } from './support/testbed.ts';

/** Nodes after which a guest that is never refused has no quota. */
const NODES_MAX = 10_000;
/** Values of a size that is allowed, and of letters that each take six bytes in the store. */
const VALUE = '\u0001'.repeat(1500);

/** Writes until that is refused; returns how many nodes it wrote. */
function fill({ xenstore }: Domain, code: 'ENOMEM' | 'ENOSPC'): number {
  let written = 0;
  expectError(() => {
    for (; written < NODES_MAX; written++) xenstore.write(`data/${written}`, VALUE);
  }, code);
  return written;
}

describe('the room of xenstore', () => {
  it('is shared so that all guests at their quota leave what is reserved', () => {
    const { domainsMax, xenstoreMemoryBytesMax, xenstoreBytesMax } = DEFAULT_LIMITS;
    const room = xenstoreBytesMax * XENSTORE_CONTENTS_SHARE * (1 - XENSTORE_RESERVED_SHARE);
    expect((domainsMax - 1) * xenstoreMemoryBytesMax).to.be.at.most(room);
  });

  it('of one guest ends, and that of another does not', () => {
    const { dom0, guest, other } = testbed();
    const written = fill(guest, 'ENOMEM');
    expect(written).to.be.within(1, 100);
    expect(fill(other, 'ENOMEM')).to.equal(written);
    dom0.xenstore.write('/dom0', VALUE);
    // What is given back may be had again, and what is there may become smaller.
    guest.xenstore.write('data/0', 'x');
    guest.xenstore.rm('data/1');
    guest.xenstore.write('data/1', VALUE);
  });

  it('of a guest ends in a transaction, too, which leaves nothing', () => {
    const { guest } = testbed({ xenstoreMemoryBytesMax: 4096 });
    expectError(
      () => {
        guest.xenstore.transaction((transaction) => {
          for (let n = 0; n < 100; n++) guest.xenstore.write(`data/${n}`, 'x'.repeat(100), transaction);
        });
      },
      'ENOMEM',
      /xenstoreMemoryBytesMax/,
    );
    expect(guest.xenstore.directory('data')).to.deep.equal([]);
  });

  it('of a guest ends, by what it may write of nodes with many permissions', () => {
    const { guest } = testbed({ xenstoreMemoryBytesMax: 4096 });
    guest.xenstore.write('data/x', '');
    const permissions = Array.from({ length: 200 }, () => ({ domid: guest.domid, access: 'n' as const }));
    expectError(() => {
      guest.xenstore.setPermissions('data/x', permissions);
    }, 'ENOMEM');
  });

  it('that is full of the nodes of guests has a reserve for dom0, whatever their quotas', () => {
    const { hypervisor, dom0, guest, other } = testbed({ xenstoreBytesMax: 2 ** 18, xenstoreMemoryBytesMax: 2 ** 20 });
    fill(guest, 'ENOSPC');
    expect(fill(other, 'ENOSPC')).to.equal(0);
    // What a device for a guest takes, and a guest more.
    for (let n = 0; n < 20; n++) dom0.xenstore.write(`/local/domain/0/backend/vib/1/0/${n}`, 'x'.repeat(100));
    hypervisor.createDomain({ name: 'another', memoryBytes: PAGE });
    guest.xenstore.rm('data');
    other.xenstore.write('data/x', VALUE);
  });
});
