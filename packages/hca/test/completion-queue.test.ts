import { expect } from 'chai';
import { CqDoorbellRecord, CqeSyndrome, CqeWords, VendorErr } from '@openverbs/verbs/rings';
import { AsyncEvent } from '../src/async-event.ts';
import { CqcState, QpcState } from '../src/layout.ts';
import { Opcode } from '../src/opcode.ts';
import { expectDeviceError, Testbed } from './support/testbed.ts';
import type { TestCq } from './support/test-cq.ts';
import type { TestQp } from './support/test-qp.ts';

const WRITE = { opcode: Opcode.RDMA_WRITE };

/** A QP that completes into a CQ of 2^log2Count entries, and its peer that completes elsewhere. */
function small(log2Count: number, bed = new Testbed()): { bed: Testbed; a: TestQp; b: TestQp; cq: TestCq } {
  const cq = bed.cq(log2Count);
  const a = bed.qp({ sendCq: cq, sqLog2Count: 6 });
  const b = bed.qp();
  bed.connect(a, b);
  return { bed, a, b, cq };
}

describe('a CQ', () => {
  it('holds as many entries as it has, lap after lap, past 2^32', () => {
    for (const start of [0, 7, 0x7fffffff - 5, -6]) {
      const { a, cq } = small(3);
      cq.startAt(start);
      for (let n = 0; n < 40; n += 8) {
        for (let m = 0; m < 8; m++) a.writeSend(WRITE);
        a.ring();
        expect(cq.poll().map(({ index }) => index)).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7].map((m) => n + m));
      }
      expect(a.state).to.equal(QpcState.RTS);
    }
  });

  it('of one entry works', () => {
    const { a, cq } = small(0);
    for (let n = 0; n < 10; n++) expect(a.sendAndPoll(WRITE)).to.have.length(1);
    expect(cq.poll()).to.be.empty;
  });

  it('that overruns says so once, fails its QP, and keeps what it holds', () => {
    const { bed, a, b, cq } = small(2);
    for (let n = 0; n < 9; n++) a.writeSend(WRITE);
    a.ring();
    expect(bed.events()).to.deep.equal([
      [AsyncEvent.CQ_ERR, cq.number],
      [AsyncEvent.QP_FATAL, a.number],
    ]);
    expect([cq.word('STATE'), a.state, b.state]).to.deep.equal([CqcState.ERR, QpcState.ERR, QpcState.RTS]);
    expect(bed.hcaWord('CQ_OVERRUNS')).to.equal(1);
    expect(cq.poll().map(({ index }) => index)).to.deep.equal([0, 1, 2, 3]);
    expect(a.word('SQ_CONSUMER'), 'what was posted is gone').to.equal(9);
    a.send(WRITE);
    expect(cq.poll(), 'a CQ in error takes nothing').to.be.empty;
    expect(bed.events()).to.be.empty;
  });

  it('that overruns fails every QP that completes there, each as it tries', () => {
    const bed = new Testbed();
    const cq = bed.cq(0);
    const queues = [0, 1, 2].map(() => bed.qp({ sendCq: cq, recvCq: bed.cq() }));
    for (const qp of queues) bed.connect(qp, qp);
    for (const qp of queues) qp.send(WRITE);
    expect(queues.map(({ state }) => state)).to.deep.equal([QpcState.RTS, QpcState.ERR, QpcState.ERR]);
    queues[0].send(WRITE);
    expect(queues[0].state).to.equal(QpcState.ERR);
  });

  it('of a receiver that overruns is an operational error for the sender', () => {
    const bed = new Testbed();
    const [a, b] = [bed.qp(), bed.qp({ sendCq: bed.cq(1) })];
    bed.connect(a, b);
    for (let n = 0; n < 3; n++) b.recv();
    for (let n = 0; n < 3; n++) a.send({});
    expect(a.sendCq.poll().map(({ syndrome, vendorErr }) => [syndrome, vendorErr])).to.deep.equal([
      [0, 0],
      [0, 0],
      [CqeSyndrome.REMOTE_OP_ERR, VendorErr.CQ_OVERRUN],
    ]);
    expect(b.recvCq.poll()).to.have.length(2);
    expect([a.state, b.state]).to.deep.equal([QpcState.ERR, QpcState.ERR]);
    expect(bed.events()).to.deep.equal([
      [AsyncEvent.CQ_ERR, b.recvCq.number],
      [AsyncEvent.QP_FATAL, b.number],
    ]);
  });

  it('shared by both sides of a message has room for both completions or overruns', () => {
    const bed = new Testbed();
    const cq = bed.cq(1);
    const [a, b] = bed.pair({ sendCq: cq });
    b.recv();
    expect(a.sendAndPoll({}).map(({ opcode }) => opcode)).to.deep.equal([128, 0]);
    b.recv();
    a.send(WRITE);
    a.send({});
    expect(
      cq.poll().map(({ opcode }) => opcode),
      'one slot for two',
    ).to.deep.equal([1, 128]);
    expect(a.state).to.equal(QpcState.ERR);
    expect(cq.word('STATE')).to.equal(CqcState.ERR);
  });

  it('whose consumer claims what was never produced overruns, and nothing is overwritten', () => {
    const { bed, a, cq } = small(2);
    for (let n = 0; n < 4; n++) a.send(WRITE);
    Atomics.store(bed.i32, cq.record + CqDoorbellRecord.CONSUMER, 100);
    a.send(WRITE);
    expect(cq.word('STATE')).to.equal(CqcState.ERR);
    expect(cq.poll()).to.have.length(4);
  });

  it('can not be destroyed while a queue completes there', () => {
    const { bed, a, cq } = small(2);
    expectDeviceError(() => bed.commands.cqs.destroy(cq.number), 'EBUSY', /2 queues/);
    a.destroy();
    bed.commands.cqs.destroy(cq.number);
    expectDeviceError(() => bed.commands.cqs.destroy(cq.number), 'EINVAL', /no CQ/);
  });
});

describe('resizing a CQ', () => {
  const sizes = [0, 1, 3, 5];
  // Entries that were consumed before the resize: within the first lap, at its end, in later ones, and past 2^32.
  const laps = [0, 1, 3, 8, 13, 0x7fffffff, -3];

  for (const from of sizes) {
    it(`from ${1 << from} entries keeps what is unread, wherever it lies`, () => {
      const bed = new Testbed();
      for (const to of sizes) {
        for (const consumed of laps) {
          for (const unread of [0, 1, Math.min(1 << from, 1 << to)]) {
            const { a, cq } = small(from, bed);
            cq.startAt(consumed);
            for (let n = 0; n < unread; n++) a.writeSend(WRITE);
            a.ring();
            cq.resize(to);
            const room = (1 << to) - unread;
            for (let n = 0; n < room; n++) a.writeSend(WRITE);
            a.ring();
            const indices = cq.poll().map(({ index }) => index);
            expect(indices, `${consumed} consumed, ${unread} unread, to ${1 << to}`).to.deep.equal(
              Array.from({ length: unread + room }, (_, n) => n),
            );
            for (let n = 0; n < 3 << to; n++) expect(a.sendAndPoll(WRITE)).to.have.length(1);
          }
        }
      }
    });
  }

  it('refuses a size that does not hold what is unread, and changes nothing', () => {
    const { a, cq } = small(3);
    for (let n = 0; n < 5; n++) a.writeSend(WRITE);
    a.ring();
    const slot = cq.slot(0);
    expectDeviceError(() => cq.resize(2), 'EINVAL', /5 completions/);
    expect(cq.slot(0)).to.equal(slot);
    expect(cq.poll()).to.have.length(5);
  });

  it('keeps the arm, and frees the old ring', () => {
    const { bed, a, cq } = small(3);
    cq.arm(1);
    const before = cq.word('BUFFER_MPT');
    cq.resize(4);
    expect(cq.armed).to.equal(1);
    expect(cq.word('BUFFER_MPT')).to.not.equal(before);
    bed.commands.destroyMpt(bed.i32[before]);
    a.send(WRITE);
    expect(bed.events()).to.have.length(1);
  });

  it('refuses rings that do not fit their region, or no such size', () => {
    const { bed, cq } = small(3);
    const { key } = bed.ringKey(4096);
    expectDeviceError(() => bed.commands.cqs.resize(cq.number, key, 6), 'EINVAL', /does not fit/);
    for (const log2Count of [-1, 21, 31, 32, 63, 0.5, NaN]) {
      expectDeviceError(() => bed.commands.cqs.resize(cq.number, key, log2Count), 'EINVAL', /entries/);
      expectDeviceError(
        () => bed.commands.cqs.create({ uar: bed.uar, bufferKey: key, log2Count }),
        'EINVAL',
        /entries/,
      );
    }
  });

  it('of a CQ in error keeps it in error', () => {
    const { a, cq } = small(0);
    a.send(WRITE);
    a.send(WRITE);
    cq.resize(4);
    expect(cq.word('STATE')).to.equal(CqcState.ERR);
    expect(cq.poll()).to.have.length(1);
  });

  it('gives an entry that was never used no valid word', () => {
    const { bed, a, cq } = small(1);
    cq.startAt(5);
    a.send(WRITE);
    cq.resize(3);
    const valid = Array.from({ length: 8 }, (_, n) => bed.i32[cq.slot(n) + CqeWords.VALID]);
    expect(valid).to.deep.equal([0, 0, 0, 0, 0, 1, 0, 0]);
  });
});
