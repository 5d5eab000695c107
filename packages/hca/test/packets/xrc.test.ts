import { expect } from 'chai';
import type { Faults } from '@openverbs/netdev';
import { CqeFlag, CqeSyndrome, SendWqe } from '@openverbs/verbs/rings';
import { Qpc, QpcState, QpcType, Srqc } from '../../src/layout.ts';
import { Access, Opcode, Placement } from '../../src/opcode.ts';
import { audit } from '../support/audit.ts';
import { pattern } from '../support/region.ts';
import type { TestCq } from '../support/test-cq.ts';
import type { SendSpec, TestQp } from '../support/test-qp.ts';
import type { TestSrq } from '../support/test-srq.ts';
import { Testbed } from '../support/testbed.ts';

const MTU = 1024;

interface World {
  readonly bed: Testbed;
  readonly sender: TestQp;
  readonly target: TestQp;
  readonly srqs: readonly TestSrq[];
  readonly cqs: readonly TestCq[];
}

/** A connection, and two SRQs of the target's domain. */
function makeWorld(faults: Partial<Faults> = {}): World {
  const bed = Testbed.withPackets(faults);
  const xrcdn = bed.commands.xrcds.open({ uar: bed.uar, create: true, exclusive: false });
  const cqs = [bed.cq(), bed.cq()];
  const srqs = cqs.map(({ number: cqn }) => bed.srq({ log2Count: 4, xrc: { xrcdn, cqn } }));
  const sender = bed.qp({ type: QpcType.XRC_SEND, sqLog2Count: 6 });
  const target = bed.qp({ type: QpcType.XRC_RECV, xrcdn });
  bed.connect(sender, target);
  return { bed, sender, target, srqs, cqs };
}

/** A send that names an SRQ. */
function to(srqn: number, spec: SendSpec = {}): SendSpec {
  return { ...spec, words: { ...spec.words, [SendWqe.REMOTE_SRQN]: srqn } };
}

describe('XRC as packets', () => {
  it('carries messages of many packets to the SRQ that each names', () => {
    const { bed, sender, target, srqs, cqs } = makeWorld();
    const here = bed.region(8192);
    const there = bed.region(8192);
    const bytes = here.fill(4);
    for (const at of [1, 0, 1]) {
      const slot = srqs[at].recv([there.sge()]);
      const [sent] = sender.sendAndPoll(
        to(srqs[at].number, { opcode: Opcode.SEND_WITH_IMM, sges: [here.sge(0, 5000)], imm: 7 }),
      );
      expect(sent).to.include({ syndrome: 0, byteLen: 5000 });
      const [cqe] = cqs[at].poll();
      expect(cqe).to.include({ index: slot, byteLen: 5000, imm: 7, qpn: target.number, srcQpn: srqs[at].number });
      expect(cqe.flags).to.equal(CqeFlag.XRC | 2);
      expect(there.read(0, 5000)).to.deep.equal(bytes.subarray(0, 5000));
      there.fill(0);
    }
    audit(bed);
  });

  it('does every operation once and in order on a bad network', () => {
    for (const seed of [1, 2, 3]) {
      const faults = { seed, drop: 0.05, duplicate: 0.1, reorder: 0.1, corrupt: 0.05 };
      const { bed, sender, target, srqs, cqs } = makeWorld(faults);
      const here = bed.region(65536);
      const there = bed.region(65536);
      const sums = bed.region(4096, { access: 0b1111 | Access.FLUSH_GLOBAL });
      const bytes = here.fill(9);
      sums.write(0, new Uint8Array(8));
      for (let n = 0; n < 8; n++) {
        const name = (spec: SendSpec): SendSpec => to(srqs[n & 1].number, spec);
        const at = n * 4096;
        const back = 32768 + at;
        srqs[n & 1].recv([there.sge(at, 3000)]);
        sender.send(name({ sges: [here.sge(at, 3000)] }));
        sender.send(name({ opcode: Opcode.RDMA_WRITE, sges: [here.sge(at + 3000, 1096)], ...there.at(at + 3000) }));
        sender.send(name({ opcode: Opcode.RDMA_READ, sges: [here.sge(back, 4096)], ...there.at(at) }));
        sender.send(
          name({ opcode: Opcode.ATOMIC_FETCH_AND_ADD, sges: [sums.sge(8, 8)], ...sums.at(0), compareAdd: 3n }),
        );
        sender.send(name({ opcode: Opcode.ATOMIC_WRITE, inline: new Array(8).fill(n + 1), ...sums.at(64 + 8 * n) }));
        sender.send(name({ opcode: Opcode.FLUSH, imm: Placement.GLOBAL, flushLength: 64, ...sums.at(64) }));
        bed.advance(1e9);
      }
      bed.advance(30e9);
      const cqes = sender.sendCq.poll();
      expect(cqes.map(({ syndrome, index }) => [syndrome, index])).to.deep.equal(cqes.map((_, n) => [0, n]));
      expect(cqes).to.have.length(48);
      for (const cq of cqs)
        expect(cq.poll().map(({ syndrome, byteLen }) => [syndrome, byteLen])).to.deep.equal(
          new Array(4).fill([0, 3000]),
        );
      expect(there.read(0, 32768)).to.deep.equal(bytes.subarray(0, 32768));
      expect(here.read(32768, 32768)).to.deep.equal(bytes.subarray(0, 32768));
      expect(sums.read(0, 1)[0]).to.equal(24);
      expect([...sums.read(64, 64)]).to.deep.equal(Array.from({ length: 64 }, (_, at) => (at >>> 3) + 1));
      expect([sender.state, target.state]).to.deep.equal([QpcState.RTS, QpcState.RTS]);
      audit(bed);
    }
  });

  it('answers a read by the protection domain of its SRQ, though the next request has named another', () => {
    const { bed, sender, target, srqs } = makeWorld();
    const pd = bed.commands.allocPd(bed.uar);
    const xrcdn = bed.commands.xrcds.open({ uar: bed.uar, create: true, exclusive: false });
    const other = bed.srq({ pd, xrc: { xrcdn, cqn: bed.cq().number } });
    bed.i32[other.context + Srqc.XRCD] = target.word('XRCD');
    const here = bed.region(65536);
    const there = bed.region(65536);
    const bytes = there.fill(5);
    sender.writeSend(to(srqs[0].number, { opcode: Opcode.RDMA_READ, sges: [here.sge()], ...there.at() }));
    sender.writeSend(to(other.number, { opcode: Opcode.RDMA_WRITE, sges: [] }));
    sender.ring();
    bed.advance(1e6);
    expect(sender.sendCq.poll().map(({ syndrome }) => syndrome)).to.deep.equal([0, 0]);
    expect(here.read()).to.deep.equal(bytes);
  });

  it('refuses a message that changes its SRQ on the way, and loses no WQE', () => {
    const { bed, sender, target, srqs, cqs } = makeWorld({ delay: 5 });
    const here = bed.region(65536 * 4);
    for (const srq of srqs) srq.recv([here.sge()]);
    // More than a visit to the queue sends at once, so that the WQE is read again.
    sender.send(to(srqs[0].number, { sges: [here.sge(0, 200 * MTU)] }));
    bed.i32[sender.sendSlot(0) + SendWqe.REMOTE_SRQN] = srqs[1].number;
    bed.advance(1e6);
    expect(sender.sendCq.poll()[0].syndrome).to.equal(CqeSyndrome.REMOTE_INVAL_REQ_ERR);
    expect(cqs[0].poll().map(({ syndrome }) => syndrome)).to.deep.equal([CqeSyndrome.WR_FLUSH_ERR]);
    expect(cqs[1].poll()).to.deep.equal([]);
    expect([target.word('SRQ_WQE'), srqs[1].word('CONSUMER')]).to.deep.equal([0, 0]);
    audit(bed);
  });

  it('names nobody by a number of more than 24 bits', () => {
    const { bed, sender, srqs, cqs } = makeWorld();
    srqs[0].recv();
    const [cqe] = sender.sendAndPoll(to(srqs[0].number | 0x1000000));
    expect(cqe.syndrome).to.equal(CqeSyndrome.REMOTE_INVAL_REQ_ERR);
    expect(cqs[0].poll()).to.deep.equal([]);
    audit(bed);
  });

  it('ends a message whose SRQ ends', () => {
    const { bed, sender, target, srqs } = makeWorld({ delay: 5 });
    const here = bed.region(65536 * 4);
    const bytes = pattern(65536 * 4, 1);
    here.write(0, bytes);
    srqs[0].recv([here.sge()]);
    sender.send(to(srqs[0].number, { sges: [here.sge(0, 200 * MTU)] }));
    bed.advance(6000);
    expect(target.word('SRQ_WQE')).to.not.equal(0);
    bed.commands.srqs.destroy(srqs[0].number);
    bed.advance(1e6);
    expect(sender.sendCq.poll()[0].syndrome).to.equal(CqeSyndrome.REMOTE_INVAL_REQ_ERR);
    expect(target.state).to.equal(QpcState.ERR);
    audit(bed);
  });

  it('has the halves talk to each other, and to nothing else', () => {
    const { bed } = makeWorld();
    const { XRC_SEND, XRC_RECV, RC, UC } = QpcType;
    const xrcdn = bed.commands.xrcds.open({ uar: bed.uar, create: true, exclusive: false });
    const words = new Map([
      [Qpc.TIMEOUT, 1],
      [Qpc.RETRY_CNT, 0],
    ]);
    for (const [from, type] of [
      [XRC_SEND, RC],
      [RC, XRC_RECV],
      [XRC_SEND, XRC_SEND],
      [UC, XRC_RECV],
    ]) {
      const [a, b] = [bed.qp({ type: from }), bed.qp({ type, xrcdn })];
      bed.connect(a, b, words);
      a.send({});
      bed.advance(1e6);
      expect(a.sendCq.poll().every(({ syndrome }) => syndrome === CqeSyndrome.RETRY_EXC_ERR)).to.equal(from !== UC);
      expect(b.state).to.equal(QpcState.RTS);
    }
  });
});
