import { expect } from 'chai';
import { WordListeners } from '../src/emulated/async-wait.ts';
import { DomainAccess } from '../src/emulated/domain-access.ts';
import { findTables } from '../src/emulated/tables.ts';
import { XenstoreConnection } from '../src/emulated/xenstore/connection.ts';
import { StoreLog } from '../src/emulated/xenstore/log.ts';
import { EmulatedHypervisor, XENSTORE_WATCH_EVENTS_MAX } from '../src/index.ts';
import { expectError, soon, testbed } from './support/testbed.ts';
import { drain, paths } from './support/watches.ts';

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
    expect(paths(other), 'as it may from then on').to.deep.equal([`${data}/open`]);
    guest.xenstore.rm('data/open');
    expect(paths(other), 'as it could until then').to.deep.equal([`${data}/open`]);
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
    const log = new StoreLog(findTables(machine));
    for (let n = 0; n < 2000; n++) {
      dom0.xenstore.write('/counter', String(n));
      // Without the top bit, which says in which half.
      expect((machine.i32[log.word] << 1) >>> 1).to.be.at.most(65536 / 4);
    }
    expect(paths(sleeper)).to.include.members(['/a/new', '/a/gone', '@releaseDomain']).and.not.include('/b');
    expect(sleeper.xenstore.read('/counter')).to.equal('1999');
    expect(sleeper.xenstore.directory('/a')).to.deep.equal(['new']);
    expect(dom0.xenstore.directory('/a')).to.deep.equal(['new']);
  });

  it('of the root tell of all', () => {
    const { dom0 } = testbed();
    dom0.xenstore.watch('/', '');
    dom0.xenstore.write('/a/b', '');
    expect(paths(dom0)).to.deep.equal(['/', '/a/b']);
  });

  it('tell once of changes of a node that were not looked at yet', () => {
    const { dom0 } = testbed();
    dom0.xenstore.watch('/a', '');
    drain(dom0);
    for (const path of ['/a/x', '/a/y', '/a/x']) dom0.xenstore.write(path, '');
    expect(paths(dom0)).to.deep.equal(['/a/x', '/a/y']);
    dom0.xenstore.write('/a/x', '');
    expect(paths(dom0)).to.deep.equal(['/a/x']);
  });

  it('that nobody reads become one event', () => {
    const { dom0 } = testbed();
    dom0.xenstore.watch('/a', 'a');
    dom0.xenstore.watch('/b', 'b');
    dom0.xenstore.transaction((t) => {
      for (let i = 0; i < 10; i++) dom0.xenstore.write(`/a/${i}`, '', t);
    });
    for (let n = 0; n < XENSTORE_WATCH_EVENTS_MAX; n += 64) {
      dom0.xenstore.mkdir('/b');
      for (let i = 0; i < 64; i++) dom0.xenstore.write(`/b/${n + i}`, '');
      dom0.xenstore.rm('/b');
    }
    const events = drain(dom0);
    expect(events.length).to.be.at.most(XENSTORE_WATCH_EVENTS_MAX);
    expect(events).to.deep.include({ path: '/b', token: 'b' }).and.deep.include({ path: '/a/9', token: 'a' });
  });

  it('hear of no change when their connection is closed', () => {
    const { machine } = testbed();
    const tables = findTables(machine);
    const log = new StoreLog(tables);
    const services = { listeners: new WordListeners(machine.i32), tend: () => undefined };
    const connection = new XenstoreConnection(new DomainAccess(tables, tables.running(0), services), log);
    expect(log.listeners.size).to.equal(1);
    connection.close();
    expect(log.listeners.size).to.equal(0);
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
