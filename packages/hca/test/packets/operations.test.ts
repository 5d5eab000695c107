import { expect } from 'chai';
import { CqeSyndrome, VendorErr } from '@openverbs/verbs/rings';
import { Qpc, QpcState } from '../../src/layout.ts';
import { Access, Opcode, Placement, Selectivity, SendFlag } from '../../src/opcode.ts';
import { pattern, type Region } from '../support/region.ts';
import { ALL_ACCESS, Testbed } from '../support/testbed.ts';

const MTU = 1024;
const SIZES = [0, 1, 3, 4, MTU - 1, MTU, MTU + 1, 2 * MTU, 5 * MTU + 7];

describe('messages as packets', () => {
  it('SEND fills the receive, whatever its size and its pieces', () => {
    const bed = Testbed.withPackets();
    const [a, b] = bed.pair();
    const source = bed.region(8192);
    const target = bed.region(8192);
    for (const size of SIZES) {
      const bytes = source.fill(size);
      target.write(0, new Uint8Array(8192));
      const third = Math.floor(size / 3);
      const pieces = (region: typeof source) => [
        region.sge(0, third),
        region.sge(third, third),
        region.sge(2 * third, size - 2 * third),
      ];
      b.recv(size === 0 ? [] : pieces(target));
      const [recv, send] = a.sendAndPoll({ sges: size === 0 ? [] : pieces(source) }).concat(b.recvCq.poll());
      const cqes = [recv, send].toSorted((x, y) => x.opcode - y.opcode);
      expect(cqes.map(({ syndrome, byteLen }) => [syndrome, byteLen])).to.deep.equal([
        [0, size],
        [0, size],
      ]);
      expect(target.read(0, size)).to.deep.equal(bytes.subarray(0, size));
      expect(target.read(size, 16)).to.deep.equal(new Uint8Array(16));
    }
  });

  it('RDMA WRITE and READ move bytes between any addresses', () => {
    const bed = Testbed.withPackets();
    const [a] = bed.pair();
    const here = bed.region(8192);
    const there = bed.region(8192);
    for (const size of SIZES) {
      for (const offset of [0, 1, 6]) {
        const bytes = here.fill(size);
        const written = a.sendAndPoll({
          opcode: Opcode.RDMA_WRITE,
          sges: [here.sge(offset, size)],
          ...there.at(offset + 2),
        });
        expect(written).to.have.length(1);
        expect(written[0]).to.include({ syndrome: 0, opcode: 1 });
        expect(there.read(offset + 2, size)).to.deep.equal(bytes.subarray(offset, offset + size));
        const bytesBack = there.fill(size + 77);
        const read = a.sendAndPoll({ opcode: Opcode.RDMA_READ, sges: [here.sge(5, size)], ...there.at(offset) });
        expect(read).to.have.length(1);
        expect(read[0]).to.include({ syndrome: 0, opcode: 2, byteLen: size });
        expect(here.read(5, size)).to.deep.equal(bytesBack.subarray(offset, offset + size));
      }
    }
  });

  it('immediate data comes with the last packet', () => {
    const bed = Testbed.withPackets();
    const [a, b] = bed.pair({}, new Map(), new Map());
    const here = bed.region(4096);
    const there = bed.region(4096);
    here.fill(3);
    b.recv([]);
    b.recv([there.sge()]);
    a.send({ opcode: Opcode.RDMA_WRITE_WITH_IMM, sges: [here.sge()], ...there.at(), imm: -2 });
    a.send({ opcode: Opcode.SEND_WITH_IMM, sges: [here.sge()], imm: 77 });
    const received = b.recvCq.poll();
    expect(received.map(({ opcode, imm, byteLen }) => [opcode, imm, byteLen])).to.deep.equal([
      [129, -2, 4096],
      [128, 77, 4096],
    ]);
    expect(there.read()).to.deep.equal(pattern(4096, 3));
  });

  it('atomics happen once, and tell what was there', () => {
    const bed = Testbed.withPackets();
    const [a] = bed.pair();
    const here = bed.region(4096);
    const there = bed.region(4096);
    there.write64(5n);
    a.send({ opcode: Opcode.ATOMIC_FETCH_AND_ADD, sges: [here.sge(0, 8)], ...there.at(), compareAdd: 2n ** 64n - 1n });
    a.send({ opcode: Opcode.ATOMIC_CMP_AND_SWP, sges: [here.sge(8, 8)], ...there.at(), compareAdd: 4n, swap: 9n });
    a.send({ opcode: Opcode.ATOMIC_CMP_AND_SWP, sges: [here.sge(16, 8)], ...there.at(), compareAdd: 4n, swap: 1n });
    expect(a.sendCq.poll().map(({ syndrome, opcode }) => [syndrome, opcode])).to.deep.equal([
      [0, 4],
      [0, 3],
      [0, 3],
    ]);
    expect([here.read64(0), here.read64(8), here.read64(16), there.read64()]).to.deep.equal([5n, 4n, 9n, 9n]);
  });

  it('atomic writes and flushes are answered by responses of their own, in their turn', () => {
    const bed = Testbed.withPackets({ delay: 10 });
    const [a, b] = bed.pair();
    const here = bed.region(4096);
    const there = bed.region(4096);
    const bytes = here.fill(3);
    a.writeSend({ opcode: Opcode.RDMA_WRITE, sges: [here.sge(0, 3000)], ...there.at(8) });
    a.writeSend({ opcode: Opcode.FLUSH, imm: Placement.GLOBAL, flushLength: 3000, ...there.at(8) });
    a.writeSend({ opcode: Opcode.ATOMIC_WRITE, sges: [here.sge(3001, 8)], ...there.at() });
    a.writeSend({ opcode: Opcode.ATOMIC_WRITE, inline: bytes.subarray(50, 58), ...there.at(3016) });
    a.writeSend({ opcode: Opcode.FLUSH, imm: 1 | (Selectivity.MR << 4), remote: 0n, rkey: there.key });
    a.ring();
    expect(a.sendCq.poll()).to.be.empty;
    bed.advance(1e6);
    expect(
      a.sendCq.poll().map(({ index, syndrome, opcode, byteLen }) => [index, syndrome, opcode, byteLen]),
    ).to.deep.equal([
      [0, 0, 1, 3000],
      [1, 0, 8, 0],
      [2, 0, 9, 8],
      [3, 0, 9, 8],
      [4, 0, 8, 0],
    ]);
    expect(there.read(0, 8)).to.deep.equal(bytes.subarray(3001, 3009));
    expect(there.read(8, 3000)).to.deep.equal(bytes.subarray(0, 3000));
    expect(there.read(3016, 8)).to.deep.equal(bytes.subarray(50, 58));
    expect([a.word('SQ_PSN'), b.word('RQ_PSN'), b.word('MSN')]).to.deep.equal([7, 7, 5]);
  });

  it('no more of them are under way than the peer serves', () => {
    const bed = Testbed.withPackets({ delay: 10 });
    const [a] = bed.pair({}, new Map([[Qpc.MAX_RD_ATOMIC, 1]]), new Map([[Qpc.MAX_DEST_RD_ATOMIC, 1]]));
    const there = bed.region(4096);
    for (let n = 0; n < 8; n += 2) {
      a.writeSend({ opcode: Opcode.ATOMIC_WRITE, inline: [n, 1, 2, 3, 4, 5, 6, 7], ...there.at(n * 8) });
      a.writeSend({ opcode: Opcode.FLUSH, imm: 1, flushLength: 8, ...there.at(n * 8) });
    }
    a.ring();
    bed.advance(1e7);
    expect(a.sendCq.poll().map(({ syndrome }) => syndrome)).to.deep.equal(Array(8).fill(0));
  });

  it('a receiver that is not ready is asked again, and in the end is an error', () => {
    const bed = Testbed.withPackets();
    const words = new Map<number, number>([[Qpc.RNR_RETRY, 2]]);
    const [a, b] = bed.pair({}, words);
    const here = bed.region(4096);
    a.send({ sges: [here.sge()] });
    expect(a.sendCq.poll()).to.deep.equal([]);
    b.recv([here.sge()]);
    bed.advance(2e6);
    expect(b.recvCq.poll().concat(a.sendCq.poll())).to.have.length(2);
    a.send({ sges: [here.sge()] });
    bed.advance(1e7);
    const [cqe] = a.sendCq.poll();
    expect(cqe).to.include({ syndrome: CqeSyndrome.RNR_RETRY_EXC_ERR, vendorErr: VendorErr.RNR });
    expect(a.state).to.equal(QpcState.ERR);
  });

  it('a NAK names what the peer refused', () => {
    const cases: [name: string, opcode: number, syndrome: number, vendorErr: number][] = [
      ['stale', Opcode.RDMA_WRITE, CqeSyndrome.REMOTE_ACCESS_ERR, VendorErr.NAK_REMOTE_ACCESS],
      ['stale', Opcode.RDMA_READ, CqeSyndrome.REMOTE_ACCESS_ERR, VendorErr.NAK_REMOTE_ACCESS],
      ['disabled', Opcode.RDMA_WRITE, CqeSyndrome.REMOTE_INVAL_REQ_ERR, VendorErr.NAK_INVALID_REQUEST],
      ['disabled', Opcode.RDMA_READ, CqeSyndrome.REMOTE_INVAL_REQ_ERR, VendorErr.NAK_INVALID_REQUEST],
      ['disabled', Opcode.ATOMIC_FETCH_AND_ADD, CqeSyndrome.REMOTE_INVAL_REQ_ERR, VendorErr.NAK_INVALID_REQUEST],
      ['stale', Opcode.ATOMIC_WRITE, CqeSyndrome.REMOTE_ACCESS_ERR, VendorErr.NAK_REMOTE_ACCESS],
      ['stale', Opcode.FLUSH, CqeSyndrome.REMOTE_ACCESS_ERR, VendorErr.NAK_REMOTE_ACCESS],
      ['disabled', Opcode.ATOMIC_WRITE, CqeSyndrome.REMOTE_INVAL_REQ_ERR, VendorErr.NAK_INVALID_REQUEST],
      ['disabled', Opcode.FLUSH, CqeSyndrome.REMOTE_INVAL_REQ_ERR, VendorErr.NAK_INVALID_REQUEST],
      ['misaligned', Opcode.ATOMIC_WRITE, CqeSyndrome.REMOTE_INVAL_REQ_ERR, VendorErr.NAK_INVALID_REQUEST],
      ['misaligned', Opcode.ATOMIC_FETCH_AND_ADD, CqeSyndrome.REMOTE_INVAL_REQ_ERR, VendorErr.NAK_INVALID_REQUEST],
    ];
    for (const [what, opcode, syndrome, vendorErr] of cases) {
      const bed = Testbed.withPackets();
      const peerWords = new Map(what === 'disabled' ? [[Qpc.ACCESS_FLAGS, 0]] : []);
      const [a, b] = bed.pair({}, new Map(), peerWords);
      const here = bed.region(4096);
      const { remote, rkey } = here.at();
      const asked = {
        remote: what === 'misaligned' ? remote + 4n : remote,
        rkey: what === 'stale' ? rkey ^ 1 : rkey,
      };
      const sges = opcode === Opcode.FLUSH ? [] : [here.sge(0, 8)];
      const [cqe] = a.sendAndPoll({ opcode, sges, imm: 1, ...asked });
      const fault = { faultKey: asked.rkey, faultAddr: asked.remote };
      expect(cqe, `${what} ${opcode}`).to.include({ syndrome, vendorErr, ...fault });
      expect([a.state, b.state]).to.deep.equal([QpcState.ERR, QpcState.ERR]);
    }
  });

  it('a region is asked for what each operation needs, and no further than it reaches', () => {
    const bed = Testbed.withPackets();
    const lacking = (access: number): Region => bed.region(4096, { access: ALL_ACCESS & ~access });
    const all = bed.region(4096);
    const own = bed.region(8192);
    const cases: [opcode: number, region: Region, length: number][] = [
      [Opcode.RDMA_READ, lacking(Access.REMOTE_READ), 8],
      [Opcode.RDMA_READ, all, 4097],
      [Opcode.RDMA_WRITE, lacking(Access.REMOTE_WRITE), 8],
      [Opcode.RDMA_WRITE, all, 4097],
      [Opcode.ATOMIC_WRITE, lacking(Access.REMOTE_WRITE), 8],
      [Opcode.ATOMIC_FETCH_AND_ADD, lacking(Access.REMOTE_ATOMIC), 8],
      [Opcode.FLUSH, lacking(Access.FLUSH_GLOBAL), 8],
      [Opcode.FLUSH, all, 4097],
    ];
    for (const [opcode, region, length] of cases) {
      const [a, b] = bed.pair();
      const data = opcode === Opcode.FLUSH ? { flushLength: length } : { sges: [own.sge(0, length)] };
      const [cqe] = a.sendAndPoll({ opcode, ...data, imm: Placement.GLOBAL, ...region.at() });
      expect(cqe, `${opcode}, ${length} bytes`).to.include({ syndrome: CqeSyndrome.REMOTE_ACCESS_ERR });
      expect([a.state, b.state]).to.deep.equal([QpcState.ERR, QpcState.ERR]);
    }
  });

  it('a read beyond those that were agreed waits, as if its request were lost', () => {
    for (const agreed of [1, 2]) {
      const bed = Testbed.withPackets();
      const [a] = bed.pair({}, new Map([[Qpc.MAX_RD_ATOMIC, 2]]), new Map([[Qpc.MAX_DEST_RD_ATOMIC, agreed]]));
      const region = bed.region(65536);
      const bytes = region.fill(3);
      for (let n = 0; n < 2; n++) {
        a.writeSend({ opcode: Opcode.RDMA_READ, sges: [region.sge(16384 * n, 16384)], ...region.at(32768) });
      }
      a.ring();
      const completed = a.sendCq.poll();
      expect(completed).to.have.length(agreed);
      bed.advance(1e9);
      expect(completed.concat(a.sendCq.poll()).map(({ syndrome }) => syndrome)).to.deep.equal([0, 0]);
      expect(region.read(16384, 16384)).to.deep.equal(bytes.subarray(32768, 49152));
    }
  });

  it('a receive that is too small fails both', () => {
    const bed = Testbed.withPackets();
    const [a, b] = bed.pair();
    const here = bed.region(4096);
    b.recv([here.sge(0, 2000)]);
    a.send({ sges: [here.sge()] });
    const cqes = a.sendCq.poll().concat(b.recvCq.poll());
    expect(cqes.map(({ syndrome }) => syndrome).toSorted()).to.deep.equal([
      CqeSyndrome.LOCAL_LENGTH_ERR,
      CqeSyndrome.REMOTE_INVAL_REQ_ERR,
    ]);
  });

  for (const [rqPsn, what] of [
    [0x500, 'behind'],
    [0x1500, 'ahead'],
  ] as const) {
    it(`different PSNs at the two ends are the reason of a failure, the peer ${what}`, () => {
      const bed = Testbed.withPackets();
      const [a] = bed.pair({}, new Map([[Qpc.SQ_PSN, 0x1000]]), new Map([[Qpc.RQ_PSN, rqPsn]]));
      a.send({ opcode: Opcode.RDMA_WRITE, sges: [bed.region(4096).sge()], ...bed.region(4096).at() });
      bed.advance(10e9);
      const [cqe] = a.sendCq.poll();
      expect(cqe).to.include({ syndrome: CqeSyndrome.RETRY_EXC_ERR, vendorErr: VendorErr.PSN_MISMATCH });
    });
  }

  it('a peer that is not there costs all retries', () => {
    const bed = Testbed.withPackets();
    const words = new Map<number, number>([
      [Qpc.RETRY_CNT, 3],
      [Qpc.TIMEOUT, 10],
    ]);
    const a = bed.qp();
    bed.toInit(a, words);
    bed.toRtr(a, 0xabcdef, words);
    bed.toRts(a, words);
    a.send({ opcode: Opcode.RDMA_WRITE });
    const before = bed.clock.nowNs();
    while (a.sendCq.poll().length === 0) bed.advance(4096 * 2 ** 10);
    // The first one and three retries, each with its timeout.
    expect(bed.clock.nowNs() - before).to.equal(4 * 4096 * 2 ** 10);
    expect(a.state).to.equal(QpcState.ERR);
  });

  it('a fence waits for the reads before it', () => {
    const bed = Testbed.withPackets({ delay: 10 });
    const [a] = bed.pair();
    const here = bed.region(4096);
    const there = bed.region(4096);
    there.fill(9);
    a.writeSend({ opcode: Opcode.RDMA_READ, sges: [here.sge(0, 2048)], ...there.at() });
    a.writeSend({
      opcode: Opcode.RDMA_WRITE,
      flags: SendFlag.FENCE | SendFlag.SIGNALED,
      sges: [here.sge(0, 2048)],
      ...there.at(2048),
    });
    a.ring();
    bed.advance(1e6);
    expect(a.sendCq.poll().map(({ syndrome }) => syndrome)).to.deep.equal([0, 0]);
    expect(there.read(2048)).to.deep.equal(pattern(4096, 9).subarray(0, 2048));
  });
});

describe('packets to an address that nobody has', () => {
  it('go nowhere, and nothing else happens', () => {
    const bed = Testbed.withPackets();
    const words = new Map<number, number>([
      [Qpc.RETRY_CNT, 1],
      [Qpc.TIMEOUT, 10],
    ]);
    const a = bed.qp();
    bed.toInit(a, words);
    bed.toRtr(a, 5, words, Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, 9, 9, 9, 9, 9, 9, 9, 9));
    bed.toRts(a, words);
    a.send({ opcode: Opcode.RDMA_WRITE });
    bed.advance(1e9);
    expect(a.sendCq.poll()[0]).to.include({ syndrome: CqeSyndrome.RETRY_EXC_ERR });
    expect(bed.machine.lock.ownerIndex).to.equal(0);
  });
});
