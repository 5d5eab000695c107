import { expect } from 'chai';
import { CqeSyndrome, QpDoorbellRecord, VendorErr } from '@openverbs/verbs/rings';
import { AsyncEvent } from '../src/async-event.ts';
import { Qpc, QpcState, QpcType, Port } from '../src/layout.ts';
import { Opcode } from '../src/opcode.ts';
import { recover } from '../src/recovery.ts';
import { audit } from './support/audit.ts';
import { Testbed } from './support/testbed.ts';

const { RDMA_WRITE, RDMA_READ } = Opcode;
const UC = { type: QpcType.UC };

describe('an unreliable connection', () => {
  it('counts what it drops, by reason', () => {
    const bed = new Testbed();
    const [a, b] = bed.pair(UC);
    const region = bed.region(64);
    a.send({ sges: [region.sge(0, 8)] });
    expect([bed.hca.portWord(1, Port.OUT_OF_BUFFER), bed.hca.portWord(1, Port.MESSAGES_DROPPED)]).to.deep.equal([1, 0]);
    a.send({ opcode: RDMA_WRITE, sges: [region.sge(0, 8)], rkey: 5 });
    b.recv();
    a.send({ sges: [region.sge(0, 8)] });
    expect([bed.hca.portWord(1, Port.OUT_OF_BUFFER), bed.hca.portWord(1, Port.MESSAGES_DROPPED)]).to.deep.equal([1, 2]);
    expect(bed.engine.counters.read(bed.hca.header, 1)).to.include({ out_of_buffer: 1, messages_dropped: 2 });
    expect(bed.engine.counters.read(bed.hca.header, 2)).to.include({ out_of_buffer: 0, messages_dropped: 0 });
    expect(a.sendCq.poll().map(({ syndrome }) => syndrome)).to.deep.equal([0, 0, 0]);
    expect(bed.events()).to.deep.equal([]);
    audit(bed);
  });

  it('expects what follows the message that came last, lost or not', () => {
    const bed = new Testbed();
    const [a, b] = bed.pair(UC, new Map([[Qpc.SQ_PSN, 0xfffffe]]));
    const region = bed.region(4096);
    b.recv();
    a.send({ sges: [region.sge(0, 1024)] });
    a.send({ opcode: RDMA_WRITE, sges: [region.sge(0, 4096)], ...region.at() });
    expect([a.word('SQ_PSN'), b.word('RQ_PSN')]).to.deep.equal([3, 3]);
    expect(b.word('MSN')).to.equal(1);
  });

  it('expects it too when PSNs went around while messages were lost', () => {
    const bed = new Testbed();
    const [a, b] = bed.pair(UC);
    for (const [expected, psn] of [[0xfffff0, 5], [5, 0xfffff0]] as const) {
      b.setWord('RQ_PSN', expected);
      a.setWord('SQ_PSN', psn);
      b.recv();
      a.send({});
      expect([a.word('SQ_PSN'), b.word('RQ_PSN')]).to.deep.equal([psn + 1, psn + 1]);
    }
  }); // prettier-ignore

  it('goes to SQE, flushes, and comes back by a modify', () => {
    const bed = new Testbed();
    const [a] = bed.pair(UC);
    a.writeSend({ opcode: RDMA_READ });
    a.writeSend({});
    a.ring();
    expect(a.state).to.equal(QpcState.SQE);
    expect(bed.i32[a.record + QpDoorbellRecord.STATE]).to.equal(QpcState.SQE);
    const [failed, flushed] = a.sendCq.poll();
    expect([failed.syndrome, failed.vendorErr, failed.faultAddr]).to.deep.equal([
      CqeSyndrome.LOCAL_QP_OP_ERR,
      VendorErr.BAD_OPCODE,
      BigInt(RDMA_READ),
    ]);
    expect([flushed.syndrome, flushed.index]).to.deep.equal([CqeSyndrome.WR_FLUSH_ERR, 1]);
    bed.toRts(a);
    expect(a.sendAndPoll({}).map(({ syndrome }) => syndrome)).to.deep.equal([0]);
  });

  it('is not sent what was posted in SQE, when a modify leads out before the device has looked', () => {
    const bed = new Testbed();
    const [a] = bed.pair(UC);
    a.send({ opcode: RDMA_READ });
    expect(a.state).to.equal(QpcState.SQE);
    a.sendCq.poll();
    a.writeSend({});
    bed.toRts(a);
    expect(a.sendCq.poll().map(({ syndrome }) => syndrome)).to.deep.equal([CqeSyndrome.WR_FLUSH_ERR]);
    expect(a.sendAndPoll({}).map(({ syndrome }) => syndrome)).to.deep.equal([0]);
    audit(bed);
  });

  it('whose CQ is full when what was posted in SQE is flushed is in ERR', () => {
    const bed = new Testbed();
    const sendCq = bed.cq(0);
    const [a] = bed.pair({ ...UC, sendCq, recvCq: bed.cq() });
    a.send({ opcode: RDMA_READ });
    expect(a.state).to.equal(QpcState.SQE);
    a.writeSend({});
    bed.toRts(a);
    expect(a.state).to.equal(QpcState.ERR);
  });

  it('is flushed by who takes over from a thread that died in SQE', () => {
    const bed = new Testbed();
    const [a] = bed.pair(UC);
    a.setWord('STATE', QpcState.SQE);
    a.writeSend({});
    bed.engine.command(() => {
      recover(bed.engine);
    });
    expect(a.sendCq.poll().map(({ syndrome }) => syndrome)).to.deep.equal([CqeSyndrome.WR_FLUSH_ERR]);
    audit(bed);
  });

  it('that claims more WQEs than its ring holds is broken', () => {
    const bed = new Testbed();
    const [a] = bed.pair(UC);
    Atomics.store(bed.i32, a.record + QpDoorbellRecord.SQ_PRODUCER, 17);
    a.ring();
    expect(a.state).to.equal(QpcState.ERR);
    expect(bed.events()).to.deep.include([AsyncEvent.QP_FATAL, a.number]);
  });

  it('whose send CQ overruns on the error is in ERR, and flushed', () => {
    const bed = new Testbed();
    const sendCq = bed.cq(0);
    const [a] = bed.pair({ ...UC, sendCq, recvCq: bed.cq() });
    a.send({});
    a.send({ opcode: RDMA_READ });
    expect(a.state).to.equal(QpcState.ERR);
    expect(a.word('SQ_CONSUMER')).to.equal(2);
  });

  it('takes its turn among others when its queue is long', () => {
    const bed = new Testbed();
    const [a, b] = bed.pair({ ...UC, sqLog2Count: 8, rqLog2Count: 8, sendCq: bed.cq(9) });
    for (let n = 0; n < 200; n++) b.recv();
    for (let n = 0; n < 200; n++) a.writeSend({});
    a.ring();
    expect(a.sendCq.poll()).to.have.length(400);
  });
});
