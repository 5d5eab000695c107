import { expect } from 'chai';
import { CqArm, CqeWords } from '@openverbs/verbs/rings';
import { COMPLETION } from '../src/event-queue.ts';
import { CqcFlag, CqcState, QpcState } from '../src/layout.ts';
import { Opcode, SendFlag } from '../src/opcode.ts';
import { audit } from './support/audit.ts';
import { cutOff } from './support/cut.ts';
import { expectDeviceError, Testbed } from './support/testbed.ts';
import type { TestCq } from './support/test-cq.ts';
import type { TestQp } from './support/test-qp.ts';

const WRITE = { opcode: Opcode.RDMA_WRITE };
const NS_PER_US = 1000;

function moderated(count: number, periodUs: number): { bed: Testbed; a: TestQp; b: TestQp; cq: TestCq } {
  const bed = new Testbed();
  const cq = bed.cq(4);
  const a = bed.qp({ sendCq: cq });
  const b = bed.qp();
  bed.connect(a, b);
  bed.commands.cqs.modify(cq.number, count, periodUs);
  return { bed, a, b, cq };
}

describe('a moderated CQ', () => {
  it('raises its event after so many completions, and then waits for as many again', () => {
    const { bed, a, cq } = moderated(3, 1000);
    for (let round = 0; round < 3; round++) {
      cq.arm(CqArm.NEXT);
      a.send(WRITE);
      a.send(WRITE);
      expect(bed.events()).to.be.empty;
      a.send(WRITE);
      expect(bed.events()).to.deep.equal([[COMPLETION, cq.number]]);
      expect([cq.armed, cq.word('MODERATION_PENDING'), bed.engine.timers.earliestNs]).to.deep.equal([0, 0, Infinity]);
      expect(cq.poll()).to.have.length(3);
      audit(bed);
    }
  });

  it('raises it so long after the first completion, however many there are', () => {
    const { bed, a, cq } = moderated(100, 50);
    cq.arm(CqArm.NEXT);
    bed.advance(70 * NS_PER_US);
    expect(bed.events(), 'time counts from the first completion').to.be.empty;
    a.send(WRITE);
    bed.advance(30 * NS_PER_US);
    a.send(WRITE);
    bed.advance(19 * NS_PER_US);
    expect(bed.events()).to.be.empty;
    audit(bed);
    bed.advance(1 * NS_PER_US);
    expect(bed.events()).to.deep.equal([[COMPLETION, cq.number]]);
    audit(bed);
    bed.advance(1000 * NS_PER_US);
    expect(bed.events(), 'it is not armed any more').to.be.empty;
  });

  it('counts only what it is armed for', () => {
    const { bed, a, b, cq } = moderated(2, 1000);
    a.send(WRITE);
    a.send(WRITE);
    expect(cq.word('MODERATION_PENDING'), 'it is not armed').to.equal(0);
    const recvCq = b.recvCq;
    bed.commands.cqs.modify(recvCq.number, 2, 1000);
    recvCq.arm(CqArm.SOLICITED);
    for (let n = 0; n < 4; n++) b.recv();
    a.send({ flags: 0 });
    a.send({ flags: 0 });
    expect(recvCq.word('MODERATION_PENDING'), 'nothing was solicited').to.equal(0);
    a.send({ flags: SendFlag.SOLICITED });
    a.send({ flags: SendFlag.SOLICITED });
    expect(bed.events()).to.deep.equal([[COMPLETION, recvCq.number]]);
    expect(cq.poll()).to.have.length(2);
  });

  it('has an event for each completion when either limit is 0', () => {
    for (const [count, periodUs] of [
      [0, 10],
      [10, 0],
      [1, 10],
    ]) {
      const { bed, a, cq } = moderated(count, periodUs);
      cq.arm(CqArm.NEXT);
      a.send(WRITE);
      expect(bed.events(), `${count} ${periodUs}`).to.deep.equal([[COMPLETION, cq.number]]);
    }
  });

  it('tells at once of what it held back when the limits change', () => {
    const { bed, a, cq } = moderated(5, 1000);
    cq.arm(CqArm.NEXT);
    a.send(WRITE);
    bed.commands.cqs.modify(cq.number, 0, 0);
    expect(bed.events()).to.deep.equal([[COMPLETION, cq.number]]);
    audit(bed);
  });

  it('takes its timer along when it is resized, and gives it back when it is destroyed', () => {
    const { bed, a, b, cq } = moderated(5, 1000);
    cq.arm(CqArm.NEXT);
    a.send(WRITE);
    cq.resize(5);
    audit(bed);
    bed.advance(1000 * NS_PER_US);
    expect(bed.events()).to.deep.equal([[COMPLETION, cq.number]]);
    cq.arm(CqArm.NEXT);
    a.send(WRITE);
    for (const qp of [a, b]) qp.destroy();
    bed.commands.cqs.destroy(cq.number);
    audit(bed);
    bed.advance(10000 * NS_PER_US);
    expect(bed.events()).to.be.empty;
    const next = bed.cq(4);
    expect([next.word('MODERATION_COUNT'), next.word('TIMER_SLOT')]).to.deep.equal([0, 0]);
  });

  it('refuses limits that 16 bits do not hold, and a CQ that is none', () => {
    const { bed, cq } = moderated(2, 3);
    expectDeviceError(() => bed.commands.cqs.modify(cq.number, 0x10000, 1), 'EINVAL', /cqCount/);
    expectDeviceError(() => bed.commands.cqs.modify(cq.number, 1, -1), 'EINVAL', /cqPeriod/);
    expectDeviceError(() => bed.commands.cqs.modify(cq.number, 1.5, 1), 'EINVAL', /cqCount/);
    expectDeviceError(() => bed.commands.cqs.modify(cq.number + 1000, 1, 1), 'EINVAL', /no CQ/);
    expect([cq.word('MODERATION_COUNT'), cq.word('MODERATION_PERIOD_US')]).to.deep.equal([2, 3]);
  });

  it('loses no event when a thread dies, at whatever call', () => {
    for (let n = 0; ; n++) {
      const { bed, a, cq } = moderated(2, 100);
      const wasCut = cutOff(bed, n, () => {
        cq.arm(CqArm.NEXT);
        a.send(WRITE);
        bed.advance(100 * NS_PER_US);
        cq.arm(CqArm.NEXT);
        a.writeSend(WRITE);
        a.writeSend(WRITE);
        a.ring();
      });
      audit(bed);
      bed.advance(200 * NS_PER_US);
      if (cq.poll().length > 0) expect(bed.events(), `cut off at call ${n}`).to.not.be.empty;
      if (!wasCut) return;
    }
  });
});

describe('a CQ that was made with flags', () => {
  it('has the time of the device in its CQEs', () => {
    const bed = new Testbed();
    const cq = bed.cq(1, CqcFlag.TIMESTAMP);
    const a = bed.qp({ sendCq: cq });
    bed.connect(a, bed.qp());
    const time = (index: number): number =>
      (bed.i32[cq.slot(index) + CqeWords.TIMESTAMP_HI] >>> 0) * 2 ** 32 +
      (bed.i32[cq.slot(index) + CqeWords.TIMESTAMP_LO] >>> 0);
    bed.advance(3e9);
    a.send(WRITE);
    bed.advance(2 ** 40);
    a.send(WRITE);
    expect([time(0), time(1)]).to.deep.equal([4e9, 4e9 + 2 ** 40]);
    expect(cq.poll()).to.have.length(2);
    expect(a.state).to.equal(QpcState.RTS);
  });

  it('overruns as any other, with the time or without', () => {
    const bed = new Testbed();
    const cq = bed.cq(0, CqcFlag.TIMESTAMP);
    const a = bed.qp({ sendCq: cq });
    bed.connect(a, bed.qp());
    a.writeSend(WRITE);
    a.writeSend(WRITE);
    a.ring();
    expect([cq.word('STATE'), a.state]).to.deep.equal([CqcState.ERR, QpcState.ERR]);
  });

  it('goes on over entries that nobody polled, when it was asked to', () => {
    const bed = new Testbed();
    const cq = bed.cq(1, CqcFlag.IGNORE_OVERRUN);
    const a = bed.qp({ sendCq: cq });
    bed.connect(a, bed.qp());
    for (let n = 0; n < 5; n++) a.send(WRITE);
    expect(bed.events()).to.be.empty;
    expect([a.state, cq.word('PRODUCER')]).to.deep.equal([QpcState.RTS, 5]);
    // Index 4 took the place of 2, and 3 that of 1.
    expect([0, 1].map((n) => bed.i32[cq.slot(n) + CqeWords.WQE_INDEX])).to.deep.equal([4, 3]);
    expect(bed.hcaWord('CQ_OVERRUNS')).to.equal(0);
  });
});
