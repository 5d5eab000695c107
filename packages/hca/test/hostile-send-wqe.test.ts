import { expect } from 'chai';
import fc from 'fast-check';
import { CqeSyndrome, QpDoorbellRecord, VendorErr } from '@openverbs/verbs/rings';
import { AsyncEvent } from '../src/async-event.ts';
import { QpcState } from '../src/layout.ts';
import { Access, Opcode } from '../src/opcode.ts';
import { HOSTILE_SENDS, makeWorld, NO_KEY } from './support/hostile-sends.ts';

const { RDMA_WRITE, SEND, RDMA_READ } = Opcode;
const TWO_31 = 2 ** 31;

describe('a send WQE written by hand', () => {
  for (const { name, wqe, syndrome, vendorErr, faultKey, faultAddr } of HOSTILE_SENDS) {
    it(`with ${name} fails, and fails nobody else`, () => {
      const world = makeWorld();
      const { bed, a, b } = world;
      // A failed check before this one must not shine through.
      const [c] = bed.pair();
      c.sendAndPoll({ sges: [{ ...world.foreign.sge(), key: 0x77777701 }] });
      a.writeSend(wqe(world));
      a.writeSend({ sges: [world.own.sge()], flags: 0 });
      a.ring();
      const [failed, flushed, ...more] = a.sendCq.poll();
      expect(failed).to.include({ qpn: a.number, index: 0, syndrome, vendorErr });
      expect(failed.faultKey, 'fault key').to.equal(faultKey?.(world) ?? 0);
      expect(failed.faultAddr, 'fault address').to.equal(faultAddr?.(world) ?? 0n);
      expect(flushed).to.include({ index: 1, syndrome: CqeSyndrome.WR_FLUSH_ERR, vendorErr: VendorErr.FLUSHED });
      expect(more).to.be.empty;
      expect([a.state, b.state]).to.deep.equal([QpcState.ERR, QpcState.RTS]);
      expect(bed.events()).to.be.empty;
      expect(world.target.read().some((byte) => byte !== 0)).to.equal(false);
    });
  }

  it('that claims more than the ring holds is a fatal error, and the flush ends', () => {
    for (const claim of [17, 1000, TWO_31 - 1, -TWO_31, -1]) {
      const { bed, a, own } = makeWorld();
      a.writeSend({ sges: [own.sge()] });
      Atomics.store(bed.i32, a.record + QpDoorbellRecord.SQ_PRODUCER, claim);
      a.ring();
      const cqes = a.sendCq.poll();
      expect(cqes.map(({ index }) => index)).to.deep.equal(Array.from({ length: 16 }, (_, n) => n));
      expect(cqes.every((cqe) => cqe.syndrome === CqeSyndrome.WR_FLUSH_ERR)).to.equal(true);
      expect(bed.events()).to.deep.equal([[AsyncEvent.QP_FATAL, a.number]]);
      a.ring();
      expect(a.sendCq.poll().length).to.be.at.most(16);
    }
  });

  it('of any words at all leaves the memory of others alone', () => {
    const { bed, own, foreign, target } = makeWorld();
    foreign.fill(9);
    const before = foreign.read();
    const rings = bed.alloc(4096);
    const interesting = fc.oneof(
      fc.integer({ min: -TWO_31, max: TWO_31 - 1 }),
      fc.nat({ max: 16 }),
      fc.constantFrom(own.key, foreign.key, target.key, own.key + 1, Number(own.start & 0xffffffffn) | 0, 0x7f00),
    );
    fc.assert(
      fc.property(fc.array(interesting, { minLength: 32, maxLength: 32 }), (wqe) => {
        const [a, b] = bed.pair();
        a.writeSend({ words: Object.fromEntries(wqe.map((word, n) => [n, word])) });
        a.ring();
        expect([QpcState.RTS, QpcState.ERR]).to.include(a.state);
        expect(foreign.read()).to.deep.equal(before);
        expect(bed.machine.u8.slice(rings, rings + 4096).some((byte) => byte !== 0)).to.equal(false);
        for (const qp of [a, b]) qp.destroy();
      }),
      { numRuns: 300 },
    );
  });

  it('without SGEs, or with empty ones, is an empty message, whatever the keys', () => {
    const { a, b, own, target } = makeWorld();
    const empty = { ...own.sge(), key: NO_KEY, length: 0 };
    expect(a.sendAndPoll({ opcode: RDMA_WRITE, sges: [empty, empty], remote: 1n, rkey: NO_KEY })).to.have.length(1);
    expect(a.sendAndPoll({ opcode: RDMA_READ, remote: 1n, rkey: NO_KEY })[0]).to.include({ syndrome: 0, byteLen: 0 });
    b.recv([target.sge()]);
    expect(a.sendAndPoll({ opcode: SEND, sges: [empty] })[0]).to.include({ syndrome: 0 });
    expect(b.recvCq.poll()[0]).to.include({ syndrome: 0, byteLen: 0 });
  });

  it('is fetched once: what is in the ring afterwards does not matter', () => {
    const { bed, a, own, target } = makeWorld();
    // The message overwrites its own WQE while it is carried out.
    const ring = bed.machine;
    const wqeAddr = a.sendSlot(0) * 4;
    const overWqe = bed.commands.createMpt({
      uar: bed.uar,
      pd: bed.pd,
      access: Access.LOCAL_WRITE | Access.REMOTE_WRITE,
      startLo: 0,
      startHi: 0,
      length: 128,
      base: wqeAddr,
    });
    own.write(0, new Uint8Array(64).fill(0xff));
    const [cqe] = a.sendAndPoll({ opcode: RDMA_WRITE, sges: [own.sge(0, 32), own.sge(0, 32)], rkey: overWqe });
    expect(cqe).to.include({ syndrome: 0, opcode: 1, byteLen: 64 });
    expect(ring.u8.slice(wqeAddr, wqeAddr + 64).every((byte) => byte === 0xff)).to.equal(true);
    expect(target.read().some((byte) => byte !== 0)).to.equal(false);
  });
});
