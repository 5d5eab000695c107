import { expect } from 'chai';
import { findTables } from '../src/emulated/tables.ts';
import { StoreLog } from '../src/emulated/xenstore/log.ts';
import { parentOf } from '../src/emulated/xenstore/paths.ts';
import { lockEntries } from './support/lock-entries.ts';
import { expectError, PAGE, testbed } from './support/testbed.ts';
import { drain, paths } from './support/watches.ts';

describe('xenstore', () => {
  it('holds values in a tree', () => {
    const { xenstore } = testbed().dom0;
    xenstore.write('/a/b/c', 'x');
    expect(xenstore.read('/a/b/c')).to.equal('x');
    expect(xenstore.read('/a/b')).to.equal('');
    xenstore.write('/a/b', 'größe "\\\n\0"');
    expect(xenstore.read('/a/b')).to.equal('größe "\\\n\0"');
    xenstore.mkdir('/a/d');
    xenstore.mkdir('/a/b');
    expect(xenstore.directory('/a')).to.deep.equal(['b', 'd']);
    xenstore.rm('/a/b');
    expect(xenstore.directory('/a')).to.deep.equal(['d']);
    expectError(() => xenstore.read('/a/b/c'), 'ENOENT');
    expectError(() => xenstore.directory('/a/b'), 'ENOENT');
    expect([xenstore.tryRead('/a/b'), xenstore.tryDirectory('/a/b')]).to.deep.equal([undefined, undefined]);
    expect(xenstore.tryDirectory('/a')).to.deep.equal(['d']);
    xenstore.rm('/a/b');
    expectError(() => xenstore.rm('/a/b/c'), 'ENOENT');
    expectError(() => xenstore.rm('/'), 'EINVAL');
  });

  it('refuses paths that are none', () => {
    const { xenstore } = testbed().dom0;
    for (const path of [
      '',
      '/a/',
      '//a',
      '/a//b',
      '/a b',
      '/ä',
      '@x',
      '/a.b',
      `/${'x'.repeat(3072)}`,
      'x'.repeat(2049),
    ])
      expectError(() => xenstore.write(path, ''), 'EINVAL');
    expectError(() => xenstore.watch('@something', ''), 'EINVAL', /releaseDomain/);
  });

  it('has a root, which is no child of any, nor are the special paths', () => {
    const { xenstore } = testbed().dom0;
    expect(xenstore.directory('/')).to.deep.equal(['local']);
    expect(['/', '@releaseDomain', '/a', '/a/b'].map(parentOf)).to.deep.equal(['', '', '/', '/a']);
  });

  it('takes relative paths from the directory of the domain', () => {
    const { dom0, guest } = testbed();
    guest.xenstore.write('data/x', '1');
    expect(dom0.xenstore.read(`/local/domain/${guest.domid}/data/x`)).to.equal('1');
    expect(guest.xenstore.read('name')).to.equal('guest');
    expect(guest.xenstore.read('domid')).to.equal(String(guest.domid));
  });

  it('lets guests write below their data only, and read what is theirs', () => {
    const { dom0, guest, other } = testbed();
    expectError(() => guest.xenstore.write('x', ''), 'EACCES', /data/);
    expectError(() => guest.xenstore.write('name', ''), 'EACCES', /may not write/);
    expectError(() => guest.xenstore.rm('name'), 'EACCES');
    expectError(() => guest.xenstore.rm('nothing'), 'EACCES');
    expectError(() => guest.xenstore.read('nothing/at/all'), 'ENOENT');
    expectError(() => guest.xenstore.directory('/local'), 'EACCES', /may not read/);
    guest.xenstore.write('data/x', '1');
    expectError(() => other.xenstore.read(`/local/domain/${guest.domid}/data/x`), 'EACCES');
    expectError(() => other.xenstore.read(`/local/domain/${guest.domid}/data/y`), 'EACCES');
    expect(other.xenstore.tryRead(`/local/domain/${guest.domid}/data/x`)).to.equal(undefined);
    expect(dom0.xenstore.getPermissions(`/local/domain/${guest.domid}/data/x`)).to.deep.equal([
      { domid: guest.domid, access: 'n' },
    ]);
  });

  it('goes by the list of permissions: the owner, who is named, all others', () => {
    const { dom0, guest, other } = testbed();
    dom0.xenstore.write('/x', '1');
    for (const [access, reads, writes] of [
      ['n', false, false],
      ['r', true, false],
      ['w', false, true],
      ['b', true, true],
    ] as const) {
      for (const list of [
        [{ domid: 0, access }],
        [
          { domid: 0, access: 'n' as const },
          { domid: guest.domid, access },
        ],
        [{ domid: other.domid, access }],
      ]) {
        dom0.xenstore.setPermissions('/x', list);
        expect(guest.xenstore.tryRead('/x') !== undefined).to.equal(reads);
        expect(guest.xenstore.tryDirectory('/x') !== undefined).to.equal(reads);
        if (writes) guest.xenstore.write('/x', '2');
        else expectError(() => guest.xenstore.write('/x', '2'), 'EACCES');
      }
    }
    dom0.xenstore.setPermissions('/x', [
      { domid: 0, access: 'b' },
      { domid: guest.domid, access: 'n' },
    ]);
    expectError(() => guest.xenstore.read('/x'), 'EACCES');
    other.xenstore.write('/x/y', '');
    expect(dom0.xenstore.getPermissions('/x/y')[0]).to.deep.equal({ domid: other.domid, access: 'b' });
  });

  it('lets owners change permissions, but not the owner', () => {
    const { dom0, guest, other } = testbed();
    guest.xenstore.write('data/x', '1');
    const path = `/local/domain/${guest.domid}/data/x`;
    expectError(() => other.xenstore.setPermissions(path, [{ domid: other.domid, access: 'b' }]), 'EACCES');
    expectError(() => guest.xenstore.setPermissions(path, [{ domid: other.domid, access: 'b' }]), 'EPERM');
    guest.xenstore.setPermissions(path, [{ domid: guest.domid, access: 'r' }]);
    expect(other.xenstore.read(path)).to.equal('1');
    dom0.xenstore.setPermissions(path, [{ domid: other.domid, access: 'n' }]);
    expectError(() => guest.xenstore.read(path), 'EACCES');
    expectError(() => dom0.xenstore.setPermissions(path, []), 'EINVAL');
    expectError(() => dom0.xenstore.setPermissions(path, [{ domid: -1, access: 'n' }]), 'EINVAL');
    expectError(() => dom0.xenstore.setPermissions(path, [{ domid: 0, access: 'x' as 'n' }]), 'EINVAL');
    expectError(() => dom0.xenstore.setPermissions('/none', [{ domid: 0, access: 'n' }]), 'ENOENT');
  });

  it('has quotas for guests and a size for messages', () => {
    const { dom0, guest } = testbed({ xenstoreNodesMax: 4, xenstoreWatchesMax: 2, xenstoreTransactionsMax: 1 });
    // `data` is its own too.
    for (const name of ['a', 'b', 'c']) guest.xenstore.write(`data/${name}`, '');
    expectError(() => guest.xenstore.write('data/d', ''), 'ENOSPC', /xenstoreNodesMax/);
    guest.xenstore.write('data/a', 'again');
    guest.xenstore.rm('data/c');
    guest.xenstore.write('data/d', '');
    expectError(() => guest.xenstore.write('data/a', 'x'.repeat(2048)), 'ENOSPC', /xenstoreEntryBytesMax/);
    expectError(() => dom0.xenstore.write('/a', 'x'.repeat(4096)), 'E2BIG');
    dom0.xenstore.write('/a', 'x'.repeat(4000));
    guest.xenstore.watch('a', '');
    guest.xenstore.watch('b', '');
    expectError(() => guest.xenstore.watch('c', ''), 'E2BIG', /xenstoreWatchesMax/);
    const transaction = guest.xenstore.transactionStart();
    expectError(() => guest.xenstore.transactionStart(), 'ENOSPC', /xenstoreTransactionsMax/);
    guest.xenstore.transactionEnd(transaction, true);
    guest.xenstore.transactionStart();
  });

  it('is read without the lock as long as nothing changes, and a call that changes nothing tells nobody', () => {
    const { machine, dom0, guest } = testbed();
    const { word } = new StoreLog(findTables(machine));
    const before = machine.i32[word];
    guest.xenstore.mkdir('data');
    guest.xenstore.rm('data/nothing');
    expect(machine.i32[word]).to.equal(before);
    dom0.xenstore.read('/local');
    expect(lockEntries(machine, () => dom0.xenstore.read('/local'))).to.equal(0);
    guest.xenstore.write('data/a', 'x');
    expect(machine.i32[word]).to.not.equal(before);
  });

  it('has the directories of new domains, also when dom0 has removed those of the others', () => {
    const { hypervisor, dom0 } = testbed();
    dom0.xenstore.rm('/local');
    const domid = hypervisor.createDomain({ name: 'new', memoryBytes: PAGE });
    expect(dom0.xenstore.directory('/local/domain')).to.deep.equal([String(domid)]);
    expect(hypervisor.domain(domid).xenstore.read('name')).to.equal('new');
    hypervisor.destroyDomain(domid);
    expect(dom0.xenstore.directory('/local/domain')).to.deep.equal([]);
  });

  it('is full one day, and can still be emptied', () => {
    const { hypervisor, dom0, guest } = testbed({ xenstoreBytesMax: 65536 });
    let written = 0;
    expectError(
      () => {
        for (; written < 1000; written++) dom0.xenstore.write(`/x/${written}`, '\n'.repeat(500));
      },
      'ENOSPC',
      /xenstoreBytesMax/,
    );
    expect(written).to.be.within(20, 70);
    expect(dom0.xenstore.directory('/x')).to.have.length(written);
    dom0.xenstore.watch('@releaseDomain', 'r');
    drain(dom0);
    hypervisor.destroyDomain(guest.domid);
    expect(paths(dom0)).to.deep.equal(['@releaseDomain']);
    dom0.xenstore.rm('/x');
    dom0.xenstore.write('/x/1', 'y'.repeat(500));
  });

  it('refuses a removal that takes more room than there is, and removes it a part at a time', () => {
    const { xenstore } = testbed({ xenstoreBytesMax: 65536 }).dom0;
    const long = 'n'.repeat(2900);
    expectError(() => {
      for (let n = 0; n < 100; n++) xenstore.write(`/x/${n}${long}`, '');
    }, 'ENOSPC');
    const names = xenstore.directory('/x');
    // A record of each node that goes, and of what fires for it.
    expectError(() => xenstore.rm('/x'), 'ENOSPC', /xenstoreBytesMax/);
    expect(xenstore.directory('/x')).to.deep.equal(names);
    for (const name of names) xenstore.rm(`/x/${name}`);
    expect(xenstore.directory('/x')).to.deep.equal([]);
  });
});
