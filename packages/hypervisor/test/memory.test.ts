import { expect } from 'chai';
import { expectError, PAGE, testbed } from './support/testbed.ts';

describe('pages of domains', () => {
  it('are zeroed runs, aligned as asked', () => {
    const { guest } = testbed();
    const frame = guest.memory.allocPages(5, { alignment: 65536 });
    const { i32, word, address } = guest.memory.page(frame);
    expect(address % 65536).to.equal(0);
    i32.fill(1, word, word + 1024);
    guest.memory.freePages(frame);
    const again = guest.memory.allocPages(256);
    for (let i = 0; i < 256; i++) {
      const page = guest.memory.page(again + i);
      expect(page.i32.subarray(page.word, page.word + 1024).every((value) => value === 0)).to.be.true;
    }
  });

  it('are limited by domain and by machine', () => {
    const { guest, dom0 } = testbed();
    expect(guest.memory.maxPages).to.equal(256);
    expectError(() => guest.memory.allocPages(257), 'ENOMEM', /may have 256/);
    expectError(() => dom0.memory.allocPages(65536), 'ENOMEM', /machine/);
    expect(dom0.memory.totPages).to.equal(0);
    const frame = guest.memory.allocPages(256);
    expectError(() => guest.memory.allocPages(1), 'ENOMEM');
    guest.memory.freePages(frame);
    expect(guest.memory.totPages).to.equal(0);
    for (const count of [0, -1, 0.5, NaN, Infinity]) expectError(() => guest.memory.allocPages(count), 'EINVAL');
    for (const alignment of [1, 4097, 12288, NaN])
      expectError(() => guest.memory.allocPages(1, { alignment }), 'EINVAL');
  });

  it('belong to one domain', () => {
    const { guest, other } = testbed();
    const frame = guest.memory.allocPages(2);
    expectError(() => other.memory.page(frame), 'EPERM');
    expectError(() => other.memory.freePages(frame), 'EINVAL');
    expectError(() => guest.memory.freePages(frame + 1), 'EINVAL');
    expectError(() => guest.memory.freePages(NaN), 'EINVAL');
    expectError(() => guest.memory.page(frame + 2), 'EPERM');
  });

  it('that are pinned stay, and so do their grants', () => {
    const { dom0, guest } = testbed();
    const frame = guest.memory.allocPages(3);
    const ref = guest.grantTable.grantAccess(0, frame + 1);
    const twice = [1, 2].map(() => dom0.memory.pinPages(guest.domid, [frame + 1]));
    for (const pinned of twice) {
      expectError(() => guest.memory.freePages(frame), 'EBUSY', /pinned/);
      expectError(() => guest.grantTable.endAccess(ref), 'EBUSY', /pinned/);
      pinned.unpin();
      pinned.unpin();
    }
    guest.grantTable.endAccess(ref);
    guest.memory.freePages(frame);
  });

  it('are pinned only if all of them belong to the domain that is named', () => {
    const { dom0, guest, other } = testbed();
    const [mine, theirs] = [guest.memory.allocPages(2), other.memory.allocPages(2)];
    for (const wrong of [theirs, 0, -1, NaN, 0.5, 2 ** 32]) {
      expectError(() => dom0.memory.pinPages(guest.domid, [mine, mine + 1, wrong]), 'EPERM', /frame/);
    }
    expectError(() => guest.memory.pinPages(other.domid, [theirs]), 'EPERM', /only dom0/);
    guest.memory.freePages(mine);
    const own = other.memory.pinPages(other.domid, [theirs]);
    expectError(() => other.memory.freePages(theirs), 'EBUSY');
    own.unpin();
  });

  it('are pinned by runs, of which there is a limit', () => {
    const { dom0, guest } = testbed({ pinnedRunsMax: 2 });
    const frame = guest.memory.allocPages(200);
    const all = Array.from({ length: 200 }, (_, i) => frame + i);
    expectError(() => dom0.memory.pinPages(guest.domid, [frame, frame + 2, frame + 4]), 'ENOSPC', /pinnedRunsMax is 2/);
    const pinned = dom0.memory.pinPages(guest.domid, all);
    expect(pinned.count).to.equal(200);
    dom0.memory.pinPages(guest.domid, all.slice(7, 9)).unpin();
    pinned.unpin();
    guest.memory.freePages(frame);
    expect(guest.memory.totPages * PAGE).to.equal(0);
  });

  it('are pinned by more runs than one step takes, or not at all', () => {
    const { dom0, guest } = testbed();
    const frame = guest.memory.allocPages(2);
    const many = Array.from({ length: 2500 }, () => frame);
    expectError(() => dom0.memory.pinPages(guest.domid, [...many, 0]), 'EPERM');
    const pinned = dom0.memory.pinPages(guest.domid, many);
    expectError(() => guest.memory.freePages(frame), 'EBUSY', /pinned 2500 times/);
    pinned.unpin();
    guest.memory.freePages(frame);
  });
});
