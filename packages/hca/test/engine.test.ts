import { expect } from 'chai';
import { Machine } from '@openverbs/machine';
import { CqArm } from '@openverbs/verbs/rings';
import { Engine } from '../src/engine.ts';
import { COMPLETION } from '../src/event-queue.ts';
import { DoorbellKind, EngineHeader, QpcState, UarControl, UarPage } from '../src/layout.ts';
import { QP_WR_MAX, WQE_BUDGET } from '../src/limits.ts';
import { Opcode } from '../src/opcode.ts';
import { Testbed } from './support/testbed.ts';
import type { TestQp } from './support/test-qp.ts';

/** Calls back each time that somebody is about to wait for the lock. */
function onAcquire(machine: Machine, callback: () => void): { restore(): void } {
  const { lock } = machine;
  const acquire = lock.acquire.bind(lock);
  let within = false;
  lock.acquire = (deadlineNs?: number) => {
    if (!within) {
      within = true;
      callback();
      within = false;
    }
    acquire(deadlineNs);
  };
  return {
    restore() {
      delete (lock as { acquire?: unknown }).acquire;
    },
  };
}

const LONG_LOG2 = 9;
const LONG = 1 << LONG_LOG2;

/** A QP whose send queue holds many WQEs, not yet rung. */
function longQueue(bed: Testbed): TestQp {
  const cq = bed.cq(LONG_LOG2 + 1);
  const qp = bed.qp({ sqLog2Count: LONG_LOG2, sendCq: cq });
  bed.connect(qp, qp);
  for (let n = 0; n < LONG; n++) qp.writeSend({ opcode: Opcode.RDMA_WRITE });
  return qp;
}

describe('Engine', () => {
  it('lends the lock between the parts of a long queue', () => {
    const bed = new Testbed();
    const qp = longQueue(bed);
    const executed: number[] = [];
    const hook = onAcquire(bed.machine, () => executed.push(qp.word('SQ_CONSUMER')));
    qp.ring();
    hook.restore();
    const parts = LONG / WQE_BUDGET - 1;
    expect(executed).to.deep.equal(Array.from({ length: parts }, (_, n) => (n + 1) * WQE_BUDGET));
    expect(qp.sendCq.poll()).to.have.length(LONG);
    expect(bed.machine.lock.ownerIndex).to.equal(0);
  });

  it('lets go of a queue whose QP was destroyed while the lock was lent', () => {
    const bed = new Testbed();
    const qp = longQueue(bed);
    const hook = onAcquire(bed.machine, () => {
      hook.restore();
      qp.destroy();
      bed.qp(); // takes the same entry
    });
    qp.ring();
    expect(qp.sendCq.poll()).to.have.length(WQE_BUDGET);
    expect(bed.machine.lock.ownerIndex).to.equal(0);
  });

  it('does not lend the lock in the queue of somebody else', () => {
    const bed = new Testbed();
    const qp = longQueue(bed);
    bed.engine.uars.write(bed.uar, DoorbellKind.SQ, qp.number);
    let lent = 0;
    const hook = onAcquire(bed.machine, () => lent++);
    bed.engine.runDue();
    hook.restore();
    expect(lent).to.equal(0);
    expect(qp.sendCq.poll()).to.have.length(LONG);
  });

  it('stays at one doorbell no longer than a ring takes, however fast its poster is', () => {
    const bed = new Testbed();
    const qp = longQueue(bed);
    bed.engine.lends = true;
    bed.engine.uars.write(bed.uar, DoorbellKind.SQ, qp.number);
    const hook = onAcquire(bed.machine, () => {
      qp.sendCq.poll();
      while (((qp.sent - qp.word('SQ_CONSUMER')) | 0) < LONG) qp.writeSend({ opcode: Opcode.RDMA_WRITE });
    });
    bed.engine.runDue();
    hook.restore();
    expect(qp.word('SQ_CONSUMER')).to.equal(QP_WR_MAX + WQE_BUDGET);
    expect(((qp.sent - qp.word('SQ_CONSUMER')) | 0) > 0).to.equal(true);
  });

  it('keeps its hands off a UAR page that was freed while the lock was lent', () => {
    const bed = new Testbed();
    const qp = longQueue(bed);
    const page = bed.i32[bed.engine.uars.control(bed.uar) + UarControl.PAGE];
    bed.engine.lends = true;
    for (let n = 0; n < 5; n++) bed.engine.uars.write(bed.uar, DoorbellKind.SQ, qp.number);
    const hook = onAcquire(bed.machine, () => {
      hook.restore();
      qp.destroy();
      bed.commands.closeUar(bed.uar);
      bed.i32.fill(0x5a5a5a5a, page, page + 1024); // the page is another's now
    });
    bed.engine.runDue();
    expect(bed.i32.subarray(page, page + 1024).every((word) => word === 0x5a5a5a5a)).to.equal(true);
    expect(bed.i32[page + UarPage.CONSUMER]).to.equal(0x5a5a5a5a);
  });

  it('tells of events when the lock is free again', () => {
    const bed = new Testbed();
    const qp = longQueue(bed);
    const eq = bed.i32[bed.engine.uars.control(bed.uar) + UarControl.EQ];
    const owners: number[] = [];
    bed.engine.events.listen(eq, () => owners.push(bed.machine.lock.ownerIndex));
    qp.sendCq.arm(CqArm.NEXT);
    qp.ring();
    expect(owners).to.deep.equal([0]);
    expect(bed.events()).to.deep.equal([[COMPLETION, qp.sendCq.number]]);
    bed.engine.events.unlisten(eq);
  });

  it('found by another thread is the same engine, with its placement and its devices', () => {
    const bed = new Testbed();
    const other = Machine.attach(bed.machine.handle);
    const engine = new Engine(other, 'thread', bed.clock);
    expect(engine.placement).to.equal('inline');
    expect(engine.header).to.equal(bed.engine.header);
    expect(engine.hcas.map(({ name }) => name)).to.deep.equal(['hca0']);
    bed.engine.createHca({ name: 'late', guidHi: 0x02000000, guidLo: 0x900, ports: 1 });
    expect(engine.hcas.map(({ name, ports }) => [name, ports])).to.deep.equal([
      ['hca0', 2],
      ['late', 1],
    ]);
    other.detach();
  });

  it('runs in an empty poll what is due, and what others left', () => {
    const bed = new Testbed();
    const [a, b] = bed.pair();
    a.send({});
    expect(a.word('WAITING')).to.not.equal(0);
    b.recv();
    expect(a.sendCq.pollIdle(), 'before its time').to.be.empty;
    bed.clock.advanceTo(bed.engine.timers.earliestNs);
    expect(a.sendCq.pollIdle()).to.have.length(1);
    a.writeSend({ opcode: Opcode.RDMA_WRITE });
    bed.engine.uars.write(bed.uar, DoorbellKind.SQ, a.number);
    expect(a.sendCq.pollIdle()).to.have.length(1);
    expect(bed.i32[bed.engine.header + EngineHeader.MARK_SUMMARY]).to.equal(0);
  });

  it('gives the lock back when a command is refused', () => {
    const bed = new Testbed();
    const qp = bed.qp();
    expect(() => {
      bed.modify(qp, QpcState.RTS);
    }).to.throw(/no transition/);
    expect(bed.machine.lock.ownerIndex).to.equal(0);
  });
});
