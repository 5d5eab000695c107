import { EmulatedHypervisor } from '@openverbs/hypervisor';
import { Machine } from '@openverbs/machine';
import { expect } from 'chai';
import { Account, ACCOUNTS_MAX, AccountTable, readAccount } from '../src/backend/accounting.ts';
import { guestCountsIn } from '../src/channel/guest-counts.ts';
import { readGuests } from '../src/guest-counters.ts';
import { HostileFrontend } from './support/hostile-frontend.ts';
import { XenMachine } from './support/xen-machine.ts';

describe('accounts of guests', () => {
  it('are found by their place through any handle of the device domain, and begin at zero when they are taken again', () => {
    const machine = Machine.create();
    const hypervisor = EmulatedHypervisor.create(machine);
    const [dom0, other] = [hypervisor.domain(0), hypervisor.domain(0)];
    const { usedBytes } = machine.pages.stats();
    const table = new AccountTable(dom0.memory);
    const accounts = [table.take(), table.take()];
    for (const [n, { counts }] of accounts.entries()) counts[Account.DOUBLES - 1] = n + 1;
    const last = accounts.map(({ place }) => readAccount(other.memory, place)![Account.DOUBLES - 1]);
    expect(last).to.deep.equal([1, 2]);
    table.give(accounts[0]);
    const again = table.take();
    expect([again.place, again.counts.every((count) => count === 0)]).to.deep.equal([accounts[0].place, true]);
    expect(accounts[1].counts[Account.DOUBLES - 1]).to.equal(2);
    table.close();
    expect(machine.pages.stats().usedBytes).to.equal(usedBytes);
    machine.detach();
  });

  it('are counted on, unseen, when all are taken', () => {
    const machine = Machine.create();
    const table = new AccountTable(EmulatedHypervisor.create(machine).domain(0).memory);
    const places = Array.from({ length: ACCOUNTS_MAX }, () => table.take().place);
    expect(new Set(places).size).to.equal(ACCOUNTS_MAX);
    const more = table.take();
    more.counts[Account.COMMANDS]++;
    expect([more.place, more.counts[Account.COMMANDS]]).to.deep.equal(['', 1]);
    table.give(more);
    machine.detach();
  });

  it('are not anywhere else', () => {
    const machine = Machine.create();
    const dom0 = EmulatedHypervisor.create(machine).domain(0);
    for (const place of [undefined, '', 'x', '1', '1:2:3', '-1:0']) {
      expect(readAccount(dom0.memory, place), String(place)).to.equal(null);
    }
    expect(() => readAccount(dom0.memory, '99999:0')).to.throw(/does not belong to domain 0/);
    machine.detach();
  });

  it('take no number from a guest that is none', () => {
    const xen = new XenMachine();
    try {
      const guest = xen.addGuest('basic');
      const front = new HostileFrontend(xen, guest);
      expect(front.connect()).to.equal(true);
      const told = guestCountsIn({ ...front.page(1), u8: xen.machine.u8, address: 0 });
      for (const lie of [NaN, -1, Infinity, 2 ** 60]) {
        told.fill(lie);
        xen.dom0.backend.sample();
        expect(readGuests(xen.hypervisor, new Map())[0], String(lie)).to.include({
          polls: 0,
          cacheHits: 0,
          notifications: 0,
        });
      }
      told.fill(7);
      xen.dom0.backend.sample();
      expect(readGuests(xen.hypervisor, new Map())[0]).to.include({ polls: 7, pollsSaved: 7, cachePagesSaved: 7 });
    } finally {
      xen.close();
    }
  });
});
