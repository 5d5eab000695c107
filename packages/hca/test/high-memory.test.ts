import { expect } from 'chai';
import { VendorErr } from '@openverbs/verbs/rings';
import { MESSAGE_BYTES_MAX } from '../src/limits.ts';
import { Opcode } from '../src/opcode.ts';
import { pattern } from './support/region.ts';
import type { Region, Sge } from './support/region.ts';
import { Testbed } from './support/testbed.ts';

const GiB = 2 ** 30;
const LENGTHS = [1, 4, 7, 8, 32, 33, 64, 100, 4096, 5000];

/** Machine addresses above 2 GiB are negative as int32, and those above 4 GiB - 4096 wrap when something is added. */
describe('memory above 2 GiB', () => {
  const bed = new Testbed(4 * GiB);
  const [a, b] = bed.pair();
  const low = bed.region(8192);
  const high = bed.region(8192, { above: 3 * GiB });
  const top = bed.region(8192, { above: 4 * GiB - 8192 });
  const places: [name: string, local: Region, remote: Region][] = [
    ['from below to above', low, high],
    ['from above to below', high, low],
    ['from above to the last byte', high, top],
    ['from the last byte to below', top, low],
  ];

  before(() => {
    expect(high.machineAddr(0)).to.be.at.least(3 * GiB);
    expect(top.machineAddr(8192)).to.equal(4 * GiB);
  });

  for (const [name, local, remote] of places) {
    it(`is written, read and sent to ${name}`, () => {
      for (const length of LENGTHS) {
        const at = 8192 - length;
        local.fill(length);
        remote.fill(length + 1);
        const bytes = local.read(at);
        const sges = [local.sge(at)];
        expect(a.sendAndPoll({ opcode: Opcode.RDMA_WRITE, sges, ...remote.at(at) })[0].syndrome).to.equal(0);
        expect(remote.read(at)).to.deep.equal(bytes);
        remote.write(at, pattern(length, 77));
        expect(a.sendAndPoll({ opcode: Opcode.RDMA_READ, sges, ...remote.at(at) })[0].syndrome).to.equal(0);
        expect(local.read(at)).to.deep.equal(pattern(length, 77));
        b.recv([remote.sge(0, length)]);
        expect(a.sendAndPoll({ sges })[0].syndrome).to.equal(0);
        expect(b.recvCq.poll()).to.have.length(1);
        expect(remote.read(0, length)).to.deep.equal(pattern(length, 77));
      }
    });

    it(`takes atomic operations ${name}`, () => {
      remote.write64(2n ** 64n - 1n, 8184);
      const wqe = { sges: [local.sge(8184)], compareAdd: 2n, ...remote.at(8184) };
      expect(a.sendAndPoll({ opcode: Opcode.ATOMIC_FETCH_AND_ADD, ...wqe })[0].syndrome).to.equal(0);
      expect([local.read64(8184), remote.read64(8184)]).to.deep.equal([2n ** 64n - 1n, 1n]);
    });
  }

  it('holds rings and page lists like any other', () => {
    const { pages } = bed.machine;
    const { alloc } = pages;
    pages.alloc = (bytes, alignment, owner) => alloc.call(pages, bytes, alignment, owner, { above: 3 * GiB });
    const [c, d] = bed.pair();
    expect(c.record * 4, 'the rings are still below').to.be.above(2 * GiB);
    const paged = bed.pagedRegion(9000, 100);
    paged.fill(1);
    for (let n = 0; n < 40; n++) {
      d.recv([high.sge(0, 100)]);
      expect(c.sendAndPoll({ sges: [paged.sge(4000, 100)] })).to.have.length(1);
      expect(d.recvCq.poll()[0]).to.include({ syndrome: 0, byteLen: 100, index: n });
    }
    expect(high.read(0, 100)).to.deep.equal(paged.read(4000, 100));
    expect(c.sendAndPoll({ opcode: Opcode.RDMA_WRITE, inline: [1, 2, 3], ...low.at(0) })[0].syndrome).to.equal(0);
    expect(low.read(0, 3)).to.deep.equal(Uint8Array.of(1, 2, 3));
    pages.alloc = alloc;
  });
});

describe('the longest message', () => {
  // One page over and over on each side, so that it costs no memory; the bytes that pass are real.
  const bed = new Testbed();
  const pageCount = MESSAGE_BYTES_MAX / 4096 + 1;
  const start = 0x10n << 32n;

  /** A region of 2^31 and some bytes, all of them in one page. */
  function echo(): { readonly page: number; readonly sge: Sge } {
    const page = bed.alloc(4096);
    const pages = new Array<number>(pageCount).fill(page);
    const init = { uar: bed.uar, pd: bed.pd, access: 15, startLo: 0, startHi: 0x10, length: pageCount * 4096 };
    const key = bed.commands.createMpt({ ...init, pages });
    return { page, sge: { addr: start, length: MESSAGE_BYTES_MAX, key } };
  }

  it('is 2^31 bytes, written in one SGE', () => {
    const { u8 } = bed.machine;
    const from = echo();
    const to = echo();
    const [a] = bed.pair();
    u8.set(pattern(4096, 5), from.page);
    const [cqe] = a.sendAndPoll({ opcode: Opcode.RDMA_WRITE, sges: [from.sge], remote: start, rkey: to.sge.key });
    expect(cqe).to.include({ syndrome: 0, byteLen: MESSAGE_BYTES_MAX });
    expect(u8.slice(to.page, to.page + 4096)).to.deep.equal(pattern(4096, 5));
    expect(a.word('SQ_PSN')).to.equal(MESSAGE_BYTES_MAX / 1024);
  });

  it('is 2^31 bytes, sent in one SGE and received in two', () => {
    const { u8 } = bed.machine;
    const from = echo();
    const to = echo();
    const [a, b] = bed.pair();
    u8.set(pattern(4096, 6), from.page);
    b.recv([
      { ...to.sge, length: 4096 },
      { ...to.sge, addr: start + 4096n, length: MESSAGE_BYTES_MAX - 4096 },
    ]);
    expect(a.sendAndPoll({ sges: [from.sge] })[0]).to.include({ syndrome: 0 });
    expect(b.recvCq.poll()[0]).to.include({ syndrome: 0, byteLen: MESSAGE_BYTES_MAX });
    expect(u8.slice(to.page, to.page + 4096)).to.deep.equal(pattern(4096, 6));
  });

  it('and not a byte more', () => {
    const { sge } = echo();
    for (const sges of [
      [sge, { ...sge, length: 1 }],
      [{ ...sge, length: 1 }, sge],
      [sge, sge, sge, sge],
    ]) {
      const [a] = bed.pair();
      const [cqe] = a.sendAndPoll({ opcode: Opcode.RDMA_WRITE, sges, remote: start, rkey: sge.key });
      expect(cqe.vendorErr).to.equal(VendorErr.MESSAGE_TOO_LONG);
    }
  });
});
