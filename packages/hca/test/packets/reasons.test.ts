/** Reasons of failures that only come up where messages are packets. */
import { expect } from 'chai';
import { CqeSyndrome, SendWqe, VendorErr } from '@openverbs/verbs/rings';
import { Qpc, QpcState, QpcType } from '../../src/layout.ts';
import { Opcode } from '../../src/opcode.ts';
import { audit } from '../support/audit.ts';
import type { TestQp } from '../support/test-qp.ts';
import { Testbed } from '../support/testbed.ts';

const DELAY_US = 5;
/** More than there are frames, so that a message is sent in two parts. */
const LONG_BYTES = 2000 * 256;
/** Of an SGE. */
const LENGTH = 2;

const MTU_256 = new Map([[Qpc.PATH_MTU, 1]]);
const MTU_4096 = new Map([[Qpc.PATH_MTU, 5]]);

/** Makes the first piece of a WQE longer by a byte, as a program must not while the device has it. */
function lengthen(bed: Testbed, qp: TestQp, index: number): void {
  bed.i32[qp.sendSlot(index) + SendWqe.SGE + LENGTH]++;
}

describe('a work request that is changed while its packets are under way', () => {
  it('fails when they are sent again', () => {
    const bed = Testbed.withPackets({ delay: DELAY_US });
    const [a, b] = bed.pair();
    const region = bed.region(4096);
    region.fill(1);
    const before = region.read();
    bed.engine.faults!.set({ drop: 1 });
    const index = a.send({ opcode: Opcode.RDMA_WRITE, sges: [region.sge(0, 64)], ...region.at(2048) });
    bed.engine.faults!.set({ drop: 0 });
    lengthen(bed, a, index);
    bed.advance(1e9);
    const [failed] = a.sendCq.poll();
    expect(failed).to.include({ syndrome: CqeSyndrome.LOCAL_QP_OP_ERR, vendorErr: VendorErr.WQE_CHANGED });
    expect([a.state, b.state]).to.deep.equal([QpcState.ERR, QpcState.RTS]);
    expect(region.read()).to.deep.equal(before);
    audit(bed);
  });

  it('fails when the rest of them is sent, over UC', () => {
    const bed = Testbed.withPackets({ delay: DELAY_US });
    const [a] = bed.pair({ type: QpcType.UC }, MTU_256, MTU_256);
    const region = bed.region(LONG_BYTES + 1);
    const index = a.send({ opcode: Opcode.RDMA_WRITE, sges: [region.sge(0, LONG_BYTES)], ...region.at() });
    lengthen(bed, a, index);
    bed.advance(1e9);
    const [failed] = a.sendCq.poll();
    expect(failed).to.include({ syndrome: CqeSyndrome.LOCAL_QP_OP_ERR, vendorErr: VendorErr.WQE_CHANGED });
    audit(bed);
  });
});

describe('a response of another length than was asked for', () => {
  it('fails the read: the ends have different path MTUs', () => {
    const bed = Testbed.withPackets({ delay: DELAY_US });
    const [a] = bed.pair({}, MTU_256, MTU_4096);
    const region = bed.region(8192);
    region.fill(1);
    const before = region.read();
    a.send({ opcode: Opcode.RDMA_READ, sges: [region.sge(0, 1024)], ...region.at(4096) });
    bed.advance(1e9);
    const [failed] = a.sendCq.poll();
    expect(failed).to.include({ syndrome: CqeSyndrome.BAD_RESP_ERR, vendorErr: VendorErr.BAD_RESPONSE });
    expect(a.state).to.equal(QpcState.ERR);
    expect(region.read()).to.deep.equal(before);
    audit(bed);
  });
});
