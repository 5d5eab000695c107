import { expect } from 'chai';
import { CqeSyndrome, VendorErr } from '@openverbs/verbs/rings';
import { Qpc, QpcState } from '../src/layout.ts';
import { Opcode } from '../src/opcode.ts';
import { Testbed } from './support/testbed.ts';

const { ATOMIC_WRITE, ATOMIC_FETCH_AND_ADD, RDMA_READ } = Opcode;
const BYTES = [1, 2, 3, 4, 5, 6, 7, 0xf8];
const VALUE = 0xf807060504030201n;

describe('an atomic write', () => {
  const bed = new Testbed();
  const [a, b] = bed.pair({ maxInline: 0 });
  const own = bed.region(64);

  it('writes 8 bytes, inline whatever the limit for inline data, and no others', () => {
    for (const target of [bed.region(64), bed.pagedRegion(64, 8)]) {
      target.fill(1);
      const expected = target.read();
      expected.set(BYTES, 24);
      const [cqe] = a.sendAndPoll({ opcode: ATOMIC_WRITE, inline: BYTES, ...target.at(24) });
      expect(cqe).to.include({ opcode: 9, syndrome: 0, byteLen: 8 });
      expect(target.read()).to.deep.equal(expected);
      expect(target.read64(24)).to.equal(VALUE);
    }
  });

  it('takes them from an SGE at any address, of two pages too', () => {
    const paged = bed.pagedRegion(8192);
    const target = bed.region(64);
    for (const [from, at] of [[own, 0], [own, 3], [paged, 4092], [paged, 4091]] as const) {
      from.write(at, Uint8Array.from(BYTES));
      expect(a.sendAndPoll({ opcode: ATOMIC_WRITE, sges: [from.sge(at, 8)], ...target.at(8) })[0]).to.include({ syndrome: 0 });
      expect(target.read64(8)).to.equal(VALUE);
      target.write64(0n, 8);
    }
  }); // prettier-ignore

  it('is seen by what comes behind it', () => {
    const target = bed.region(64);
    a.writeSend({ opcode: ATOMIC_WRITE, inline: BYTES, flags: 0, ...target.at() });
    a.writeSend({ opcode: ATOMIC_FETCH_AND_ADD, sges: [own.sge(0, 8)], compareAdd: 1n, ...target.at() });
    a.writeSend({ opcode: RDMA_READ, sges: [own.sge(8, 8)], ...target.at() });
    a.ring();
    expect(a.sendCq.poll().map(({ syndrome }) => syndrome)).to.deep.equal([0, 0]);
    expect([own.read64(0), own.read64(8)]).to.deep.equal([VALUE, VALUE + 1n]);
  });

  it('needs a remote address that is a multiple of 8', () => {
    const target = bed.region(64);
    for (const skew of [1, 2, 4, 7]) {
      const [c, d] = bed.pair();
      expect(c.sendAndPoll({ opcode: ATOMIC_WRITE, inline: BYTES, ...target.at(skew) })[0]).to.include({
        syndrome: CqeSyndrome.REMOTE_INVAL_REQ_ERR,
        vendorErr: VendorErr.ATOMIC_MISALIGNED,
        faultKey: target.key,
        faultAddr: target.start + BigInt(skew),
      });
      expect(d.state).to.equal(QpcState.ERR);
      expect(target.read64()).to.equal(0n);
    }
  });

  it('needs it also where the memory itself begins at a multiple of 8', () => {
    const base = bed.alloc(64);
    for (const opcode of [ATOMIC_WRITE, ATOMIC_FETCH_AND_ADD]) {
      const [c] = bed.pair();
      const rkey = bed.commands.createMpt({ uar: bed.uar, pd: bed.pd, access: 15, startLo: 4, startHi: 0, length: 32, base });
      const [cqe] = c.sendAndPoll({ opcode, sges: [own.sge(0, 8)], compareAdd: 1n, rkey, remote: 4n });
      expect(cqe).to.include({ vendorErr: VendorErr.ATOMIC_MISALIGNED, faultKey: rkey, faultAddr: 4n });
    }
    expect(bed.machine.u8.slice(base, base + 64).some((byte) => byte !== 0)).to.equal(false);
  }); // prettier-ignore

  it('and other atomics need memory that begins at a multiple of 8, whatever the key calls it', () => {
    const base = bed.alloc(64);
    for (const skew of [1, 4]) {
      for (const opcode of [ATOMIC_WRITE, ATOMIC_FETCH_AND_ADD]) {
        const [c] = bed.pair();
        const init = { uar: bed.uar, pd: bed.pd, access: 15, startLo: 0, startHi: 0, length: 32, base: base + skew };
        const rkey = bed.commands.createMpt(init);
        const [cqe] = c.sendAndPoll({ opcode, sges: [own.sge(0, 8)], compareAdd: 1n, rkey, remote: 8n });
        const syndrome = CqeSyndrome.REMOTE_INVAL_REQ_ERR;
        expect(cqe).to.include({ syndrome, vendorErr: VendorErr.ATOMIC_MISALIGNED, faultKey: rkey, faultAddr: 8n });
        expect(bed.machine.u8.slice(base, base + 64).some((byte) => byte !== 0)).to.equal(false);
      }
    }
  });

  it('takes one of the reads and atomics that the two ends allow', () => {
    const target = bed.region(64);
    const wqe = { opcode: ATOMIC_WRITE, inline: BYTES, ...target.at() };
    const [c, d] = bed.pair({}, new Map([[Qpc.MAX_RD_ATOMIC, 0]]));
    expect(c.sendAndPoll(wqe)[0]).to.include({
      syndrome: CqeSyndrome.LOCAL_QP_OP_ERR,
      vendorErr: VendorErr.RD_ATOMIC_LIMIT,
    });
    expect(d.state).to.equal(QpcState.RTS);
    expect(target.read64()).to.equal(0n);
    expect(b.state).to.equal(QpcState.RTS);
  });
});
