import { expect } from 'chai';
import fc from 'fast-check';
import { VendorErr } from '@openverbs/verbs/rings';
import { Mpt } from '../src/layout.ts';
import { MPTS_MAX } from '../src/limits.ts';
import { Access } from '../src/opcode.ts';
import { Tpt } from '../src/tpt.ts';
import { split, words } from './support/region.ts';
import { Testbed } from './support/testbed.ts';

const TWO_64 = 2n ** 64n;
const TWO_31 = 2 ** 31;

/** What a check is about. */
interface Case {
  readonly start: bigint;
  readonly size: number;
  readonly address: bigint;
  readonly length: number;
}

/** Lengths around every border there is. */
const lengths = fc.oneof(
  fc.integer({ min: 1, max: 0xfffff000 }),
  fc.constantFrom(1, 2, 4095, 4096, 4097, TWO_31 - 1, TWO_31, TWO_31 + 1, 0xfffff000),
);
const addresses = fc.oneof(
  fc.bigInt({ min: 0n, max: TWO_64 - 1n }),
  fc.constantFrom(0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 63n, TWO_64 - 1n),
);
/** An address near one of the region's ends, or anywhere. */
const cases: fc.Arbitrary<Case> = fc
  .record({
    start: addresses,
    size: lengths,
    length: lengths.map((length) => Math.min(length, TWO_31)),
    near: fc.constantFrom('start', 'end', 'fit', 'anywhere'),
    delta: fc.bigInt({ min: -3n, max: 3n }),
    anywhere: addresses,
  })
  .map(({ start, size, length, near, delta, anywhere }) => {
    const from = { start, end: start + BigInt(size), fit: start + BigInt(size - length), anywhere }[near];
    return { start, size, length, address: BigInt.asUintN(64, from + delta) };
  });

/** Tried in any case: from one word to the next by its sign, and from within a region to behind it. */
const ACROSS_SIGN: Case = { start: 0x7ffffff0n, size: 64, address: 0x80000000n, length: 8 };
const ENDS_BEHIND: Case = { start: 0x1000n, size: 64, address: 0x1000n + 60n, length: 8 };

/** A region that would leave the address space can't be registered: verbs addresses are below 2^53. */
function exists({ start, size }: Case): boolean {
  return start + BigInt(size) <= TWO_64;
}

function isInside({ start, size, address, length }: Case): boolean {
  return address >= start && address + BigInt(length) <= start + BigInt(size);
}

describe('Tpt', () => {
  const bed = new Testbed();
  const { i32 } = bed;
  const tpt = new Tpt(bed.machine);
  const table = bed.hca.mptTable;
  const base = bed.alloc(4096);
  const key = bed.commands.createMpt({ uar: bed.uar, pd: bed.pd, access: 15, ...words(0n), length: 1, base });
  const entry = table + (key >>> 8) * Mpt.WORDS;

  function setRegion(start: bigint, size: number, run: number): void {
    [i32[entry + Mpt.START_LO], i32[entry + Mpt.START_HI]] = split(start);
    i32[entry + Mpt.LENGTH] = size;
    i32[entry + Mpt.BASE] = run;
  }

  it('allows exactly what lies in the region, for all 64-bit addresses', () => {
    fc.assert(
      fc.property(cases.filter(exists), (tried) => {
        setRegion(tried.start, tried.size, base);
        const [lo, hi] = split(tried.address);
        const local = tpt.checkLocal(table, bed.pd, key, lo, hi, tried.length, true);
        const remote = tpt.checkRemote(table, bed.pd, key, lo, hi, tried.length, Access.REMOTE_READ, 9, 0);
        expect(local).to.equal(isInside(tried) ? 0 : VendorErr.LKEY_RANGE);
        expect(remote).to.equal(isInside(tried) ? 0 : VendorErr.RKEY_RANGE);
      }),
      { numRuns: 4000, examples: [[ACROSS_SIGN], [ENDS_BEHIND]] },
    );
  });

  it('translates to the machine address, and to the offset in a page list', () => {
    fc.assert(
      fc.property(cases.filter(exists).filter(isInside), fc.nat({ max: 0xfffff }), (tried, page) => {
        const [lo, hi] = split(tried.address);
        const offset = Number(tried.address - tried.start);
        for (const run of [((page + 1) * 4096) | 0, 0]) {
          setRegion(tried.start, tried.size, run);
          expect(tpt.checkLocal(table, bed.pd, key, lo, hi, tried.length, false)).to.equal(0);
          expect(tpt.mpt).to.equal(run === 0 ? entry : 0);
          expect(tpt.address).to.equal((run + offset) | 0);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('checks key, PD, access and range in that order', () => {
    setRegion(0x1000n, 64, base);
    const local = (pd: number, lkey: number, address: number, write: boolean): number =>
      tpt.checkLocal(table, pd, lkey, address, 0, 8, write);
    const remote = (pd: number, rkey: number, address: number, need: number): number =>
      tpt.checkRemote(table, pd, rkey, address, 0, 8, need, VendorErr.RKEY_NO_REMOTE_WRITE, 0);
    i32[entry + Mpt.ACCESS] = Access.REMOTE_READ;
    expect(local(bed.pd, key ^ 1, 0, true)).to.equal(VendorErr.BAD_LKEY);
    expect(local(bed.pd + 1, key, 0, true)).to.equal(VendorErr.LKEY_PD_MISMATCH);
    expect(local(bed.pd, key, 0, true)).to.equal(VendorErr.LKEY_NO_LOCAL_WRITE);
    expect(local(bed.pd, key, 0, false)).to.equal(VendorErr.LKEY_RANGE);
    expect(local(bed.pd, key, 0x1000, false)).to.equal(0);
    expect(remote(bed.pd, key ^ 1, 0, Access.REMOTE_WRITE)).to.equal(VendorErr.BAD_RKEY);
    expect(remote(bed.pd + 1, key, 0, Access.REMOTE_WRITE)).to.equal(VendorErr.RKEY_PD_MISMATCH);
    expect(remote(bed.pd, key, 0, Access.REMOTE_WRITE)).to.equal(VendorErr.RKEY_NO_REMOTE_WRITE);
    expect(remote(bed.pd, key, 0, Access.REMOTE_READ)).to.equal(VendorErr.RKEY_RANGE);
    expect(remote(bed.pd, key, 0x1000, Access.REMOTE_READ)).to.equal(0);
    i32[entry + Mpt.ACCESS] = 15;
  });

  it('wants all rights that an access needs', () => {
    setRegion(0x1000n, 4096, base);
    const both = Access.REMOTE_WRITE | Access.REMOTE_READ;
    for (const access of [0, Access.REMOTE_WRITE, Access.REMOTE_READ, both, 15]) {
      i32[entry + Mpt.ACCESS] = access;
      const denied = tpt.checkRemote(table, bed.pd, key, 0x1000, 0, 8, both, VendorErr.RKEY_NO_REMOTE_READ, 0);
      expect(denied).to.equal((access & both) === both ? 0 : VendorErr.RKEY_NO_REMOTE_READ);
    }
  });

  it('knows no key of a free entry, of no entry, or of all bits', () => {
    const keys = [
      0,
      (key & ~0xff) | 2,
      0xff,
      -1,
      0x7fffffff,
      (MPTS_MAX << 8) | 1,
      (MPTS_MAX - 1) << 8,
      0x80000000 | key,
    ];
    for (const bad of keys) {
      expect(tpt.checkLocal(table, bed.pd, bad, 0x1000, 0, 1, false), `0x${(bad >>> 0).toString(16)}`).to.equal(
        VendorErr.BAD_LKEY,
      );
      expect(tpt.checkRemote(table, bed.pd, bad, 0x1000, 0, 1, 1, 9, 0)).to.equal(VendorErr.BAD_RKEY);
    }
  });

  it("knows no key of the driver's own regions", () => {
    const rings = bed.region(64);
    i32[table + (rings.key >>> 8) * Mpt.WORDS + Mpt.PD] = 0;
    const place = split(rings.start);
    expect(tpt.checkLocal(table, bed.pd, rings.key, ...place, 1, false)).to.equal(VendorErr.BAD_LKEY);
    expect(tpt.checkRemote(table, bed.pd, rings.key, ...place, 1, 1, 9, 0)).to.equal(VendorErr.BAD_RKEY);
    bed.commands.destroyMpt(rings.key);
  });

  it('gives an entry another key each time, so that a stale one fails', () => {
    const seen = new Set<number>();
    let index = -1;
    for (let n = 0; n < 255; n++) {
      const region = bed.region(64);
      if (index < 0) index = region.key >>> 8;
      expect(region.key >>> 8).to.equal(index);
      for (const stale of seen) {
        expect(tpt.checkLocal(table, bed.pd, stale, ...split(region.start), 1, false)).to.equal(VendorErr.BAD_LKEY);
      }
      seen.add(region.key);
      bed.commands.destroyMpt(region.key);
    }
    expect(seen.size).to.equal(255);
    expect(seen.has(index << 8), 'a variant of 0').to.equal(false);
  });
});
