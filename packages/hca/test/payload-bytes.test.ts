import { expect } from 'chai';
import { SendWqe } from '@openverbs/verbs/rings';
import { Qpc, QpcState, QpcType } from '../src/layout.ts';
import { Opcode, SendFlag } from '../src/opcode.ts';
import { Testbed } from './support/testbed.ts';
import type { TestQp } from './support/test-qp.ts';

const QKEY = 0x1234;

/** The device's own count of a QP. */
const payloadBytes = (bed: Testbed, qp: TestQp): number => bed.machine.f64[(qp.context + Qpc.PAYLOAD_BYTES) >> 1];

for (const [how, newBed] of [
  ['as one descriptor', () => new Testbed()],
  ['as packets', () => Testbed.withPackets()],
] as const) {
  describe(`payload bytes of a QP, messages ${how}`, () => {
    it('RC: of each operation that was done, signaled or not', () => {
      const bed = newBed();
      const [a, b] = bed.pair();
      const here = bed.region(8192);
      const there = bed.region(8192);
      b.recv([there.sge()]);
      a.send({ sges: [here.sge(0, 10), here.sge(20, 5)] });
      a.send({ opcode: Opcode.RDMA_WRITE, flags: 0, sges: [here.sge(0, 5000)], ...there.at() });
      a.send({ opcode: Opcode.RDMA_WRITE, flags: SendFlag.INLINE, inline: [1, 2, 3], ...there.at() });
      a.send({ opcode: Opcode.RDMA_READ, sges: [here.sge(0, 300)], ...there.at() });
      a.send({ opcode: Opcode.ATOMIC_FETCH_AND_ADD, sges: [here.sge(0, 8)], ...there.at() });
      expect(payloadBytes(bed, a)).to.equal(15 + 5000 + 3 + 300 + 8);
      expect(payloadBytes(bed, b)).to.equal(0);
    });

    it('RC: nothing of what failed or was flushed, and from 0 after a reset', () => {
      const bed = newBed();
      const [a] = bed.pair();
      const region = bed.region(64);
      a.send({ opcode: Opcode.RDMA_WRITE, sges: [region.sge(0, 40)], ...region.at() });
      a.send({ opcode: Opcode.RDMA_WRITE, sges: [region.sge(0, 8)], rkey: 5 });
      a.send({ opcode: Opcode.RDMA_WRITE, sges: [region.sge(0, 8)], ...region.at() });
      expect(a.sendCq.poll().map(({ syndrome }) => syndrome === 0)).to.deep.equal([true, false, false]);
      expect(payloadBytes(bed, a)).to.equal(40);
      bed.modify(a, QpcState.RESET);
      expect(payloadBytes(bed, a)).to.equal(0);
    });

    it('UC and UD: of what was sent, whatever became of it', () => {
      const bed = newBed();
      const [a] = bed.pair({ type: QpcType.UC });
      const region = bed.region(2048);
      a.send({ sges: [region.sge(0, 2000)] });
      a.send({ flags: 0, sges: [region.sge(0, 7)] });
      expect(payloadBytes(bed, a)).to.equal(2007);
      const ud = bed.qp({ type: QpcType.UD });
      bed.modify(ud, QpcState.INIT, new Map([[Qpc.PORT, 1] as const, [Qpc.QKEY, QKEY] as const]));
      bed.modify(ud, QpcState.RTR);
      bed.modify(ud, QpcState.RTS);
      const words = {
        [SendWqe.RKEY]: QKEY,
        [SendWqe.REMOTE_ADDR_LO]: bed.ah(),
        [SendWqe.REMOTE_ADDR_HI]: ud.number,
      };
      ud.send({ sges: [region.sge(0, 100)], words });
      expect(payloadBytes(bed, ud)).to.equal(100);
    });
  });
}

describe('payload bytes of a QP', () => {
  it('do not wrap at 2^32', () => {
    const bed = new Testbed();
    const [a] = bed.pair();
    const region = bed.region(64);
    bed.machine.f64[(a.context + Qpc.PAYLOAD_BYTES) >> 1] = 2 ** 32 - 1;
    a.send({ opcode: Opcode.RDMA_WRITE, sges: [region.sge(0, 8)], ...region.at() });
    expect(payloadBytes(bed, a)).to.equal(2 ** 32 + 7);
  });

  it('count a message once that was sent more than once', () => {
    const bed = Testbed.withPackets({ seed: 1, drop: 0.3 });
    const [a] = bed.pair();
    const region = bed.region(4096);
    for (let n = 0; n < 8; n++) a.send({ opcode: Opcode.RDMA_WRITE, sges: [region.sge(0, 4096)], ...region.at() });
    bed.advance(10e9);
    expect(a.sendCq.poll().map(({ syndrome }) => syndrome)).to.deep.equal(new Array(8).fill(0));
    expect(bed.engine.counters.read(bed.hca.header, 1).retransmitted_pkts).to.be.above(0);
    expect(payloadBytes(bed, a)).to.equal(8 * 4096);
  });
});
