import { expect } from 'chai';
import type { Domain } from '../src/index.ts';
import { DomainRecord } from '../src/emulated/layout.ts';
import { findTables } from '../src/emulated/tables.ts';
import { expectError, soon, testbed } from './support/testbed.ts';
import type { Testbed } from './support/testbed.ts';

/** Connects a guest to dom0, and takes the event that comes with it. */
function connect({ dom0 }: Testbed, guest: Domain): { near: number; far: number } {
  const near = guest.eventChannels.allocUnbound(0);
  const far = dom0.eventChannels.bindInterdomain(guest.domid, near);
  expect(dom0.eventChannels.take()).to.equal(far);
  dom0.eventChannels.unmask(far);
  return { near, far };
}

describe('event channels', () => {
  it('have an event pending when they are bound', () => {
    const { dom0, guest } = testbed();
    const near = guest.eventChannels.allocUnbound(0);
    const far = dom0.eventChannels.bindInterdomain(guest.domid, near);
    expect([near, far].every((port) => port > 0)).to.be.true;
    expect(dom0.eventChannels.isPending(far)).to.be.true;
    expect(guest.eventChannels.isPending(near)).to.be.false;
    expect(guest.eventChannels.take()).to.equal(0);
  });

  it('carry a bit each way', () => {
    const bed = testbed();
    const { dom0, guest } = bed;
    const { near, far } = connect(bed, guest);
    guest.eventChannels.notify(near);
    guest.eventChannels.notify(near);
    expect(dom0.eventChannels.take()).to.equal(far);
    expect(dom0.eventChannels.take()).to.equal(0);
    dom0.eventChannels.notify(far);
    expect(guest.eventChannels.wait(soon())).to.equal(near);
  });

  it('hold back what comes while they are masked, as after an event was taken', () => {
    const bed = testbed();
    const { dom0, guest } = bed;
    const { near, far } = connect(bed, guest);
    guest.eventChannels.notify(near);
    expect(dom0.eventChannels.take()).to.equal(far);
    guest.eventChannels.notify(near);
    expect(dom0.eventChannels.take()).to.equal(0);
    expect(dom0.eventChannels.isPending(far)).to.be.true;
    dom0.eventChannels.unmask(far);
    expect(dom0.eventChannels.take()).to.equal(far);
    dom0.eventChannels.unmask(far);
    expect(dom0.eventChannels.take()).to.equal(0);
    dom0.eventChannels.mask(far);
    guest.eventChannels.notify(near);
    expectError(() => dom0.eventChannels.wait(0), 'ETIMEDOUT', new RegExp(`at the ports ${far} `));
    expectError(() => bed.other.eventChannels.wait(0), 'ETIMEDOUT', /at the ports \(none\)/);
    dom0.eventChannels.unmask(far);
    expect(dom0.eventChannels.wait(soon())).to.equal(far);
  });

  it('wake their domain when they come or may come, and not while they are held back', () => {
    const bed = testbed();
    const { near, far } = connect(bed, bed.guest);
    const { i32 } = bed.machine;
    const word = findTables(bed.machine).running(0).record + DomainRecord.UPCALL;
    const wakes = (action: () => unknown): number => {
      const before = i32[word];
      action();
      return i32[word] - before;
    };
    const [{ eventChannels: sender }, { eventChannels }] = [bed.guest, bed.dom0];
    expect(wakes(() => sender.notify(near))).to.equal(1);
    expect(
      wakes(() => sender.notify(near)),
      'one that is pending already',
    ).to.equal(0);
    expect(eventChannels.take()).to.equal(far);
    expect(
      wakes(() => sender.notify(near)),
      'one that is held back',
    ).to.equal(0);
    expect(wakes(() => eventChannels.unmask(far))).to.equal(1);
    expect(eventChannels.take()).to.equal(far);
    expect(
      wakes(() => eventChannels.unmask(far)),
      'none',
    ).to.equal(0);
  });

  it('have an event and a mask each, beside those of their neighbours', () => {
    const bed = testbed();
    const [first, second] = [1, 2].map(() => connect(bed, bed.guest));
    const { eventChannels } = bed.dom0;
    const word = findTables(bed.machine).running(0).record + DomainRecord.UPCALL;
    eventChannels.mask(second.far);
    bed.guest.eventChannels.notify(second.near);
    expect(eventChannels.isPending(first.far)).to.be.false;
    const before = bed.machine.i32[word];
    bed.guest.eventChannels.notify(first.near);
    expect(bed.machine.i32[word]).to.equal(before + 1);
    expect([eventChannels.take(), eventChannels.take()]).to.deep.equal([first.far, 0]);
  });

  it('are served by turns', () => {
    const bed = testbed();
    const ends = [1, 2, 3].map(() => connect(bed, bed.guest));
    const taken: number[] = [];
    for (let turn = 0; turn < 6; turn++) {
      for (const { near } of ends) bed.guest.eventChannels.notify(near);
      const port = bed.dom0.eventChannels.take();
      bed.dom0.eventChannels.unmask(port);
      taken.push(port);
    }
    expect(new Set(taken.slice(0, 3)).size).to.equal(3);
    expect(taken.slice(3)).to.deep.equal(taken.slice(0, 3));
  });

  it('are bound only by the domain that they are for, and once', () => {
    const { dom0, guest, other } = testbed();
    const near = guest.eventChannels.allocUnbound(0);
    expectError(() => other.eventChannels.bindInterdomain(guest.domid, near), 'EINVAL', /is for domain 0, not 2/);
    dom0.eventChannels.bindInterdomain(guest.domid, near);
    expectError(() => dom0.eventChannels.bindInterdomain(guest.domid, near), 'EINVAL', /not waiting/);
    for (const port of [0, -1, 0.5, NaN, 4096])
      expectError(() => dom0.eventChannels.bindInterdomain(guest.domid, port), 'EINVAL', /does not exist/);
    expectError(() => dom0.eventChannels.bindInterdomain(guest.domid, near + 1), 'EINVAL', /not waiting/);
    expectError(() => dom0.eventChannels.bindInterdomain(9, near), 'ESRCH');
    for (const domid of [-1, 0.5, NaN]) expectError(() => guest.eventChannels.allocUnbound(domid), 'EINVAL');
  });

  it('are used through the handle that has bound them, and through no other', () => {
    const bed = testbed();
    const { far } = connect(bed, bed.guest);
    const { eventChannels: another } = bed.hypervisor.domain(0);
    const calls = ['notify', 'mask', 'unmask', 'isPending', 'close'] as const;
    for (const call of calls) expectError(() => another[call](far), 'EINVAL', /not bound by this handle/, call);
    expect(bed.hypervisor.usageOf(0).ports).to.equal(1);
  });

  it('drop what is sent to nobody', () => {
    const bed = testbed();
    const { dom0, guest } = bed;
    guest.eventChannels.notify(guest.eventChannels.allocUnbound(0));
    const { near, far } = connect(bed, guest);
    dom0.eventChannels.close(far);
    expectError(() => dom0.eventChannels.notify(far), 'EINVAL', /not bound by this handle/);
    guest.eventChannels.notify(near);
    expect(guest.eventChannels.take()).to.equal(0);
    const again = dom0.eventChannels.bindInterdomain(guest.domid, near);
    dom0.eventChannels.notify(again);
    expect(guest.eventChannels.take()).to.equal(near);
    expectError(() => dom0.eventChannels.close(99), 'EINVAL', /not bound by this handle/);
  });

  it('do not reach the next port that has the number of the one they were for', () => {
    const bed = testbed();
    const { dom0, guest, other } = bed;
    const { near, far } = connect(bed, guest);
    dom0.eventChannels.close(far);
    expect(dom0.eventChannels.allocUnbound(other.domid)).to.equal(far);
    guest.eventChannels.notify(near);
    expect(dom0.eventChannels.isPending(far)).to.be.false;
  });

  it('do not tell of the death of a domain', () => {
    const bed = testbed();
    const { hypervisor, dom0, guest } = bed;
    const { far } = connect(bed, guest);
    hypervisor.destroyDomain(guest.domid);
    expect(dom0.eventChannels.take()).to.equal(0);
    dom0.eventChannels.notify(far);
    dom0.eventChannels.close(far);
  });

  it('begin without the event that was pending when another closed which had their number', () => {
    const bed = testbed();
    const { dom0, guest } = bed;
    const { near, far } = connect(bed, guest);
    dom0.eventChannels.notify(far);
    guest.eventChannels.close(near);
    expect(guest.eventChannels.allocUnbound(0)).to.equal(near);
    expect(guest.eventChannels.isPending(near)).to.be.false;
  });

  it('begin unmasked, also where another was masked which had their number', () => {
    const bed = testbed();
    const { dom0, guest } = bed;
    const first = guest.eventChannels.allocUnbound(0);
    guest.eventChannels.mask(first);
    guest.eventChannels.close(first);
    const { near, far } = connect(bed, guest);
    expect(near).to.equal(first);
    dom0.eventChannels.notify(far);
    expect(guest.eventChannels.take()).to.equal(near);
  });

  it('have a limit', () => {
    const { guest } = testbed({ portsMax: 8 });
    for (let port = 1; port < 8; port++) guest.eventChannels.allocUnbound(0);
    expectError(() => guest.eventChannels.allocUnbound(0), 'ENOSPC', /portsMax is 8/);
    guest.eventChannels.close(3);
    expect(guest.eventChannels.allocUnbound(0)).to.equal(3);
  });

  it('are waited for without blocking, and no event is lost to an abort', async () => {
    const bed = testbed();
    const { dom0, guest } = bed;
    const { near, far } = connect(bed, guest);
    const controller = new AbortController();
    const aborted = dom0.eventChannels.waitAsync({ signal: controller.signal }).catch((error: unknown) => error);
    controller.abort(new Error('enough'));
    guest.eventChannels.notify(near);
    expect(await aborted).to.include({ message: 'enough' });
    const gone = await dom0.eventChannels.waitAsync({ signal: controller.signal }).catch((error: unknown) => error);
    expect(gone).to.include({ message: 'enough' });
    expect(await dom0.eventChannels.waitAsync()).to.equal(far);
    dom0.eventChannels.unmask(far);
    const waiting = dom0.eventChannels.waitAsync();
    guest.eventChannels.notify(near);
    expect(await waiting).to.equal(far);
  });
});
