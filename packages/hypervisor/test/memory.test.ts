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
    expectError(() => guest.memory.page(frame + 0.5), 'EPERM');
    expectError(() => guest.memory.pinPages(guest.domid, [frame + 0.5]), 'EPERM');
  });

  it('are pinned only where each page of a run is of the domain, also behind the end of what was allocated at once', () => {
    const { dom0, guest, other } = testbed();
    const frames = Array.from({ length: 64 }, (_, n) => ({ domain: n % 2 === 0 ? guest : other, frame: 0 }));
    for (const each of frames) each.frame = each.domain.memory.allocPages(1);
    const theirs = new Set(frames.filter(({ domain }) => domain === other).map(({ frame }) => frame));
    const last = frames.find(({ domain, frame }) => domain === guest && theirs.has(frame + 1));
    expect(last, 'a page of the one that is followed by one of the other').to.not.equal(undefined);
    const run = [last!.frame, last!.frame + 1];
    expectError(() => dom0.memory.pinPages(guest.domid, run), 'EPERM', /belongs to domain 2/);
    dom0.memory.pinPages(guest.domid, [last!.frame]).unpin();
  });

  it('that another thread of the domain takes while they are zeroed count', () => {
    const { machine, guest } = testbed();
    const { pages } = machine;
    const { usedBytes } = pages.stats();
    const alloc = pages.alloc.bind(pages);
    pages.alloc = (...args) => {
      pages.alloc = alloc;
      guest.memory.allocPages(200);
      return alloc(...args);
    };
    expectError(() => guest.memory.allocPages(100), 'ENOMEM', /may have 256/);
    expect(guest.memory.totPages).to.equal(200);
    expect(pages.stats().usedBytes - usedBytes).to.equal(200 * PAGE);
  });

  it('are known to devices by their owner, whenever they were allocated', () => {
    const { machine, dom0, guest, other } = testbed();
    const owner = dom0.memory.dmaOwner(guest.domid);
    expect(guest.memory.dmaOwner(guest.domid)).to.equal(owner).and.not.equal(other.memory.dmaOwner(other.domid));
    const frames = [guest.memory.allocPages(3), guest.memory.allocPages(1), other.memory.allocPages(1)];
    expect(machine.pages.isOwned(owner, frames[0], frames[0] + 3)).to.equal(true);
    expect(frames.map((frame) => machine.pages.isOwned(owner, frame, frame + 1))).to.deep.equal([true, true, false]);
    guest.memory.freePages(frames[0]);
    expect(machine.pages.isOwned(owner, frames[0] + 1, frames[0] + 2)).to.equal(false);
    expectError(() => guest.memory.dmaOwner(other.domid), 'EPERM', /only dom0/);
    for (const wrong of [-1, 0.5, NaN, 99]) expectError(() => dom0.memory.dmaOwner(wrong), 'ESRCH');
    expectError(() => guest.memory.dmaOwner(0), 'EPERM');
  });

  it('are nobody’s until they are zero', () => {
    const { machine, dom0, guest, other } = testbed();
    const frame = other.memory.allocPages(4);
    const { i32, word } = other.memory.page(frame);
    i32.fill(-1, word, word + 4096);
    other.memory.freePages(frame);
    const { pages } = machine;
    const looks: boolean[] = [];
    const original = machine.dma.fill;
    const fill = ((address: number, value: number, length: number) => {
      const first = address / PAGE;
      const owner = dom0.memory.dmaOwner(guest.domid);
      looks.push(pages.isOwned(owner, first, first + 1) || pages.isOwned(owner, first + 3, first + 4));
      expect(() => guest.memory.pinPages(guest.domid, [first])).to.throw(/no domain/);
      original(address, value, length);
    }) as typeof original;
    Object.assign(machine.dma, { fill });
    try {
      expect(guest.memory.allocPages(4)).to.equal(frame);
    } finally {
      Object.assign(machine.dma, { fill: original });
    }
    expect(looks).to.deep.equal([false]);
    expect(pages.isOwned(dom0.memory.dmaOwner(guest.domid), frame, frame + 4)).to.equal(true);
    expect(i32.subarray(word, word + 4096).every((value) => value === 0)).to.equal(true);
  });

  it('that were allocated for a domain which was destroyed meanwhile go back', () => {
    const { machine, hypervisor, guest } = testbed();
    const { usedBytes } = machine.pages.stats();
    const original = machine.dma.fill;
    const dirty = guest.memory.allocPages(2);
    guest.memory.freePages(dirty);
    const fill = ((address: number, value: number, length: number) => {
      hypervisor.destroyDomain(guest.domid);
      original(address, value, length);
    }) as typeof original;
    Object.assign(machine.dma, { fill });
    try {
      expectError(() => guest.memory.allocPages(2), 'ESRCH', /destroyed/);
    } finally {
      Object.assign(machine.dma, { fill: original });
    }
    expect(machine.pages.stats().usedBytes).to.equal(usedBytes);
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
    const longer = { length: 1, 0: frame, 1: frame + 1 };
    const one = dom0.memory.pinPages(guest.domid, longer);
    expect(one.addresses(), 'no more than its length').to.deep.equal([frame * PAGE]);
    one.unpin();
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
