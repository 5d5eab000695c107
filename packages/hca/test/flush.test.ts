import { expect } from 'chai';
import { CqeSyndrome, VendorErr } from '@openverbs/verbs/rings';
import { Qpc, QpcState } from '../src/layout.ts';
import { Access, Opcode, Placement, Selectivity } from '../src/opcode.ts';
import { Testbed } from './support/testbed.ts';

const { FLUSH, RDMA_WRITE } = Opcode;
const { GLOBAL } = Placement;
const WHOLE = GLOBAL | (Selectivity.MR << 4);

describe('a flush', () => {
  const bed = new Testbed();
  const [a, b] = bed.pair();
  const target = bed.region(64, { access: Access.FLUSH_GLOBAL });

  it('completes behind the writes before it, and moves nothing', () => {
    const written = bed.region(64);
    const before = target.fill(1);
    const own = bed.region(64);
    const bytes = own.fill(2);
    a.writeSend({ opcode: RDMA_WRITE, sges: [own.sge()], flags: 0, ...written.at() });
    a.writeSend({ opcode: FLUSH, imm: GLOBAL, flushLength: 64, ...written.at() });
    a.ring();
    const found = a.sendCq.poll();
    expect(found).to.have.length(1);
    expect(found[0]).to.include({ index: 1, opcode: 8, syndrome: 0, byteLen: 0 });
    expect([written.read(), target.read()]).to.deep.equal([bytes, before]);
  });

  it('of a range needs the range, of nothing too', () => {
    for (const [offset, length] of [[0, 64], [63, 1], [64, 0], [0, 0]] as const) {
      expect(a.sendAndPoll({ opcode: FLUSH, imm: GLOBAL, flushLength: length, ...target.at(offset) })[0]).to.include({ syndrome: 0 });
    }
    for (const [offset, length] of [[0, 65], [64, 1], [65, 0], [0, 0x7fffffff], [0, -1], [8, -8]] as const) {
      const [c, d] = bed.pair();
      const place = target.at(offset);
      expect(c.sendAndPoll({ opcode: FLUSH, imm: GLOBAL, flushLength: length, ...place })[0]).to.include({
        syndrome: CqeSyndrome.REMOTE_ACCESS_ERR,
        vendorErr: VendorErr.RKEY_RANGE,
        faultKey: target.key,
        faultAddr: place.remote,
      });
      expect(d.state).to.equal(QpcState.ERR);
    }
  }); // prettier-ignore

  it('of all of a region needs its key only', () => {
    for (const remote of [0n, target.start + 63n, 2n ** 64n - 1n]) {
      const wqe = { opcode: FLUSH, imm: WHOLE, flushLength: -1, remote, rkey: target.key };
      expect(a.sendAndPoll(wqe)[0]).to.include({ syndrome: 0, opcode: 8 });
    }
    const lacking = bed.region(64, { access: 0b1111 });
    const otherPd = bed.region(64, { access: Access.FLUSH_GLOBAL, pd: bed.commands.allocPd(bed.uar) });
    for (const [rkey, vendorErr] of [
      [target.key + 1, VendorErr.BAD_RKEY],
      [lacking.key, VendorErr.RKEY_NO_FLUSH_GLOBAL],
      [otherPd.key, VendorErr.RKEY_PD_MISMATCH],
    ] as const) {
      const [c] = bed.pair();
      const syndrome = CqeSyndrome.REMOTE_ACCESS_ERR;
      expect(c.sendAndPoll({ opcode: FLUSH, imm: WHOLE, rkey })[0]).to.include({ syndrome, vendorErr });
    }
  });

  it('takes one of the reads and atomics that the two ends allow', () => {
    const [c, d] = bed.pair({}, new Map([[Qpc.MAX_RD_ATOMIC, 0]]));
    expect(c.sendAndPoll({ opcode: FLUSH, imm: GLOBAL, ...target.at() })[0]).to.include({
      syndrome: CqeSyndrome.LOCAL_QP_OP_ERR,
      vendorErr: VendorErr.RD_ATOMIC_LIMIT,
    });
    expect([b.state, d.state]).to.deep.equal([QpcState.RTS, QpcState.RTS]);
  });
});
