import { expect } from 'chai';
import { HypervisorError } from '../src/index.ts';
import type { XenstorePermission } from '../src/index.ts';
import { expectError, testbed } from './support/testbed.ts';

const TRANSACTIONS_MAX = 3;
const NODES_MAX = 20;
const LIMITS = { xenstoreTransactionsMax: TRANSACTIONS_MAX, xenstoreNodesMax: NODES_MAX };

/** Permissions of a node that a domain owns and many others may read. */
function manyReaders(domid: number, readers: number): XenstorePermission[] {
  return [
    { domid, access: 'n' },
    ...Array.from({ length: readers }, (_, n) => ({ domid: 100 + n, access: 'r' as const })),
  ];
}

describe('limits of xenstore', () => {
  it('hold for permissions of a guest’s node as for its value', () => {
    const { guest } = testbed({ ...LIMITS, xenstoreEntryBytesMax: 256 });
    guest.xenstore.write('data/a', '');
    guest.xenstore.setPermissions('data/a', manyReaders(guest.domid, 8));
    expectError(
      () => guest.xenstore.setPermissions('data/a', manyReaders(guest.domid, 64)),
      'ENOSPC',
      /the entry .*data\/a has/,
    );
    expect(guest.xenstore.getPermissions('data/a')).to.have.length(9);
  });

  it('of transactions are for guests, and not for dom0', () => {
    const { dom0, guest } = testbed(LIMITS);
    for (let n = 0; n < TRANSACTIONS_MAX; n++) guest.xenstore.transactionStart();
    expectError(() => guest.xenstore.transactionStart(), 'ENOSPC', /xenstoreTransactionsMax/);
    for (let n = 0; n <= TRANSACTIONS_MAX; n++) dom0.xenstore.transactionStart();
  });

  it('of watches are for guests, and not for dom0', () => {
    const { dom0, guest } = testbed({ xenstoreWatchesMax: 1 });
    for (const { xenstore } of [dom0, guest]) xenstore.watch('/a', '');
    dom0.xenstore.watch('/b', '');
    expectError(() => guest.xenstore.watch('/b', ''), 'E2BIG', /xenstoreWatchesMax/);
  });

  it('of transactions are not reached by those whose body has failed', () => {
    const { guest } = testbed(LIMITS);
    const fault = new Error('the body fails');
    const failing = (): void =>
      guest.xenstore.transaction(() => {
        throw fault;
      });
    for (let n = 0; n <= TRANSACTIONS_MAX; n++) expect(failing).to.throw(fault);
    guest.xenstore.transaction((transaction) => guest.xenstore.write('data/a', '', transaction));
    expect(guest.xenstore.read('data/a')).to.equal('');
  });

  it('of nodes that a transaction meets at its end are no reason to try it again', () => {
    const { dom0, guest } = testbed(LIMITS);
    let tried = 0;
    const overtaken = (): void =>
      guest.xenstore.transaction((transaction) => {
        tried++;
        guest.xenstore.write('data/a', '', transaction);
        for (let n = 0; n < NODES_MAX; n++) {
          dom0.xenstore.write(`/gifts/${n}`, '');
          dom0.xenstore.setPermissions(`/gifts/${n}`, [{ domid: guest.domid, access: 'n' }]);
        }
      });
    expect(overtaken).to.throw(HypervisorError, 'xenstoreNodesMax');
    expect(tried).to.equal(1);
  });

  it('of nodes and bytes let a guest that is beyond them change and remove what it has', () => {
    const { dom0, guest } = testbed({ ...LIMITS, xenstoreMemoryBytesMax: 8192 });
    const directory = `/local/domain/${guest.domid}/data`;
    for (let n = 0; n <= NODES_MAX; n++) {
      dom0.xenstore.write(`${directory}/${n}`, 'x'.repeat(1000));
      dom0.xenstore.setPermissions(`${directory}/${n}`, [{ domid: guest.domid, access: 'n' }]);
    }
    expectError(() => guest.xenstore.write('data/more', ''), 'ENOSPC', /xenstoreNodesMax/);
    guest.xenstore.write('data/0', 'y');
    guest.xenstore.rm('data/1');
    expect([guest.xenstore.read('data/0'), guest.xenstore.tryRead('data/1')]).to.deep.equal(['y', undefined]);
    expectError(() => guest.xenstore.write('data/0', 'z'.repeat(900)), 'ENOMEM', /xenstoreMemoryBytesMax/);
  });

  it('of paths are those of absolute ones, and shorter for relative ones', () => {
    const { dom0 } = testbed();
    const name = (length: number): string => 'a'.repeat(length);
    expectError(() => dom0.xenstore.read(name(2049)), 'EINVAL', /longer than 2048/);
    expectError(() => dom0.xenstore.read(`/${name(2048)}`), 'ENOENT');
    expectError(() => dom0.xenstore.read(`/${name(3072)}`), 'EINVAL', /longer than 3072/);
  });
});
