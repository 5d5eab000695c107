import { expect } from 'chai';
import { EmulatedHypervisor } from '../src/index.ts';
import type { Domain, WatchEvent } from '../src/index.ts';
import { expectError, soon, testbed } from './support/testbed.ts';

function drain({ xenstore }: Domain): WatchEvent[] {
  const events: WatchEvent[] = [];
  for (let event = xenstore.checkWatch(); event !== undefined; event = xenstore.checkWatch()) events.push(event);
  return events;
}

const paths = (domain: Domain): string[] => drain(domain).map(({ path }) => path);

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
    expect(xenstore.tryRead('/a/b')).to.equal(undefined);
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
    expectError(() => guest.xenstore.write('name', ''), 'EACCES');
    expectError(() => guest.xenstore.rm('name'), 'EACCES');
    expectError(() => guest.xenstore.rm('nothing'), 'EACCES');
    expectError(() => guest.xenstore.read('nothing/at/all'), 'ENOENT');
    expectError(() => guest.xenstore.directory('/local'), 'EACCES');
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
});

describe('xenstore watches', () => {
  it('fire once at registration, then at changes at and below the path', () => {
    const { dom0 } = testbed();
    const { xenstore } = dom0;
    xenstore.watch('/a', 'token');
    expect(drain(dom0)).to.deep.equal([{ path: '/a', token: 'token' }]);
    for (const path of ['/a', '/a/b/c', '/ab', '/b']) xenstore.write(path, '1');
    xenstore.setPermissions('/a/b', [{ domid: 0, access: 'r' }]);
    xenstore.mkdir('/a/b');
    xenstore.mkdir('/a/d');
    expect(paths(dom0)).to.deep.equal(['/a', '/a/b/c', '/a/b', '/a/d']);
    xenstore.rm('/a');
    expect(paths(dom0)).to.deep.equal(['/a']);
  });

  it('of nodes below one that is removed fire for themselves', () => {
    const { dom0 } = testbed();
    dom0.xenstore.write('/a/b/c', '');
    for (const path of ['/a', '/a/b', '/a/b/c', '/a/x']) dom0.xenstore.watch(path, '');
    drain(dom0);
    dom0.xenstore.rm('/a');
    expect(paths(dom0)).to.have.members(['/a', '/a/b', '/a/b/c']);
  });

  it('may be on what is not there, and are told apart by their tokens', () => {
    const { dom0 } = testbed();
    const { xenstore } = dom0;
    xenstore.watch('/a', 'x');
    xenstore.watch('/a', 'y');
    expectError(() => xenstore.watch('/a', 'x'), 'EEXIST');
    drain(dom0);
    xenstore.write('/a', '');
    xenstore.unwatch('/a', 'x');
    expect(drain(dom0)).to.deep.equal([{ path: '/a', token: 'y' }]);
    expectError(() => xenstore.unwatch('/a', 'x'), 'ENOENT');
  });

  it('of relative paths tell relative paths', () => {
    const { dom0, guest } = testbed();
    guest.xenstore.watch('data', 't');
    guest.xenstore.write('data/x', '');
    dom0.xenstore.write(`/local/domain/${guest.domid}/data/y`, '');
    expect(paths(guest)).to.deep.equal(['data', 'data/x', 'data/y']);
  });

  it('tell only of what the domain may read', () => {
    const { dom0, guest, other } = testbed();
    const data = `/local/domain/${guest.domid}/data`;
    other.xenstore.watch(data, '');
    other.xenstore.watch('@releaseDomain', '');
    drain(other);
    guest.xenstore.write('data/secret', '1');
    guest.xenstore.rm('data/secret');
    expect(paths(other)).to.deep.equal([]);
    guest.xenstore.write('data/open', '1');
    guest.xenstore.setPermissions('data/open', [{ domid: guest.domid, access: 'r' }]);
    guest.xenstore.rm('data/open');
    expect(paths(other)).to.deep.equal([`${data}/open`]);
    dom0.xenstore.write('/x', '');
    expect(paths(other)).to.deep.equal([]);
  });

  it('tell dom0 when domains come and go', () => {
    const { hypervisor, dom0, guest } = testbed();
    dom0.xenstore.watch('@introduceDomain', 'i');
    dom0.xenstore.watch('@releaseDomain', 'r');
    drain(dom0);
    hypervisor.createDomain({ name: 'third', memoryBytes: 4096 });
    expect(drain(dom0)).to.deep.equal([{ path: '@introduceDomain', token: 'i' }]);
    hypervisor.destroyDomain(guest.domid);
    expect(drain(dom0)).to.deep.equal([{ path: '@releaseDomain', token: 'r' }]);
    expectError(() => dom0.xenstore.read(`/local/domain/${guest.domid}`), 'ENOENT');
  });

  it('lose no change when the log begins anew, even to a thread that was not looking', () => {
    const { hypervisor, machine, dom0, guest } = testbed({ xenstoreBytesMax: 65536 });
    const late = EmulatedHypervisor.join(hypervisor.handle, machine);
    const sleeper = late.domain(0);
    dom0.xenstore.write('/a/gone', '');
    for (const path of ['/a', '/b', '@releaseDomain']) sleeper.xenstore.watch(path, path);
    drain(sleeper);
    dom0.xenstore.write('/a/new', '1');
    dom0.xenstore.rm('/a/gone');
    hypervisor.destroyDomain(guest.domid);
    for (let n = 0; n < 2000; n++) dom0.xenstore.write('/counter', String(n));
    expect(paths(sleeper)).to.include.members(['/a/new', '/a/gone', '@releaseDomain']).and.not.include('/b');
    expect(sleeper.xenstore.read('/counter')).to.equal('1999');
    expect(sleeper.xenstore.directory('/a')).to.deep.equal(['new']);
    expect(dom0.xenstore.directory('/a')).to.deep.equal(['new']);
  });

  it('are waited for, with and without blocking', async () => {
    const { dom0, guest } = testbed();
    guest.xenstore.watch('data', '');
    expect(guest.xenstore.readWatch(soon()).path).to.equal('data');
    expectError(() => guest.xenstore.readWatch(0), 'ETIMEDOUT');
    const waiting = guest.xenstore.readWatchAsync();
    dom0.xenstore.write(`/local/domain/${guest.domid}/data/x`, '');
    expect((await waiting).path).to.equal('data/x');
  });
});

describe('xenstore transactions', () => {
  it('are seen by others at their end, all at once', () => {
    const { dom0, guest } = testbed();
    dom0.xenstore.watch('/a', '');
    drain(dom0);
    const t = dom0.xenstore.transactionStart();
    dom0.xenstore.write('/a/x', '1', t);
    dom0.xenstore.write('/a/y', '2', t);
    expect(dom0.xenstore.read('/a/x', t)).to.equal('1');
    expect(dom0.xenstore.directory('/a', t)).to.deep.equal(['x', 'y']);
    expectError(() => dom0.xenstore.read('/a/x'), 'ENOENT');
    expect(drain(dom0)).to.deep.equal([]);
    dom0.xenstore.transactionEnd(t);
    expect(dom0.xenstore.directory('/a')).to.deep.equal(['x', 'y']);
    expect(paths(dom0)).to.deep.equal(['/a/x', '/a/y']);
    expectError(() => dom0.xenstore.transactionEnd(t), 'ENOENT');
    expectError(() => guest.xenstore.read('name', 5), 'ENOENT');
  });

  it('can be dropped', () => {
    const { dom0 } = testbed();
    const t = dom0.xenstore.transactionStart();
    dom0.xenstore.write('/a', '1', t);
    dom0.xenstore.transactionEnd(t, true);
    expectError(() => dom0.xenstore.read('/a'), 'ENOENT');
  });

  it('fail when others changed what they had read, written or found missing', () => {
    const { dom0 } = testbed();
    const { xenstore } = dom0;
    const conflicts: [string, (t: number) => void, () => void][] = [
      ['value', (t) => xenstore.read('/a/x', t), () => xenstore.write('/a/x', '2')],
      ['missing', (t) => xenstore.tryRead('/a/n', t), () => xenstore.write('/a/n', '2')],
      ['children', (t) => xenstore.directory('/a', t), () => xenstore.write('/a/new', '')],
      [
        'permissions',
        (t) => xenstore.getPermissions('/a', t),
        () => xenstore.setPermissions('/a', [{ domid: 0, access: 'r' }]),
      ],
      ['written', (t) => xenstore.write('/a/x', '3', t), () => xenstore.write('/a/x', '4')],
      ['removed', (t) => xenstore.read('/a/x', t), () => xenstore.rm('/a/x')],
      [
        'made anew',
        (t) => xenstore.read('/a/x', t),
        () => {
          xenstore.rm('/a/x');
          xenstore.write('/a/x', '1');
        },
      ],
    ];
    for (const [what, inside, outside] of conflicts) {
      xenstore.rm('/a');
      xenstore.write('/a/x', '1');
      const t = xenstore.transactionStart();
      inside(t);
      outside();
      const before = xenstore.tryRead('/a/x');
      xenstore.write('/done', what, t);
      expectError(() => xenstore.transactionEnd(t), 'EAGAIN', /begin again/);
      expect(xenstore.tryRead('/a/x'), what).to.equal(before);
      expect(xenstore.tryRead('/done'), what).to.equal(undefined);
    }
  });

  it('do not mind changes elsewhere', () => {
    const { xenstore } = testbed().dom0;
    xenstore.write('/a/x', '1');
    xenstore.write('/b', '1');
    const t = xenstore.transactionStart();
    xenstore.write('/a/x', xenstore.read('/a/x', t) + '2', t);
    xenstore.write('/b', '2');
    xenstore.transactionEnd(t);
    expect(xenstore.read('/a/x')).to.equal('12');
  });

  it('remove and make again in one', () => {
    const { dom0 } = testbed();
    dom0.xenstore.write('/a/x/y', '1');
    dom0.xenstore.watch('/a', '');
    drain(dom0);
    dom0.xenstore.transaction((t) => {
      dom0.xenstore.rm('/a/x', t);
      dom0.xenstore.write('/a/x/z', '2', t);
    });
    expect(dom0.xenstore.directory('/a/x')).to.deep.equal(['z']);
    expect(paths(dom0)).to.include('/a/x/z');
  });

  it('change nothing by a refused call, and go on after it', () => {
    const { guest } = testbed({ xenstoreNodesMax: 2 });
    guest.xenstore.transaction((t) => {
      expectError(() => guest.xenstore.write('data/a/b/c', '', t), 'ENOSPC');
      guest.xenstore.write('data/d', '1', t);
    });
    expect(guest.xenstore.directory('data')).to.deep.equal(['d']);
  });

  it('are begun again by transaction(), a limited number of times', () => {
    const { xenstore } = testbed().dom0;
    let attempts = 0;
    const disturb = (times: number) => (t: number) => {
      xenstore.write('/a', xenstore.tryRead('/a', t) ?? '', t);
      if (attempts++ < times) xenstore.write('/a', String(attempts));
      return attempts;
    };
    expect(xenstore.transaction(disturb(3))).to.equal(4);
    attempts = 0;
    expectError(() => xenstore.transaction(disturb(1000)), 'EAGAIN');
    expect(attempts).to.equal(8);
    expect(() =>
      xenstore.transaction((t) => {
        xenstore.write('/a', 'never', t);
        throw new Error('own');
      }),
    ).to.throw('own');
    expect(xenstore.read('/a')).not.to.equal('never');
  });
});
