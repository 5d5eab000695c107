import { expect } from 'chai';
import { Machine } from '@openverbs/machine';
import { DOMID_FIRST_RESERVED, EmulatedHypervisor } from '../src/index.ts';
import type { HypervisorHandle } from '../src/index.ts';
import { DomainRecord, HvHeader } from '../src/emulated/layout.ts';
import { findTables } from '../src/emulated/tables.ts';
import { callsOf } from './support/calls.ts';
import { world } from './support/cut.ts';
import { lockEntries } from './support/lock-entries.ts';
import { expectError, PAGE, soon, testbed } from './support/testbed.ts';
import { drain, paths } from './support/watches.ts';

describe('domains', () => {
  it('are numbered, listed and described', () => {
    const { hypervisor, guest, other } = testbed();
    guest.memory.allocPages(3);
    expect(hypervisor.domains()).to.deep.equal([
      { domid: 0, name: 'Domain-0', state: 'running', totPages: 0, maxPages: 65536 },
      { domid: guest.domid, name: 'guest', state: 'running', totPages: 3, maxPages: 256 },
      { domid: other.domid, name: 'other', state: 'running', totPages: 0, maxPages: 256 },
    ]);
    expect([guest.domid, other.domid]).to.deep.equal([1, 2]);
  });

  it('are called by their numbers where no name is given', () => {
    const { hypervisor, other } = testbed();
    const domid = hypervisor.createDomain({ memoryBytes: PAGE });
    expect(domid).to.equal(other.domid + 1);
    expect(hypervisor.domains().at(-1)).to.include({ domid, name: `guest${domid}` });
    expect(hypervisor.domain(0).xenstore.read(`/local/domain/${domid}/name`)).to.equal(`guest${domid}`);
  });

  it('are refused with a bad name, without memory, and when there are too many', () => {
    const { hypervisor } = testbed({ domainsMax: 3 });
    for (const name of ['', 'a b', 'x'.repeat(65), 'a/b'])
      expectError(() => hypervisor.createDomain({ name, memoryBytes: PAGE }), 'EINVAL');
    for (const memoryBytes of [0, -1, NaN, Infinity])
      expectError(() => hypervisor.createDomain({ name: 'x', memoryBytes }), 'EINVAL', /of domain x is/);
    expectError(() => hypervisor.createDomain({ memoryBytes: 0 }), 'EINVAL', /of a domain is 0/);
    expectError(() => hypervisor.createDomain({ name: 'x', memoryBytes: PAGE }), 'ENOSPC', /domainsMax/);
    expect(hypervisor.domains()).to.have.length(3);
  });

  it('that do not exist cannot be opened or destroyed, and dom0 stays', () => {
    const { hypervisor } = testbed();
    for (const domid of [7, -1, 0.5, NaN]) {
      expectError(() => hypervisor.domain(domid), 'ESRCH');
      expectError(() => hypervisor.destroyDomain(domid), 'ESRCH');
    }
    expectError(() => hypervisor.destroyDomain(0), 'EPERM');
  });

  it('have numbers that are not used again soon', () => {
    const { hypervisor, other } = testbed({ domainsMax: 3 });
    hypervisor.destroyDomain(other.domid);
    const next = hypervisor.createDomain({ name: 'next', memoryBytes: PAGE });
    expect(next).to.equal(other.domid + 1);
    expect(other.alive).to.be.false;
    expectError(() => other.memory.allocPages(1), 'ESRCH', /destroyed/);
    expectError(() => other.xenstore.read('name'), 'ESRCH');
    expectError(() => other.eventChannels.take(), 'ESRCH');
    expectError(() => other.grantTable.map(0, []).page(0), 'ESRCH');
  });

  it('have the smallest numbers again after the largest, except those in use', () => {
    const { machine, hypervisor, other } = testbed();
    machine.i32[findTables(machine).header + HvHeader.NEXT_DOMID] = DOMID_FIRST_RESERVED - 1;
    const domids = [1, 2].map(() => hypervisor.createDomain({ memoryBytes: PAGE }));
    expect(domids).to.deep.equal([DOMID_FIRST_RESERVED - 1, other.domid + 1]);
  });

  it('that are destroyed give back what they had of others, and keep what others have of them', () => {
    const { machine, hypervisor, dom0, guest, other } = testbed();
    const { usedBytes } = machine.pages.stats();
    const shared = guest.grantTable.sharePages(0, 2);
    const kept = guest.memory.allocPages(4);
    const mapping = dom0.grantTable.map(guest.domid, [shared.refs[0]]);
    const pinned = dom0.memory.pinPages(guest.domid, [kept + 1, kept + 3]);
    const granted = other.grantTable.sharePages(guest.domid, 1);
    guest.grantTable.map(other.domid, granted.refs);
    expectError(() => granted.unshare(), 'EBUSY');
    mapping.page(0).i32[mapping.page(0).word] = 42;

    hypervisor.destroyDomain(guest.domid);
    granted.unshare();
    expect(mapping.page(0).i32[mapping.page(0).word]).to.equal(42);
    expect(hypervisor.domains()[1]).to.include({ domid: guest.domid, state: 'dying', totPages: 6 });
    expectError(() => hypervisor.domain(guest.domid), 'ESRCH');
    expectError(() => dom0.grantTable.map(guest.domid, shared.refs), 'ESRCH');
    expectError(() => dom0.memory.pinPages(guest.domid, [kept]), 'ESRCH');

    mapping.unmap();
    expect(hypervisor.domains()[1]).to.include({ domid: guest.domid, state: 'dying', totPages: 4 });
    pinned.unpin();
    expect(hypervisor.domains().map(({ domid }) => domid)).to.deep.equal([0, other.domid]);
    expect(machine.pages.stats().usedBytes).to.equal(usedBytes);
  });

  it('that are dead are gone with the last domain that used their pages', () => {
    const { hypervisor, guest, other } = testbed();
    other.grantTable.map(guest.domid, guest.grantTable.sharePages(other.domid, 1).refs);
    hypervisor.destroyDomain(guest.domid);
    expect(hypervisor.domains()).to.have.length(3);
    hypervisor.destroyDomain(other.domid);
    expect(hypervisor.domains().map(({ domid }) => domid)).to.deep.equal([0]);
  });

  it('close their handles as processes do', () => {
    const { hypervisor, dom0, guest } = testbed();
    const shared = guest.grantTable.sharePages(0, 1);
    const process = hypervisor.domain(0);
    process.grantTable.map(guest.domid, shared.refs);
    process.memory.pinPages(guest.domid, [shared.page(0).address / PAGE]);
    const port = process.eventChannels.allocUnbound(guest.domid);
    expectError(() => shared.unshare(), 'EBUSY', /mapped/);
    process.close();
    process.close();
    shared.unshare();
    expectError(() => guest.eventChannels.bindInterdomain(0, port), 'EINVAL');
    expectError(() => process.eventChannels.take(), 'ESRCH', /closed/);
    expect(dom0.alive).to.be.true;
  });

  it('that are destroyed refuse every call, and so does a handle that was closed', async () => {
    const { hypervisor, dom0, guest, other } = testbed();
    const [ofGuest, ofOther] = [callsOf(guest, dom0), callsOf(other, dom0)];
    hypervisor.destroyDomain(guest.domid);
    other.close();
    for (const [name, call] of ofGuest) expectError(call, 'ESRCH', new RegExp(`^domain 1 .* destroyed`), name);
    for (const [name, call] of ofOther) expectError(call, 'ESRCH', new RegExp(`^domain 2 .* closed`), name);
    const refused = { code: 'ESRCH' };
    for (const domain of [guest, other]) {
      expect(await domain.eventChannels.waitAsync().catch((error: unknown) => error)).to.include(refused);
      expect(await domain.xenstore.readWatchAsync().catch((error: unknown) => error)).to.include(refused);
    }
  });

  it('that are destroyed leave alone what the next domain has in the same tables, when their handles are closed', () => {
    const { machine, hypervisor, dom0, guest, other } = testbed({ domainsMax: 3 });
    const { index } = findTables(machine).running(guest.domid);
    const has = (domain: typeof guest): void => {
      domain.eventChannels.allocUnbound(0);
      domain.grantTable.map(0, dom0.grantTable.sharePages(domain.domid, 1).refs);
      domain.memory.pinPages(domain.domid, [domain.memory.allocPages(1)]);
    };
    has(guest);
    hypervisor.destroyDomain(guest.domid);
    const next = hypervisor.domain(hypervisor.createDomain({ name: 'next', memoryBytes: 256 * PAGE }));
    has(next);
    const slot = findTables(machine).running(next.domid);
    expect(slot.index).to.equal(index);
    const before = { usage: hypervisor.usageOf(next.domid), thread: machine.i32[slot.record + DomainRecord.THREAD] };
    expect(before.usage).to.deep.equal({ grants: 0, mappings: 1, pinnedRuns: 1, ports: 1 });
    guest.close();
    const after = { usage: hypervisor.usageOf(next.domid), thread: machine.i32[slot.record + DomainRecord.THREAD] };
    expect(after).to.deep.equal(before);
    expect(other.alive).to.be.true;
  });

  it('have the tables of those that had their places before', () => {
    const { machine, hypervisor, other } = testbed({ domainsMax: 3 });
    const { usedBytes } = machine.pages.stats();
    hypervisor.destroyDomain(other.domid);
    hypervisor.createDomain({ name: 'next', memoryBytes: PAGE });
    expect(machine.pages.stats().usedBytes).to.equal(usedBytes);
  });

  it('wait for anything, and not for ever', () => {
    const { machine, guest } = testbed();
    let turns = 0;
    machine.pollers.push(() => turns++);
    guest.waitUntil(() => turns > 3, soon());
    expectError(
      () =>
        guest.waitUntil(
          () => false,
          0,
          () => 'Godot',
        ),
      'ETIMEDOUT',
      /Godot \(domain 1\)/,
    );
  });

  it('that are destroyed while they wait stop waiting', async () => {
    const { machine, hypervisor, guest, other } = testbed();
    machine.pollers.push(() => {
      if (guest.alive) hypervisor.destroyDomain(guest.domid);
    });
    expectError(() => guest.eventChannels.wait(soon()), 'ESRCH');
    machine.pollers.length = 0;
    const waiting = other.eventChannels.waitAsync().catch((error: unknown) => error);
    hypervisor.destroyDomain(other.domid);
    expect(await waiting).to.include({ code: 'ESRCH' });
  });
});

describe('domains of a thread that has ended', () => {
  it('are destroyed as long as it had one handle of them open', () => {
    const { machine, hypervisor, guest, other } = testbed();
    const victim = Machine.attach(machine.handle);
    const [first, second] = [1, 2].map(() => EmulatedHypervisor.join(hypervisor.handle, victim));
    const [twice, again] = [1, 2].map(() => first.createDomain({ memoryBytes: PAGE }));
    const handles = [first.domain(twice), first.domain(twice)];
    handles[0].close();
    const closed = first.domain(again);
    closed.close();
    second.domain(again);
    closed.close();
    machine.threads.declareDead(victim.threadIndex);
    expect(hypervisor.reap()).to.equal(1);
    expect(hypervisor.domains().map(({ domid }) => domid)).to.deep.equal([0, guest.domid, other.domid]);
  });

  it('are not destroyed again, if they were before', () => {
    const { bed, victim, victimMachine } = world();
    const { machine, hypervisor, dom0 } = bed;
    const mapping = dom0.grantTable.map(victim.guest.domid, victim.guest.grantTable.sharePages(0, 1).refs);
    hypervisor.destroyDomain(victim.guest.domid);
    dom0.xenstore.watch('@releaseDomain', '');
    drain(dom0);
    machine.threads.declareDead(victimMachine.threadIndex);
    expect(hypervisor.reap()).to.equal(1);
    expect(paths(dom0)).to.deep.equal([]);
    mapping.unmap();
    expect(hypervisor.domains().map(({ domid }) => domid)).not.to.include(victim.guest.domid);
  });

  it('are noticed by those who wait, who look now and then, and take no lock while all threads live', () => {
    const { bed, victim, victimMachine } = world();
    const { machine, dom0 } = bed;
    const nextLook = (findTables(machine).header + HvHeader.NEXT_LOOK_NS) >>> 1;
    const wait = (): void => expectError(() => dom0.eventChannels.wait(0), 'ETIMEDOUT');
    machine.f64[nextLook] = 0;
    expect(lockEntries(machine, wait)).to.equal(0);
    expect(machine.f64[nextLook]).to.be.greaterThan(0);
    machine.threads.declareDead(victimMachine.threadIndex);
    machine.f64[nextLook] = Infinity;
    wait();
    expect(victim.guest.alive).to.be.true;
    machine.f64[nextLook] = 0;
    wait();
    expect(victim.guest.alive).to.be.false;
  });
});

describe('EmulatedHypervisor', () => {
  it('keeps dom0 when the thread that executes it ends', () => {
    const first = Machine.create({ memoryBytes: 64 * 2 ** 20 });
    const toolstack = EmulatedHypervisor.create(first, { xenstoreBytesMax: 2 ** 20 });
    toolstack.domain(0).grantTable.sharePages(0, 1);
    const machine = Machine.attach(first.handle);
    const hypervisor = EmulatedHypervisor.join(toolstack.handle, machine);
    const dom0 = hypervisor.domain(0);
    machine.threads.declareDead(first.threadIndex);
    expect(hypervisor.reap()).to.equal(1);
    expect(dom0.alive).to.be.true;
    expect(hypervisor.domains().map(({ domid }) => domid)).to.deep.equal([0]);
  });

  it('takes no thread for dead that never opened a domain', () => {
    const { machine, hypervisor } = testbed();
    const { threadIndex } = Machine.attach(machine.handle);
    machine.threads.declareDead(threadIndex);
    expect(hypervisor.reap()).to.equal(0);
  });

  it('cleans up behind a thread that has ended, whose place another thread has', () => {
    const { machine, hypervisor } = testbed();
    const ended = Machine.attach(machine.handle);
    const toolstack = EmulatedHypervisor.join(hypervisor.handle, ended);
    const domid = toolstack.createDomain({ name: 'orphan', memoryBytes: PAGE });
    toolstack.domain(domid);
    ended.detach();
    expect(Machine.attach(machine.handle).threadIndex).to.equal(ended.threadIndex);
    expect(hypervisor.reap()).to.equal(1);
    expect(hypervisor.domains().map((info) => info.domid)).not.to.include(domid);
  });

  it('is one a machine, found by its handle', () => {
    const { machine, hypervisor, guest } = testbed();
    expectError(() => EmulatedHypervisor.create(machine), 'EEXIST');
    const handle = structuredClone(hypervisor.handle);
    const second = EmulatedHypervisor.join(handle, machine);
    expect(second.domains()).to.deep.equal(hypervisor.domains());
    expect(second.limits).to.deep.equal(hypervisor.limits);
    guest.xenstore.write('data/a', 'b');
    expect(second.domain(guest.domid).xenstore.read('data/a')).to.equal('b');
    second.close();
    expectError(() => EmulatedHypervisor.join({} as HypervisorHandle), 'EINVAL');
    const bare = Machine.create({ memoryBytes: 2 ** 20 });
    expectError(() => EmulatedHypervisor.join(handle, bare), 'EINVAL');
  });

  it('closes the handles of its thread, and no domain', () => {
    const { hypervisor, guest } = testbed();
    hypervisor.close();
    expectError(() => guest.memory.allocPages(1), 'ESRCH', /closed/);
    expect(hypervisor.domains()).to.have.length(3);
  });

  it('checks its limits by name', () => {
    const machine = Machine.create({ memoryBytes: 2 ** 20 });
    expectError(() => EmulatedHypervisor.create(machine, { grantsMax: 1 }), 'EINVAL', /grantsMax is 1/);
    expectError(() => EmulatedHypervisor.create(machine, { portsMax: 4097 }), 'EINVAL', /portsMax/);
    expectError(() => EmulatedHypervisor.create(machine, { domainsMax: 2.5 }), 'EINVAL', /domainsMax is 2.5/);
    expectError(() => EmulatedHypervisor.create(machine, { ports: 1 } as object), 'EINVAL', /ports is no limit/);
    expectError(() => EmulatedHypervisor.create(machine), 'ENOMEM', /smaller limits/);
  });
});
