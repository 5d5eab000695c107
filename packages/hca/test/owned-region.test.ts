import { expect } from 'chai';
import fc from 'fast-check';
import { OWNER_MAX, PAGE_BYTES } from '@openverbs/machine';
import { CqeSyndrome, FLUSH_LEVEL_SHIFT, SendWqe, VendorErr } from '@openverbs/verbs/rings';
import { Qpc } from '../src/layout.ts';
import { Access, Opcode, Placement, Selectivity } from '../src/opcode.ts';
import { reap } from '../src/reap.ts';
import { Tpt } from '../src/tpt.ts';
import { audit } from './support/audit.ts';
import { type Region, type Sge, split } from './support/region.ts';
import { ALL_ACCESS, expectDeviceError, Testbed } from './support/testbed.ts';
import type { Cqe } from './support/test-cq.ts';
import type { SendSpec } from './support/test-qp.ts';

const MINE = 0x100001;
const THEIRS = 0x100002;
const { LKEY_NOT_OWNED, RKEY_NOT_OWNED } = VendorErr;
const { LOCAL_PROT_ERR, REMOTE_ACCESS_ERR } = CqeSyndrome;
const { RDMA_WRITE, RDMA_READ, SEND, ATOMIC_FETCH_AND_ADD, ATOMIC_WRITE, FLUSH, BIND_MW } = Opcode;
const ACCESS = ALL_ACCESS | Access.MW_BIND;

/** A bed, a region of what MINE owns, and pages of both owners. */
class World {
  readonly bed: Testbed;
  readonly key: number;

  constructor(bed = new Testbed(), access = ACCESS) {
    this.bed = bed;
    this.key = this.make(access);
  }

  /** All memory, as the driver has it for a DMA region. */
  make(access = ACCESS, owner = MINE, pd = this.bed.pd): number {
    const { machine, uar, commands } = this.bed;
    const base = machine.firstPage * PAGE_BYTES;
    const length = machine.u8.length - base;
    return commands.createOwnedMpt({ uar, pd, access, startLo: base, startHi: 0, length, base, owner });
  }

  /** Address of pages of an owner. */
  pages(count: number, owner = MINE, above = 0): number {
    const addr = this.bed.machine.pages.alloc(count * PAGE_BYTES, PAGE_BYTES, owner, { above });
    expect(addr).to.not.equal(0);
    return addr;
  }

  /** A page of MINE, and one of THEIRS behind it. */
  neighbours(): { readonly mine: number; readonly theirs: number } {
    let mine = this.pages(1);
    for (let theirs = this.pages(1); ; theirs = this.pages(1)) {
      if (theirs === mine + PAGE_BYTES) {
        this.bed.machine.pages.give(theirs, THEIRS);
        return { mine, theirs };
      }
      mine = theirs;
    }
  }

  sge(addr: number, length: number): Sge {
    return { addr: BigInt(addr), length, key: this.key };
  }

  at(addr: number): { readonly remote: bigint; readonly rkey: number } {
    return { remote: BigInt(addr), rkey: this.key };
  }
}

describe('the region of what one owner has', () => {
  it('is all pages of the owner and no other page, however they lie', () => {
    const world = new World();
    const { bed, key } = world;
    const tpt = new Tpt(bed.machine);
    const table = bed.hca.mptTable;
    const owners = new Map<number, number>();
    const firsts = [5, 1, 3, 8, 2, 7, 1, 16].map((count, n) => {
      const owner = n % 3 === 1 ? THEIRS : MINE;
      const first = world.pages(count, owner) / PAGE_BYTES;
      for (let page = first; page < first + count; page++) owners.set(page, owner);
      return first;
    });
    const first = Math.min(...firsts) - 4;
    const isMine = (addr: number, length: number): boolean => {
      if (length === 0) return true;
      for (let page = Math.floor(addr / PAGE_BYTES); page * PAGE_BYTES < addr + length; page++) {
        if (owners.get(page) !== MINE) return false;
      }
      return true;
    };
    const places = fc.record({
      page: fc.integer({ min: 0, max: 80 }),
      offset: fc.oneof(fc.constantFrom(0, 1, 4095), fc.nat({ max: 4095 })),
      length: fc.oneof(fc.constantFrom(0, 1, 4095, 4096, 4097, 8192), fc.integer({ min: 1, max: 40_000 })),
    });
    let allowed = 0;
    fc.assert(
      fc.property(places, ({ page, offset, length }) => {
        const addr = (first + page) * PAGE_BYTES + offset;
        const right = isMine(addr, length);
        expect(tpt.checkLocal(table, bed.pd, key, addr | 0, 0, length, true)).to.equal(right ? 0 : LKEY_NOT_OWNED);
        if (right) expect([tpt.mpt, tpt.address]).to.deep.equal([0, addr | 0]);
        const remote = tpt.checkRemote(table, bed.pd, key, addr | 0, 0, length, Access.REMOTE_WRITE, 9, 0);
        expect(remote).to.equal(right ? 0 : RKEY_NOT_OWNED);
        if (right && length > 0) allowed++;
      }),
      { numRuns: 3000 },
    );
    expect(allowed).to.be.above(100);
  });

  it('has pages from when they are the owner’s, and no longer', () => {
    const { bed, key } = new World();
    const { pages } = bed.machine;
    const tpt = new Tpt(bed.machine);
    const check = (addr: number): number => tpt.checkLocal(bed.hca.mptTable, bed.pd, key, addr | 0, 0, 8, true);
    const addr = pages.alloc(PAGE_BYTES, PAGE_BYTES, MINE);
    expect(check(addr)).to.equal(0);
    pages.give(addr, THEIRS);
    expect(check(addr)).to.equal(LKEY_NOT_OWNED);
    pages.give(addr, MINE);
    expect(check(addr)).to.equal(0);
    pages.free(addr);
    expect(check(addr)).to.equal(LKEY_NOT_OWNED);
    expect(pages.alloc(PAGE_BYTES, PAGE_BYTES, THEIRS)).to.equal(addr);
    expect(check(addr)).to.equal(LKEY_NOT_OWNED);
  });

  it('asks for key, PD, access, range and owner in that order', () => {
    const world = new World(undefined, Access.REMOTE_READ);
    const { bed, key } = world;
    const tpt = new Tpt(bed.machine);
    const table = bed.hca.mptTable;
    const { theirs } = world.neighbours();
    const denied = VendorErr.RKEY_NO_REMOTE_WRITE;
    const local = (pd: number, lkey: number, addr: number, write: boolean): number =>
      tpt.checkLocal(table, pd, lkey, addr | 0, 0, 8, write);
    const remote = (pd: number, rkey: number, addr: number, need: number): number =>
      tpt.checkRemote(table, pd, rkey, addr | 0, 0, 8, need, denied, 0);
    const other = bed.commands.allocPd(bed.uar);
    expect(local(bed.pd, key ^ 1, 0, true)).to.equal(VendorErr.BAD_LKEY);
    expect(local(other, key, 0, true)).to.equal(VendorErr.LKEY_PD_MISMATCH);
    expect(local(bed.pd, key, 0, true)).to.equal(VendorErr.LKEY_NO_LOCAL_WRITE);
    expect(local(bed.pd, key, 0, false)).to.equal(VendorErr.LKEY_RANGE);
    expect(tpt.checkLocal(table, bed.pd, key, theirs | 0, 1, 8, false)).to.equal(VendorErr.LKEY_RANGE);
    expect(local(bed.pd, key, theirs, false)).to.equal(LKEY_NOT_OWNED);
    expect(remote(bed.pd, key ^ 1, 0, Access.REMOTE_WRITE)).to.equal(VendorErr.BAD_RKEY);
    expect(remote(other, key, 0, Access.REMOTE_WRITE)).to.equal(VendorErr.RKEY_PD_MISMATCH);
    expect(remote(bed.pd, key, 0, Access.REMOTE_WRITE)).to.equal(denied);
    expect(remote(bed.pd, key, 0, Access.REMOTE_READ)).to.equal(VendorErr.RKEY_RANGE);
    expect(remote(bed.pd, key, theirs, Access.REMOTE_READ)).to.equal(RKEY_NOT_OWNED);
  });

  it('ends where memory does, also above 2 GiB', () => {
    const world = new World(new Testbed(2 ** 32));
    const { bed, key } = world;
    const tpt = new Tpt(bed.machine);
    const end = bed.machine.u8.length;
    const last = world.pages(1, MINE, end - PAGE_BYTES);
    expect(last).to.equal(end - PAGE_BYTES);
    const check = (addr: number, length: number): number =>
      tpt.checkLocal(bed.hca.mptTable, bed.pd, key, addr | 0, 0, length, true);
    expect([check(last, PAGE_BYTES), tpt.address]).to.deep.equal([0, last | 0]);
    expect(check(last + 1, PAGE_BYTES)).to.equal(VendorErr.LKEY_RANGE);
    expect(check(last - 1, PAGE_BYTES)).to.equal(LKEY_NOT_OWNED);
  });

  it('is made for owners that can be, and stays what it is', () => {
    const world = new World();
    const { bed, key } = world;
    for (const owner of [0, -1, 0.5, NaN, OWNER_MAX + 1])
      expectDeviceError(() => world.make(ACCESS, owner), 'EINVAL', /owner/);
    expectDeviceError(() => world.make(ACCESS, MINE, 0), 'EINVAL', /protection domain/);
    expectDeviceError(() => world.make(ACCESS, MINE, bed.pd + 7), 'EINVAL', /protection domain/);
    const place = { pd: bed.pd, access: 15, startLo: 0, startHi: 0, length: 4096, base: bed.alloc(4096) };
    expectDeviceError(() => bed.commands.changeMpt(key, place), 'EINVAL', /no region of memory/);
    const init = { uar: bed.uar, bufferKey: key, log2Count: 3 };
    expectDeviceError(() => bed.commands.cqs.create(init), 'EINVAL', /driver's PD/);
    bed.commands.destroyMpt(key);
    expectDeviceError(() => { bed.commands.destroyMpt(key); }, 'EINVAL'); // prettier-ignore
    const again = world.make();
    expect(again >>> 8).to.equal(key >>> 8);
    expect(again).to.not.equal(key);
    audit(bed);
  });

  it('goes with the thread that made it', () => {
    const bed = new Testbed();
    const victim = bed.join();
    const before = bed.hca.mpts.inUse;
    const { key } = new World(victim);
    expect(bed.hca.mpts.inUse).to.equal(before + 1);
    bed.machine.threads.declareDead(victim.machine.threadIndex);
    expect(reap(bed.engine)).to.equal(1);
    const tpt = new Tpt(bed.machine);
    expect(tpt.checkLocal(bed.hca.mptTable, victim.pd, key, 0, 0, 1, false)).to.equal(VendorErr.BAD_LKEY);
    audit(bed);
  });
});

for (const [how, makeBed] of [
  ['as descriptors', () => new Testbed()],
  ['as packets', () => Testbed.withPackets()],
] as const) {
  describe(`the region of what one owner has, messages ${how}`, () => {
    /** Where messages travel as packets, the peer's reason is not told. */
    const remoteErr = how === 'as packets' ? VendorErr.NAK_REMOTE_ACCESS : RKEY_NOT_OWNED;

    function expectRefused([cqe]: Cqe[], syndrome: number, vendorErr: number, addr: number, key: number): void {
      expect(cqe).to.include({ syndrome, vendorErr, faultKey: key, faultAddr: BigInt(addr) });
    }

    it('is sent from, received into, written and read by machine addresses', () => {
      const world = new World(makeBed());
      const { bed } = world;
      const { u8 } = bed.machine;
      const [from, to] = [world.pages(3), world.pages(3)];
      for (let n = 0; n < 3 * PAGE_BYTES; n++) u8[from + n] = n * 7 + (n >> 8);
      const bytes = u8.slice(from + 5, from + 9005);
      const [a, b] = bed.pair();
      b.recv([world.sge(to + 1, 9000)]);
      const cqes = a.sendAndPoll({ sges: [world.sge(from + 5, 9000)] }).concat(b.recvCq.poll());
      expect(cqes.map(({ syndrome }) => syndrome)).to.deep.equal([0, 0]);
      expect(u8.slice(to + 1, to + 9001)).to.deep.equal(bytes);
      u8.fill(0, to, to + 3 * PAGE_BYTES);
      const write = { opcode: RDMA_WRITE, sges: [world.sge(from + 5, 9000)], ...world.at(to + 2) };
      expect(a.sendAndPoll(write)[0].syndrome).to.equal(0);
      expect(u8.slice(to + 2, to + 9002)).to.deep.equal(bytes);
      u8.fill(0, from, from + 3 * PAGE_BYTES);
      const read = { opcode: RDMA_READ, sges: [world.sge(from + 5, 9000)], ...world.at(to + 2) };
      expect(a.sendAndPoll(read)[0].syndrome).to.equal(0);
      expect(u8.slice(from + 5, from + 9005)).to.deep.equal(bytes);
      const add = { opcode: ATOMIC_FETCH_AND_ADD, sges: [world.sge(from, 8)], ...world.at(to), compareAdd: 5n };
      expect(a.sendAndPoll(add)[0].syndrome).to.equal(0);
      audit(bed);
    });

    it('refuses every operation that touches a page of another, and moves nothing', () => {
      const world = new World(makeBed());
      const { bed } = world;
      const { u8 } = bed.machine;
      const { mine, theirs } = world.neighbours();
      const reach = theirs - 8; // 8 bytes of one's own, the rest of another
      const cases: [syndrome: number, spec: SendSpec][] = [
        [REMOTE_ACCESS_ERR, { opcode: RDMA_WRITE, sges: [world.sge(mine, 16)], ...world.at(reach) }],
        [REMOTE_ACCESS_ERR, { opcode: RDMA_READ, sges: [world.sge(mine, 16)], ...world.at(reach) }],
        [REMOTE_ACCESS_ERR, { opcode: ATOMIC_FETCH_AND_ADD, sges: [world.sge(mine, 8)], ...world.at(theirs) }],
        [REMOTE_ACCESS_ERR, { opcode: ATOMIC_WRITE, sges: [world.sge(mine, 8)], ...world.at(theirs) }],
        [REMOTE_ACCESS_ERR, { opcode: FLUSH, flushLength: 16, imm: Placement.GLOBAL, ...world.at(reach) }],
        [LOCAL_PROT_ERR, { opcode: SEND, sges: [world.sge(reach, 16)] }],
        [LOCAL_PROT_ERR, { opcode: RDMA_WRITE, sges: [world.sge(reach, 16)], ...world.at(mine) }],
        [LOCAL_PROT_ERR, { opcode: RDMA_READ, sges: [world.sge(reach, 16)], ...world.at(mine) }],
        [LOCAL_PROT_ERR, { opcode: ATOMIC_FETCH_AND_ADD, sges: [world.sge(theirs, 8)], ...world.at(mine) }],
      ];
      u8.fill(0xaa, mine, theirs);
      u8.fill(0xbb, theirs, theirs + PAGE_BYTES);
      for (const [syndrome, spec] of cases) {
        const [a, b] = bed.pair();
        if (spec.opcode === SEND) b.recv([world.sge(mine, 64)]);
        const isLocal = syndrome === LOCAL_PROT_ERR;
        const addr = isLocal ? Number(spec.sges![0].addr) : Number(spec.remote);
        expectRefused(a.sendAndPoll(spec), syndrome, isLocal ? LKEY_NOT_OWNED : remoteErr, addr, world.key);
        for (const qp of [a, b]) qp.destroy();
      }
      const [a, b] = bed.pair();
      b.recv([world.sge(reach, 16)]);
      a.send({ sges: [world.sge(mine, 16)] });
      expectRefused(b.recvCq.poll(), LOCAL_PROT_ERR, LKEY_NOT_OWNED, reach, world.key);
      expect(
        u8.slice(mine, theirs).every((byte) => byte === 0xaa),
        'own page',
      ).to.equal(true);
      expect(
        u8.slice(theirs, theirs + PAGE_BYTES).every((byte) => byte === 0xbb),
        'page of another',
      ).to.equal(true);
      audit(bed);
    });

    it('lets all of itself be flushed, which touches no page', () => {
      const world = new World(makeBed());
      const { theirs } = world.neighbours();
      const [a] = world.bed.pair();
      const imm = Placement.GLOBAL | (Selectivity.MR << FLUSH_LEVEL_SHIFT);
      const [cqe] = a.sendAndPoll({ opcode: FLUSH, imm, ...world.at(theirs) });
      expect(cqe.syndrome).to.equal(0);
    });

    it('lends a window its pages, and its owner with them', () => {
      const world = new World(makeBed());
      const { bed } = world;
      const { u8 } = bed.machine;
      const [a, b] = bed.pair();
      const { mine, theirs } = world.neighbours();
      const window = bed.commands.createWindow({ uar: bed.uar, pd: bed.pd, type2: true });
      const rkey = (window & ~0xff) | 0xfe;
      const bind = (addr: number, length: number): SendSpec => ({
        opcode: BIND_MW,
        words: {
          [SendWqe.BIND_MW]: window,
          [SendWqe.BIND_RKEY]: rkey,
          [SendWqe.BIND_LKEY]: world.key,
          [SendWqe.BIND_ACCESS]: Access.REMOTE_WRITE,
          [SendWqe.BIND_ADDR_LO]: split(BigInt(addr))[0],
          [SendWqe.BIND_ADDR_HI]: 0,
          [SendWqe.BIND_LENGTH_LO]: length,
        },
      });
      expect(b.sendAndPoll(bind(mine, PAGE_BYTES))[0].syndrome).to.equal(0);
      expectDeviceError(() => { bed.commands.destroyMpt(world.key); }, 'EBUSY', /windows/); // prettier-ignore
      const own: Region = bed.region(64);
      own.fill(4);
      const write = { opcode: RDMA_WRITE, sges: [own.sge()], remote: BigInt(mine + 32), rkey };
      expect(a.sendAndPoll(write)[0].syndrome).to.equal(0);
      expect(u8.slice(mine + 32, mine + 96)).to.deep.equal(own.read());
      bed.machine.pages.give(mine, THEIRS);
      u8.fill(0, mine, theirs);
      expectRefused(a.sendAndPoll(write), REMOTE_ACCESS_ERR, remoteErr, mine + 32, rkey);
      expect(u8.slice(mine, theirs).every((byte) => byte === 0)).to.equal(true);
      const [, c] = bed.pair();
      bed.commands.destroyWindow(window);
      expect(c.sendAndPoll(bind(theirs, 8))[0].syndrome).to.equal(CqeSyndrome.MW_BIND_ERR);
      bed.commands.destroyMpt(world.key);
      audit(bed);
    });
  });
}

describe('the region of what one owner has, in the middle of a message of packets', () => {
  const PACKETS = 4;
  /** The check of the whole message, those of two packets, and that of the third one. */
  const CHANGES_HANDS_AT = 4;

  for (const opcode of [RDMA_WRITE, RDMA_READ]) {
    it(`has no page any more that changed hands, opcode ${opcode}`, () => {
      const world = new World(Testbed.withPackets());
      const { bed } = world;
      const { u8, pages } = bed.machine;
      const [a] = bed.pair({}, new Map([[Qpc.PATH_MTU, 5]]), new Map([[Qpc.PATH_MTU, 5]]));
      const addr = world.pages(PACKETS);
      const own = bed.region(PACKETS * PAGE_BYTES);
      const mine = own.fill(9);
      u8.fill(0x55, addr, addr + own.length);
      const { isOwned } = pages;
      let looks = 0;
      pages.isOwned = (owner, from, to) => {
        if (++looks === CHANGES_HANDS_AT) pages.give(addr, THEIRS);
        return isOwned.call(pages, owner, from, to);
      };
      a.send({ opcode, sges: [own.sge()], ...world.at(addr) });
      bed.advance(10e9);
      const [cqe] = a.sendCq.poll();
      pages.isOwned = isOwned;
      expect(cqe.syndrome).to.not.equal(0);
      const theirs = new Uint8Array(own.length).fill(0x55);
      const [from, before] = opcode === RDMA_WRITE ? [mine, theirs] : [theirs, mine];
      const to = opcode === RDMA_WRITE ? u8.slice(addr, addr + own.length) : own.read();
      const moved = 2 * PAGE_BYTES;
      expect(to.subarray(0, moved)).to.deep.equal(from.subarray(0, moved));
      expect(to.subarray(moved)).to.deep.equal(before.subarray(moved));
    });
  }
});
