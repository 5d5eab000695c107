import { expect } from 'chai';
import fc from 'fast-check';
import { PAGE_BYTES } from '@openverbs/machine';
import { VendorErr } from '@openverbs/verbs/rings';
import { Opcode } from '../src/opcode.ts';
import type { Region, Sge } from './support/region.ts';
import { Testbed } from './support/testbed.ts';

const PAGES = 5;
const LENGTH = PAGES * PAGE_BYTES - 1000;
const FIRST_OFFSET = 777;

/** Where one piece of a message lies. */
interface Piece {
  readonly paged: boolean;
  readonly offset: number;
  readonly length: number;
}

/** Offsets next to a border of pages, mostly. */
const offset = fc.oneof(
  fc.nat({ max: LENGTH - 1 }),
  fc
    .tuple(fc.integer({ min: 1, max: PAGES - 1 }), fc.integer({ min: -5, max: 5 }))
    .map(([page, delta]) => page * PAGE_BYTES - FIRST_OFFSET + delta),
);
const piece: fc.Arbitrary<Piece> = fc
  .record({
    paged: fc.boolean(),
    offset,
    length: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 9000 })),
  })
  .map(({ paged, offset, length }) => ({ paged, offset, length: Math.min(length, LENGTH - offset) }));
const pieces = fc.array(piece, { minLength: 1, maxLength: 4 });

describe('a region of scattered pages', () => {
  const bed = new Testbed();
  const { u8 } = bed.machine;
  const [a, b] = bed.pair();
  // Local and remote memory, each as one run and as pages that lie in the reverse order, every other one.
  const local = { run: bed.region(LENGTH), paged: bed.pagedRegion(LENGTH, FIRST_OFFSET) };
  const remote = { run: bed.region(LENGTH), paged: bed.pagedRegion(LENGTH, FIRST_OFFSET) };

  const of = (side: typeof local, { paged }: Piece): Region => (paged ? side.paged : side.run);
  const sgesOf = (side: typeof local, list: readonly Piece[]): Sge[] =>
    list.map((one) => of(side, one).sge(one.offset, one.length));
  const lengthOf = (list: readonly Piece[]): number => list.reduce((sum, { length }) => sum + length, 0);
  const gather = (side: typeof local, list: readonly Piece[]): Buffer =>
    Buffer.concat(list.map((one) => of(side, one).read(one.offset, one.length)));

  /** All bytes that belong to the tests, so that one written beside a region is found. */
  function snapshot(): Uint8Array[] {
    return [local.run, local.paged, remote.run, remote.paged].map((region) => {
      const first = bed.machine.pages.baseOf(region.machineAddr(0));
      return u8.slice(first, first + bed.machine.pages.sizeOf(first));
    });
  }

  /** Expects that only the given bytes changed, by putting the old ones back. */
  function expectNothingElse(before: Uint8Array[], undo: () => void): void {
    undo();
    snapshot().forEach((bytes, n) => {
      expect(Buffer.compare(bytes, before[n]), `buffer ${n} was written beside the region`).to.equal(0);
    });
  }

  before(() => {
    local.run.fill(1);
    local.paged.fill(2);
    remote.run.fill(3);
    remote.paged.fill(4);
  });

  it('is written to and read from by every list of pieces', () => {
    fc.assert(
      fc.property(pieces, piece, fc.boolean(), (list, target, reads) => {
        const length = Math.min(lengthOf(list), LENGTH - target.offset);
        fc.pre(length === lengthOf(list));
        const region = of(remote, target);
        const before = snapshot();
        const old = region.read(target.offset, length);
        const source = gather(local, list);
        const opcode = reads ? Opcode.RDMA_READ : Opcode.RDMA_WRITE;
        fc.pre(!reads || !overlaps(list));
        const [cqe] = a.sendAndPoll({ opcode, sges: sgesOf(local, list), ...region.at(target.offset) });
        expect(cqe).to.include({ syndrome: 0, byteLen: length });
        if (reads) {
          expectSame(gather(local, list), old);
          expectNothingElse(before, () => {
            put(local, list, source);
          });
        } else {
          expectSame(region.read(target.offset, length), source);
          expectNothingElse(before, () => {
            region.write(target.offset, old);
          });
        }
      }),
      { numRuns: 150 },
    );
  });

  it('takes messages by every list of pieces, from every list of pieces', () => {
    fc.assert(
      fc.property(pieces, pieces, (list, target) => {
        fc.pre(lengthOf(list) <= lengthOf(target) && !overlaps(target));
        const before = snapshot();
        const old = gather(remote, target);
        const source = gather(local, list);
        b.recv(sgesOf(remote, target));
        const cqes = a.sendAndPoll({ sges: sgesOf(local, list) });
        expect(cqes.map(({ syndrome }) => syndrome)).to.deep.equal([0]);
        expect(b.recvCq.poll()).to.have.length(1);
        expectSame(gather(remote, target).subarray(0, source.length), source);
        expectNothingElse(before, () => {
          put(remote, target, old);
        });
      }),
      { numRuns: 150 },
    );
  });

  function put(side: typeof local, list: readonly Piece[], bytes: Uint8Array): void {
    let from = 0;
    for (const one of list) {
      of(side, one).write(one.offset, bytes.subarray(from, from + one.length));
      from += one.length;
    }
  }

  it('is the target of atomic operations on both sides of a border of pages', () => {
    // The regions begin at an odd offset, so operands are aligned by their verbs address.
    const region = bed.pagedRegion(2 * PAGE_BYTES, 0);
    for (const at of [0, PAGE_BYTES - 8, PAGE_BYTES, 2 * PAGE_BYTES - 8]) {
      region.write64(0xfffffffffn, at);
      const result = local.paged.sge(PAGE_BYTES - FIRST_OFFSET - 3, 8);
      const wqe = { opcode: Opcode.ATOMIC_FETCH_AND_ADD, sges: [result], compareAdd: 1n, ...region.at(at) };
      expect(a.sendAndPoll(wqe)[0]).to.include({ syndrome: 0, byteLen: 8 });
      expect(region.read64(at)).to.equal(0x1000000000n);
      expect(local.paged.read64(PAGE_BYTES - FIRST_OFFSET - 3)).to.equal(0xfffffffffn);
    }
  });

  it('ends where it ends, in the middle of a page', () => {
    const bad = { opcode: Opcode.RDMA_WRITE, sges: [local.run.sge(0, 2)], ...remote.paged.at(LENGTH - 1) };
    const [c] = bed.pair();
    expect(c.sendAndPoll(bad)[0]).to.include({ vendorErr: VendorErr.RKEY_RANGE });
  });

  it('may name a page twice, and pages of one run', () => {
    const page = bed.alloc(PAGE_BYTES);
    const init = { uar: bed.uar, pd: bed.pd, access: 15, startLo: 0, startHi: 0x10, length: 3 * PAGE_BYTES };
    const key = bed.commands.createMpt({ ...init, pages: [page, page, page] });
    const from = local.run.sge(0, 16);
    for (const remoteAddr of [0n, BigInt(PAGE_BYTES) + 32n, BigInt(2 * PAGE_BYTES) + 64n]) {
      const wqe = { opcode: Opcode.RDMA_WRITE, sges: [from], remote: (0x10n << 32n) + remoteAddr, rkey: key };
      expect(a.sendAndPoll(wqe)[0].syndrome).to.equal(0);
    }
    const bytes = local.run.read(0, 16);
    for (const at of [0, 32, 64]) expect(u8.slice(page + at, page + at + 16)).to.deep.equal(bytes);
  });

  it('gives its page list back', () => {
    const { buffers } = bed.machine.pages.stats();
    const region = bed.pagedRegion(3 * PAGE_BYTES);
    expect(bed.machine.pages.stats().buffers, 'the pages and their list').to.equal(buffers + 2);
    bed.commands.destroyMpt(region.key);
    expect(bed.machine.pages.stats().buffers).to.equal(buffers + 1);
  });
});

/** As `deep.equal`, which takes long for thousands of bytes. */
function expectSame(got: Uint8Array, wanted: Uint8Array): void {
  if (Buffer.compare(got, wanted) !== 0) expect(got).to.deep.equal(Uint8Array.from(wanted));
}

/** Whether two pieces of the same region share bytes; what they hold then depends on the order. */
function overlaps(list: readonly Piece[]): boolean {
  return list.some((one, n) =>
    list
      .slice(n + 1)
      .some(
        (other) =>
          one.paged === other.paged &&
          one.offset < other.offset + other.length &&
          other.offset < one.offset + one.length,
      ),
  );
}
