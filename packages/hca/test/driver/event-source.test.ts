import { expect } from 'chai';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { hostClock, waitUntil } from '@openverbs/machine';
import { CqArm } from '@openverbs/verbs/rings';
import { AsyncEvent } from '../../src/async-event.ts';
import { HcaEventSource } from '../../src/driver/hca-event-source.ts';
import { COMPLETION } from '../../src/event-queue.ts';
import { EngineHeader, Eqc, Qpc, UarControl } from '../../src/layout.ts';
import { Opcode } from '../../src/opcode.ts';
import { rnrTimerNs } from '../../src/retry-timer.ts';
import { Testbed } from '../support/testbed.ts';

const WRITE = { opcode: Opcode.RDMA_WRITE };

/** A source that is held keeps the process alive; a test that fails must not. */
const open: HcaEventSource[] = [];
const workers: Worker[] = [];

function sourceOf(bed: Testbed): { source: HcaEventSource; eq: number; interrupts: () => number } {
  const eq = bed.i32[bed.engine.uars.control(bed.uar) + UarControl.EQ];
  const source = new HcaEventSource(bed.engine, bed.clock, eq, bed.hca.cqTable);
  open.push(source);
  let count = 0;
  source.setInterruptHandler(() => count++);
  return { source, eq, interrupts: () => count };
}

function drain(source: HcaEventSource): [type: number, id: number][] {
  const event = { type: 0, id: 0 };
  const events: [number, number][] = [];
  while (source.next(event)) events.push([event.type, event.id]);
  return events;
}

/** Resolves when the condition holds; the condition is looked at once a turn of the event loop. */
async function until(condition: () => boolean, ms = 30_000): Promise<void> {
  const end = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > end) throw new Error('timed out');
    await nextTurn();
  }
}

describe('HcaEventSource', () => {
  afterEach(async () => {
    for (const source of open.splice(0)) source.close();
    await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
  });

  it('hands out events in order, and lets a CQ raise the next one when it took one', () => {
    const bed = new Testbed();
    const { source } = sourceOf(bed);
    const [a] = bed.pair();
    a.sendCq.arm(CqArm.NEXT);
    a.send(WRITE);
    bed.engine.command(() => bed.engine.events.raiseQp(a.context, AsyncEvent.COMM_EST));
    expect(a.sendCq.word('EVENT_QUEUED')).to.equal(1);
    expect(drain(source)).to.deep.equal([
      [COMPLETION, a.sendCq.number],
      [AsyncEvent.COMM_EST, a.number],
    ]);
    expect(a.sendCq.word('EVENT_QUEUED')).to.equal(0);
  });

  it('calls the handler after the post, once for all events of a turn', async () => {
    const bed = new Testbed();
    const { interrupts } = sourceOf(bed);
    await nextTurn();
    const before = interrupts();
    const [a] = bed.pair();
    for (let n = 0; n < 3; n++) {
      a.sendCq.arm(CqArm.NEXT);
      a.send(WRITE);
    }
    expect(interrupts(), 'within the post').to.equal(before);
    await nextTurn();
    expect(interrupts()).to.equal(before + 1);
  });

  it('calls a handler that comes late about what it finds', async () => {
    const bed = new Testbed();
    const [a] = bed.pair();
    const { source } = sourceOf(bed);
    source.setInterruptHandler(null);
    a.sendCq.arm(CqArm.NEXT);
    a.send(WRITE);
    await nextTurn();
    let called = 0;
    source.setInterruptHandler(() => called++);
    await nextTurn();
    expect(called).to.equal(1);
  });

  it('calls nobody after it was closed, and has no events', async () => {
    const bed = new Testbed();
    const [a] = bed.pair();
    const { source, interrupts } = sourceOf(bed);
    source.hold();
    await nextTurn();
    const before = interrupts();
    a.sendCq.arm(CqArm.NEXT);
    a.send(WRITE);
    source.close();
    await nextTurn();
    expect(interrupts()).to.equal(before);
    expect(drain(source)).to.be.empty;
  });

  it('runs the timers of the device while it is held, and not when it is released', async () => {
    const bed = new Testbed();
    const words = new Map([[Qpc.MIN_RNR_TIMER, 14]]);
    const [a, b] = bed.pair({}, new Map(), words);
    const { source } = sourceOf(bed);
    source.hold();
    source.hold();
    a.send({});
    expect(bed.clock.nextDeadlineNs).to.equal(bed.engine.timers.earliestNs);
    b.recv();
    a.sendCq.arm(CqArm.NEXT);
    bed.clock.advance(rnrTimerNs(14));
    expect(a.sendCq.poll()).to.have.length(1);
    expect(drain(source)).to.deep.equal([[COMPLETION, a.sendCq.number]]);
    expect(bed.clock.nextDeadlineNs).to.equal(Infinity);
    a.send({});
    expect(bed.clock.nextDeadlineNs).to.not.equal(Infinity);
    source.release();
    expect(bed.clock.nextDeadlineNs, 'one hold is left').to.not.equal(Infinity);
    source.release();
    expect(bed.clock.nextDeadlineNs).to.equal(Infinity);
    a.sendCq.poll();
    await nextTurn();
  });

  it('follows the earliest deadline as it moves', () => {
    const bed = new Testbed();
    const [slow] = bed.pair({}, new Map(), new Map([[Qpc.MIN_RNR_TIMER, 20]]));
    const [fast] = bed.pair({}, new Map(), new Map([[Qpc.MIN_RNR_TIMER, 14]]));
    const { source } = sourceOf(bed);
    source.hold();
    slow.send({});
    const slowNs = bed.clock.nextDeadlineNs;
    fast.send({});
    expect(bed.clock.nextDeadlineNs).to.be.below(slowNs);
    fast.destroy();
    expect(bed.clock.nextDeadlineNs).to.equal(slowNs);
    slow.destroy();
    expect(bed.clock.nextDeadlineNs).to.equal(Infinity);
  });

  it('is interrupted by the events that another thread raises', async () => {
    const bed = new Testbed();
    const { source, eq } = sourceOf(bed);
    let got: [number, number][] = [];
    source.setInterruptHandler(() => got.push(...drain(source)));
    source.hold();
    const worker = new Worker(new URL('../support/raiser.js', import.meta.url), {
      workerData: { handle: bed.machine.handle, eq, count: 200 },
    });
    const exited = new Promise((resolve) => worker.once('exit', resolve));
    await until(() => got.length === 200);
    expect(got.map(([, id]) => id)).to.deep.equal(Array.from({ length: 200 }, (_, n) => n));
    await exited;
    // Released and held again it hears of what came meanwhile.
    source.release();
    got = [];
    bed.engine.command(() => bed.engine.events.raise(eq, AsyncEvent.PORT_ERR, 7, bed.hca.header));
    source.hold();
    await until(() => got.length === 1);
  });

  it('wakes a thread that is parked in a wait, whose event loop does not run', async () => {
    const bed = new Testbed();
    const { source, eq } = sourceOf(bed);
    const worker = new Worker(new URL('../support/raiser.js', import.meta.url), {
      workerData: { handle: bed.machine.handle, eq, count: 1 },
    });
    const exited = new Promise((resolve) => worker.once('exit', resolve));
    // It parks for longer than the deadline allows, so only a wake-up ends the wait in time.
    waitUntil(bed.machine, () => drain(source).length === 1, hostClock.nowNs() + 8e9, undefined, 60_000);
    await exited;
  });

  it('finds out, while it is held, what a thread left that was terminated', async () => {
    const bed = new Testbed();
    const { source, eq } = sourceOf(bed);
    const [a] = bed.pair();
    const got: [number, number][] = [];
    source.setInterruptHandler(() => got.push(...drain(source)));
    source.hold();
    await nextTurn();
    // An entry without an interrupt, as of a thread that died before it told of it.
    bed.i32[bed.i32[bed.engine.uars.control(bed.uar) + UarControl.EQ] + Eqc.ENTRIES] = AsyncEvent.PORT_ACTIVE;
    Atomics.add(bed.i32, eq + Eqc.PRODUCER, 1);
    await until(() => got.length === 1);
    // A doorbell that nobody takes.
    a.writeSend(WRITE);
    a.sendCq.arm(CqArm.NEXT);
    bed.engine.uars.write(bed.uar, 0, a.number);
    await until(() => got.length === 2);
    expect(got[1]).to.deep.equal([COMPLETION, a.sendCq.number]);
  });

  it('finds out, while it is held, that the holder of the lock was terminated', async () => {
    const bed = new Testbed();
    const { source } = sourceOf(bed);
    const [a] = bed.pair();
    const got: [number, number][] = [];
    source.setInterruptHandler(() => got.push(...drain(source)));
    const worker = new Worker(new URL('../support/holder.js', import.meta.url), { workerData: bed.machine.handle });
    workers.push(worker);
    await new Promise((resolve) => worker.once('message', resolve));
    a.writeSend(WRITE);
    a.sendCq.arm(CqArm.NEXT);
    a.ring();
    expect(a.sendCq.poll(), 'without the lock').to.be.empty;
    // The holder dies with the doorbell: it has taken the mark, and not served it.
    Atomics.store(bed.i32, bed.engine.header + EngineHeader.MARK_SUMMARY, 0);
    await worker.terminate();
    source.hold();
    await until(() => got.length === 1);
    expect(got).to.deep.equal([[COMPLETION, a.sendCq.number]]);
  });
});
