import { expect } from 'chai';
import { Machine } from '@openverbs/machine';
import { QpDoorbellRecord } from '@openverbs/verbs/rings';
import { CommandInterface } from '../src/command-interface.ts';
import { Engine } from '../src/engine.ts';
import { EngineState } from '../src/engine-state.ts';
import { DoorbellKind, EngineHeader, QpcState, UarControl, UarPage } from '../src/layout.ts';
import { UAR_DOORBELLS, UARS_MAX } from '../src/limits.ts';
import { Testbed } from './support/testbed.ts';
import type { TestQp } from './support/test-qp.ts';

/** Everything that a doorbell can name which is not a QP of the UAR. */
const NO_QPNS = [0, 1, 2, 0xffff, 0x10000, 0x1ffff, 0xffffff, 0x3fffffff, -1];

function pageOf(bed: Testbed, uar: number): number {
  return bed.i32[bed.engine.uars.control(uar) + UarControl.PAGE];
}

/** Takes what lies in the UAR pages, as whoever polls does. */
function drain(bed: Testbed): void {
  bed.engine.runDue();
}

describe('a doorbell', () => {
  let bed: Testbed;
  let state: EngineState;
  let a: TestQp;
  let otherUar: number;

  beforeEach(() => {
    bed = new Testbed();
    state = new EngineState(bed.engine);
    [a] = bed.pair();
    otherUar = bed.commands.openUar();
    a.writeSend({});
    expect(state.doorbellsDropped).to.equal(0);
  });

  function expectNothingHappened(dropped: number): void {
    expect(state.doorbellsDropped).to.equal(dropped);
    expect(a.sendCq.poll()).to.be.empty;
    expect(bed.machine.lock.ownerIndex).to.equal(0);
  }

  it('for a QP of another UAR is dropped and counted', () => {
    bed.engine.ringSq(otherUar, bed.hca.qpTable, a.number);
    expectNothingHappened(1);
  });

  it('for a QP that is none is dropped and counted', () => {
    for (const qpn of NO_QPNS) bed.engine.ringSq(bed.uar, bed.hca.qpTable, qpn);
    expectNothingHappened(NO_QPNS.length);
  });

  it('for a QP that had the same entry before is dropped and counted', () => {
    const gone = bed.qp();
    const { number } = gone;
    gone.destroy();
    const next = bed.qp();
    expect(next.number & 0xffff).to.equal(number & 0xffff);
    expect(next.number).to.not.equal(number);
    bed.engine.ringSq(bed.uar, bed.hca.qpTable, number);
    expectNothingHappened(1);
  });

  it('in the page for a QP of another UAR, or none, or of an unknown kind, is dropped and counted', () => {
    bed.engine.uars.write(otherUar, DoorbellKind.SQ, a.number);
    drain(bed);
    expectNothingHappened(1);
    for (const qpn of NO_QPNS) bed.engine.uars.write(bed.uar, DoorbellKind.SQ, qpn & 0x3fffffff);
    drain(bed);
    expectNothingHappened(1 + NO_QPNS.length);
    bed.engine.uars.write(bed.uar, 2, a.number);
    bed.engine.uars.write(bed.uar, 3, a.number);
    drain(bed);
    expectNothingHappened(1 + NO_QPNS.length + 2);
  });

  it('in what is no page of its UAR any more, or of another one, is dropped and counted, and is written nowhere', () => {
    const { machine, engine, uar, commands } = bed;
    const other = engine.uars.pageOf(otherUar);
    const memory = machine.pages.alloc(4096, 4096, 1) >>> 2;
    const wordsOf = (page: number): Int32Array => machine.i32.slice(page, page + 1024);
    const before = [other, memory].map(wordsOf);
    for (const page of [other, memory, 0]) engine.ringRq(uar, a.number, page);
    commands.closeUar(otherUar);
    engine.ringRq(otherUar, a.number, other);
    expectNothingHappened(4);
    expect([other, memory].map(wordsOf)).to.deep.equal(before);
  });

  it('in the page of its own UAR executes the queue', () => {
    bed.engine.uars.write(bed.uar, DoorbellKind.SQ, a.number);
    drain(bed);
    expect(a.word('WAITING') !== 0 || a.sendCq.poll().length === 1).to.equal(true);
    expect(state.doorbellsDropped).to.equal(0);
  });

  it('of a receive queue matters in the error state only', () => {
    a.recv();
    bed.engine.ringRq(bed.uar, a.number);
    expect(a.recvCq.poll()).to.be.empty;
    bed.modify(a, QpcState.ERR);
    a.recvCq.poll();
    a.recv();
    bed.engine.ringRq(otherUar, a.number);
    expect(a.recvCq.poll(), 'rung by another UAR').to.be.empty;
    bed.engine.ringRq(bed.uar, a.number);
    expect(a.recvCq.poll()).to.have.length(1);
    expect(state.doorbellsDropped).to.equal(1);
  });

  for (const claim of [UAR_DOORBELLS + 1, 100000, 2 ** 31 - 1, -(2 ** 31), -1]) {
    it(`page whose producer is ${claim} is read once around, no further`, () => {
      const page = pageOf(bed, otherUar);
      bed.i32[page + UarPage.PRODUCER] = claim;
      bed.engine.uars.mark(otherUar);
      drain(bed);
      expect(state.doorbellsDropped).to.be.at.most(UAR_DOORBELLS).and.at.least(1);
      expect(a.sendCq.poll()).to.be.empty;
    });
  }

  it('page whose consumer was tampered with still delivers once the owner writes on', () => {
    const page = pageOf(bed, bed.uar);
    bed.i32[page + UarPage.CONSUMER] = bed.i32[page + UarPage.PRODUCER] = 0x7ffffff0;
    for (let n = 0; n < 40; n++) expect(bed.engine.uars.write(bed.uar, DoorbellKind.SQ, a.number)).to.equal(true);
    drain(bed);
    expect(bed.i32[page + UarPage.CONSUMER]).to.equal(bed.i32[page + UarPage.PRODUCER]);
    expect(state.doorbellsDropped).to.equal(0);
  });

  it('page that is full makes the poster take the lock and empty it', () => {
    for (let n = 0; n < UAR_DOORBELLS; n++) bed.engine.uars.write(bed.uar, DoorbellKind.RQ, a.number);
    expect(bed.engine.uars.write(bed.uar, DoorbellKind.RQ, a.number)).to.equal(false);
    bed.modify(a, QpcState.ERR);
    a.recvCq.poll();
    a.recv();
    bed.engine.ringRq(bed.uar, a.number);
    expect(a.recvCq.poll()).to.have.length(1);
    expect(bed.i32[bed.engine.header + EngineHeader.MARK_SUMMARY]).to.equal(0);
  });

  for (const claim of [UAR_DOORBELLS, UAR_DOORBELLS + 1, 2 ** 31 - 1]) {
    it(`page that claims ${claim} doorbells does not hold its owner for ever`, () => {
      const page = pageOf(bed, bed.uar);
      bed.modify(a, QpcState.ERR);
      a.recvCq.poll();
      a.recv();
      bed.i32[page + UarPage.PRODUCER] = bed.i32[page + UarPage.CONSUMER] + claim;
      bed.engine.ringRq(bed.uar, a.number);
      expect(a.recvCq.poll()).to.have.length(1);
      expect(bed.i32[page + UarPage.CONSUMER]).to.equal(bed.i32[page + UarPage.PRODUCER]);
    });
  }

  it('mark of a UAR that is free is taken and forgotten', () => {
    for (const uar of [0, otherUar + 1, 31, 32, 63, 992, UARS_MAX - 1]) bed.engine.uars.mark(uar);
    bed.commands.closeUar(otherUar);
    bed.engine.uars.mark(otherUar);
    drain(bed);
    expect(bed.engine.uars.marked).to.equal(false);
    expectNothingHappened(0);
  });

  it('that another thread left while the lock was held is served when it is released', () => {
    // A second attachment stands for the other thread: its lock is another one.
    const other = Machine.attach(bed.machine.handle);
    const otherEngine = new Engine(other, 'inline', bed.clock);
    const commands = new CommandInterface(otherEngine, otherEngine.hcas[0]);
    const uar = commands.openUar();
    const qp = bed.qp({ uar });
    bed.connect(qp, qp);
    qp.recv();
    qp.writeSend({});
    bed.engine.command(() => {
      otherEngine.ringSq(uar, otherEngine.hcas[0].qpTable, qp.number);
      expect(qp.sendCq.poll(), 'executed without the lock').to.be.empty;
      expect(otherEngine.uars.marked).to.equal(true);
    });
    expect(qp.sendCq.poll()).to.have.length(2);
    expect(otherEngine.uars.marked).to.equal(false);
    expect(Atomics.load(bed.i32, qp.record + QpDoorbellRecord.SQ_PRODUCER)).to.equal(1);
    other.detach();
  });
});
