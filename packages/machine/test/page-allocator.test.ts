import { expect } from 'chai';
import { Machine, OWNER_MAX } from '../src/index.ts';
import { expectError } from './support/errors.ts';
import { startThread, stopThreads } from './support/threads.ts';

const MiB = 1048576;
const GiB = 1073741824;

describe('PageAllocator', () => {
  afterEach(stopThreads);

  it('allocates whole pages, exactly as many as the bytes need', () => {
    const { pages } = Machine.create({ memoryBytes: 4 * MiB });
    const { freeBytes } = pages.stats();
    for (const [bytes, size] of [
      [1, 4096],
      [4096, 4096],
      [4097, 8192],
      [5 * 4096, 5 * 4096],
      [100001, 25 * 4096],
    ]) {
      const addr = pages.alloc(bytes, 4096, 1);
      expect(addr % 4096).to.equal(0);
      expect(pages.sizeOf(addr)).to.equal(size);
      expect(pages.stats()).to.include({ usedBytes: size, freeBytes: freeBytes - size, buffers: 1 });
      pages.free(addr);
    }
    expect(pages.stats()).to.include({ usedBytes: 0, freeBytes, buffers: 0, totalBytes: 4 * MiB });
  });

  it('makes a buffer another owner’s', () => {
    const { pages } = Machine.create();
    const [mine, kept] = [pages.alloc(8192, 4096, 1), pages.alloc(4096, 4096, 1)];
    pages.give(mine, 2);
    expect([pages.ownedBy(1), pages.ownedBy(2), pages.sizeOf(mine)]).to.deep.equal([[kept], [mine], 8192]);
    for (const addr of [mine + 4096, mine + 8, 0, -4096]) expect(() => { pages.give(addr, 2); }).to.throw(/no buffer/); // prettier-ignore
    expect(() => { pages.give(mine, 0); }).to.throw(/owner/); // prettier-ignore
    expect(pages.ownerOf(mine)).to.equal(2);
  });

  it('tells whether pages are one owner’s, in however many buffers they lie', () => {
    const { pages, firstPage } = Machine.create({ memoryBytes: 4 * MiB });
    const sizes = [3, 1, 8, 5, 2, 16, 7, 1];
    const ownerAt = new Map<number, number>();
    sizes.forEach((count, n) => {
      const owner = 1 + (n % 3 === 2 ? 1 : 0);
      const first = pages.alloc(count * 4096, 4096, owner) / 4096;
      for (let page = first; page < first + count; page++) ownerAt.set(page, owner);
    });
    const isOwned = (owner: number, from: number, to: number): boolean => {
      for (let page = from; page < to; page++) if (ownerAt.get(page) !== owner) return false;
      return true;
    };
    for (let from = firstPage - 1; from < firstPage + 64; from++) {
      for (let to = from; to < from + 20; to++) {
        for (const owner of [1, 2])
          expect(pages.isOwned(owner, from, to), `${owner}: ${from} to ${to}`).to.equal(isOwned(owner, from, to));
      }
    }
    const end = (4 * MiB) / 4096;
    expect([pages.isOwned(1, 0, 1), pages.isOwned(1, end, end + 1), pages.isOwned(1, end - 1, end)]).to.not.include(
      true,
    );
  });

  it('aligns to powers of two', () => {
    const { pages } = Machine.create();
    for (let alignment = 4096; alignment <= 2 * GiB; alignment *= 2) {
      const addr = pages.alloc(100, alignment, 1);
      expect(addr, `alignment ${alignment}`).to.be.greaterThan(0);
      expect(addr % alignment).to.equal(0);
      expect(pages.sizeOf(addr)).to.equal(4096);
      pages.free(addr);
    }
    expect(pages.alloc(100, 4 * GiB, 1)).to.equal(0);
  });

  it('reaches addresses above 2 GiB, and buffers up to 2 GiB', () => {
    const { pages, u8 } = Machine.create();
    const high = pages.alloc(10000, 4096, 1, { above: 3 * GiB + 1 });
    expect(high).to.be.greaterThan(3 * GiB);
    u8[high + 9999] = 1;
    expect(pages.ownerOf(high + 9999)).to.equal(1);
    pages.free(high);
    const half = pages.alloc(2 * GiB, 4096, 1);
    expect(half).to.equal(2 * GiB);
    expect(pages.alloc(4096, 4096, 1, { above: 2 * GiB })).to.equal(0);
    expect(pages.alloc(4096, 4096, 1, { above: 4 * GiB })).to.equal(0);
    expect(pages.alloc(2 * GiB + 1, 4096, 1)).to.equal(0);
    expect(pages.alloc(8 * GiB, 4096, 1)).to.equal(0);
    pages.free(half);
  });

  it('returns 0 when memory is full, and the same address once there is room', () => {
    const { pages } = Machine.create({ memoryBytes: MiB });
    const live: number[] = [];
    for (let addr = pages.alloc(4096, 4096, 1); addr !== 0; addr = pages.alloc(4096, 4096, 1)) live.push(addr);
    expect(pages.stats().freeBytes).to.equal(0);
    expect(live).to.not.include(0);
    expect(Math.max(...live)).to.equal(MiB - 4096);
    expect(pages.alloc(1, 4096, 1)).to.equal(0);
    pages.free(live[17]);
    expect(pages.alloc(1, 4096, 1)).to.equal(live[17]);
  });

  it('zeroes buffers, of which some pages were used before and some were not', () => {
    const { pages, u8, dma } = Machine.create({ memoryBytes: MiB });
    const probe = pages.alloc(64 * 4096, 64 * 4096, 1);
    pages.free(probe);
    // Dirty every third page of what will be one buffer, and pages that were never handed out before.
    const live = Array.from({ length: 128 }, () => pages.alloc(4096, 4096, 1));
    for (const addr of live) dma.fill(addr, 0xff, 4096);
    for (const addr of live) pages.free(addr);
    const big = pages.alloc(128 * 4096, 4096, 1);
    expect(u8.subarray(big, big + 128 * 4096).every((byte) => byte === 0)).to.equal(true);
    expect(big).to.be.greaterThan(0);
  });

  it('zeroes no page of a neighbour', () => {
    const { pages, u8 } = Machine.create({ memoryBytes: MiB });
    const live = Array.from({ length: 40 }, () => pages.alloc(4096, 4096, 1));
    for (const addr of live) u8.fill(7, addr, addr + 4096);
    for (let i = 0; i < live.length; i += 3) {
      pages.free(live[i]);
      live[i] = pages.alloc(4096, 4096, 1);
      expect(u8.subarray(live[i], live[i] + 4096).every((byte) => byte === 0)).to.equal(true);
      u8.fill(7, live[i], live[i] + 4096);
      for (const addr of live) expect([u8[addr], u8[addr + 4095]]).to.deep.equal([7, 7]);
    }
  });

  it('knows the buffer and the owner of any address', () => {
    const { pages } = Machine.create({ memoryBytes: 4 * MiB });
    const a = pages.alloc(5 * 4096, 4096, 3);
    const b = pages.alloc(4096, 4096, OWNER_MAX);
    for (const offset of [0, 1, 4096, 5 * 4096 - 1]) {
      expect([pages.baseOf(a + offset), pages.sizeOf(a + offset), pages.ownerOf(a + offset)]).to.deep.equal([
        a,
        20480,
        3,
      ]);
    }
    expect(pages.ownerOf(b)).to.equal(OWNER_MAX);
    for (const addr of [0, 4096, -1, 4 * MiB, 2 ** 40, NaN, 3.5 * MiB]) {
      expect([pages.baseOf(addr), pages.sizeOf(addr), pages.ownerOf(addr)], String(addr)).to.deep.equal([0, 0, 0]);
    }
  });

  it('frees all buffers of an owner and no other', () => {
    const { pages } = Machine.create({ memoryBytes: 4 * MiB });
    const live = Array.from({ length: 90 }, (_, i) => pages.alloc(4096 * (1 + (i % 5)), 4096, 1 + (i % 3)));
    const second = live.filter((_, i) => i % 3 === 1);
    expect(pages.ownedBy(2)).to.have.members(second);
    expect(pages.freeOwned(2)).to.equal(30);
    expect(pages.ownedBy(2)).to.deep.equal([]);
    expect(live.map((addr) => pages.ownerOf(addr))).to.deep.equal(live.map((_, i) => [1, 0, 3][i % 3]));
    expect(pages.freeOwned(2)).to.equal(0);
    expect(pages.freeOwned(1) + pages.freeOwned(3)).to.equal(60);
    expect(pages.stats().usedBytes).to.equal(0);
  });

  it('refuses to free what is no buffer', () => {
    const { pages } = Machine.create({ memoryBytes: MiB });
    const addr = pages.alloc(8192, 4096, 1);
    pages.free(addr);
    expectError(
      () => {
        pages.free(addr);
      },
      'EINVAL',
      /no buffer begins at 0x[0-9a-f]+.*once/,
    );
    const again = pages.alloc(8192, 4096, 1);
    for (const bad of [again + 4096, again + 1, 0, 4096, -4096, NaN, 2 ** 33, MiB]) {
      expectError(
        () => {
          pages.free(bad);
        },
        'EINVAL',
        /no buffer begins/,
      );
    }
    expect(pages.sizeOf(again)).to.equal(8192);
  });

  it('refuses requests that make no sense', () => {
    const { pages } = Machine.create({ memoryBytes: MiB });
    for (const bytes of [0, -1, 1.5, NaN, Infinity]) expectError(() => pages.alloc(bytes, 4096, 1), 'EINVAL', /bytes/);
    for (const alignment of [0, 2048, 4097, 12288, NaN, Infinity]) {
      expectError(() => pages.alloc(1, alignment, 1), 'EINVAL', /alignment/);
    }
    for (const owner of [0, -1, 1.5, NaN, OWNER_MAX + 1])
      expectError(() => pages.alloc(1, 4096, owner), 'EINVAL', /owner/);
    expectError(() => pages.alloc(1, 4096, 1, { above: -1 }), 'EINVAL', /above/);
    expect(pages.stats().buffers).to.equal(0);
  });

  it('works with the lock held and without, and leaves it as it was', () => {
    const { pages, lock } = Machine.create({ memoryBytes: MiB });
    lock.acquire();
    const addr = pages.alloc(1, 4096, 1);
    pages.rebuild();
    pages.free(addr);
    expect(pages.freeOwned(1)).to.equal(0);
    expect(lock.isHeld).to.equal(true);
    lock.release();
    expectError(() => {
      pages.free(addr);
    }, 'EINVAL');
    expect(lock.ownerIndex).to.equal(0);
  });

  it('keeps buffers apart that two threads allocate at once', async () => {
    const machine = Machine.create({ memoryBytes: 2 * MiB });
    const threads = await Promise.all([startThread(machine, 'churn', 8000), startThread(machine, 'churn', 8000)]);
    expect(threads.map(({ first }) => first)).to.deep.equal(['done', 'done']);
    expect(machine.pages.stats()).to.include({ usedBytes: 0, buffers: 0 });
    expect(machine.lock.takeovers).to.equal(0);
  });
});
