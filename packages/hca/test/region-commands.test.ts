import { expect } from 'chai';
import { VendorErr } from '@openverbs/verbs/rings';
import { Mpt } from '../src/layout.ts';
import { Access, Opcode } from '../src/opcode.ts';
import { Tpt } from '../src/tpt.ts';
import { audit } from './support/audit.ts';
import { expectDeviceError, Testbed } from './support/testbed.ts';

const PAGE = 4096;
const START = { startLo: 0, startHi: 1 };

describe('a region that changes in place', () => {
  it('has a new key, and its page list goes back', () => {
    const bed = new Testbed();
    const place = { pd: bed.pd, access: 1, ...START, length: 2 * PAGE };
    const base = bed.alloc(2 * PAGE);
    const before = bed.machine.pages.stats();
    const old = bed.commands.createMpt({ uar: bed.uar, ...place, pages: [base, base + PAGE] });
    const key = bed.commands.changeMpt(old, { ...place, base });
    expect(key).to.not.equal(old);
    expect(key >>> 8).to.equal(old >>> 8);
    expect(bed.machine.pages.stats()).to.deep.equal(before);
    const tpt = new Tpt(bed.machine);
    const check = (lkey: number): number => tpt.checkLocal(bed.hca.mptTable, bed.pd, lkey, 0, 1, 2 * PAGE, true);
    expect([check(old), check(key)]).to.deep.equal([VendorErr.BAD_LKEY, 0]);
    expect(tpt.address).to.equal(base | 0);
    const paged = bed.commands.changeMpt(key, { ...place, pages: [base, base + PAGE] });
    expect(check(paged)).to.equal(0);
    bed.commands.destroyMpt(paged);
    expect(bed.machine.pages.stats()).to.deep.equal(before);
    audit(bed);
  });

  it('is refused while something holds it, for what is none, and to a PD that is none', () => {
    const bed = new Testbed();
    const place = { pd: bed.pd, access: 1, ...START, length: PAGE, base: bed.alloc(PAGE) };
    const key = bed.commands.createMpt({ uar: bed.uar, ...place });
    const pins = bed.hca.mptTable + (key >>> 8) * Mpt.WORDS + Mpt.PINS;
    bed.i32[pins] = 1;
    expectDeviceError(() => bed.commands.changeMpt(key, place), 'EBUSY');
    bed.i32[pins] = 0;
    expectDeviceError(() => bed.commands.changeMpt(key, { ...place, pd: bed.pd + 1 }), 'EINVAL', /protection domain/);
    expectDeviceError(() => bed.commands.changeMpt(key, { ...place, pd: 0 }), 'EINVAL');
    expectDeviceError(() => bed.commands.changeMpt(key + 1, place), 'EINVAL', /no memory region/);
    expectDeviceError(() => bed.commands.changeMpt(bed.ringKey(PAGE).key, place), 'EINVAL', /no region of memory/);
    const none = bed.commands.createNullMpt(bed.uar, bed.pd);
    expectDeviceError(() => bed.commands.changeMpt(none, place), 'EINVAL', /no region of memory/);
    expect(new Tpt(bed.machine).checkLocal(bed.hca.mptTable, bed.pd, key, 0, 1, PAGE, true)).to.equal(0);
    audit(bed);
  });
});

describe('the null region', () => {
  it('is allowed at every address to its PD, for writing too, and to no peer', () => {
    const bed = new Testbed();
    const key = bed.commands.createNullMpt(bed.uar, bed.pd);
    const tpt = new Tpt(bed.machine);
    const places = [
      [0, 0],
      [-1, -1],
      [0, -2147483648],
    ] as const;
    for (const [lo, hi] of places) {
      expect(tpt.checkLocal(bed.hca.mptTable, bed.pd, key, lo, hi, 0x80000000, true)).to.equal(0);
      expect(tpt.checkLocal(bed.hca.mptTable, bed.pd + 1, key, lo, hi, 8, false)).to.equal(VendorErr.LKEY_PD_MISMATCH);
      for (const need of [Access.REMOTE_READ, Access.REMOTE_WRITE]) {
        expect(tpt.checkRemote(bed.hca.mptTable, bed.pd, key, lo, hi, 8, need, 99, 0)).to.equal(VendorErr.BAD_RKEY);
      }
    }
    expectDeviceError(() => bed.commands.createNullMpt(bed.uar, bed.pd + 1), 'EINVAL');
  });

  it('gives zeros to pages that lie scattered, and takes what they hold', () => {
    const bed = new Testbed();
    const [a, b] = bed.pair();
    const key = bed.commands.createNullMpt(bed.uar, bed.pd);
    const target = bed.pagedRegion(3 * PAGE, 100);
    const before = target.fill(1);
    const none = [{ addr: 77n, length: 2 * PAGE, key }];
    b.recv(none);
    const found = a.sendAndPoll({ opcode: Opcode.SEND, sges: [target.sge(0, 2 * PAGE)] });
    expect([...found, ...b.recvCq.poll()].map(({ syndrome }) => syndrome)).to.deep.equal([0, 0]);
    expect(target.read()).to.deep.equal(before);
    expect(a.sendAndPoll({ opcode: Opcode.RDMA_WRITE, sges: none, ...target.at(7) })[0].syndrome).to.equal(0);
    const after = [...before];
    after.fill(0, 7, 7 + 2 * PAGE);
    expect([...target.read()]).to.deep.equal(after);
  });
});
