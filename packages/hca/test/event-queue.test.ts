import { expect } from 'chai';
import { Machine } from '@openverbs/machine';
import { CqArm, CqDoorbellRecord } from '@openverbs/verbs/rings';
import { AsyncEvent } from '../src/async-event.ts';
import { HcaEventSource } from '../src/driver/hca-event-source.ts';
import { Engine } from '../src/engine.ts';
import { COMPLETION } from '../src/event-queue.ts';
import { Eqc, QpcState, UarControl } from '../src/layout.ts';
import { EQ_ENTRIES_LOG2 } from '../src/limits.ts';
import { Opcode, SendFlag } from '../src/opcode.ts';
import { Testbed } from './support/testbed.ts';

const ENTRIES = 1 << EQ_ENTRIES_LOG2;

function eqOf(bed: Testbed): number {
  return bed.i32[bed.engine.uars.control(bed.uar) + UarControl.EQ];
}

describe('an armed CQ', () => {
  it('raises one event for the next completion, and no second one before it is armed again', () => {
    const bed = new Testbed();
    const [a] = bed.pair();
    const write = { opcode: Opcode.RDMA_WRITE };
    a.send(write);
    expect(bed.events(), 'not armed').to.be.empty;
    a.sendCq.arm(CqArm.NEXT);
    expect(bed.events(), 'armed after the completion').to.be.empty;
    a.send(write);
    a.send(write);
    expect(bed.events()).to.deep.equal([[COMPLETION, a.sendCq.number]]);
    expect(a.sendCq.armed).to.equal(0);
    a.send(write);
    expect(bed.events()).to.be.empty;
  });

  it('for solicited completions waits for one, or for an error', () => {
    const bed = new Testbed();
    const [a, b] = bed.pair({ recvCq: bed.cq() });
    for (let n = 0; n < 4; n++) b.recv();
    b.recvCq.arm(CqArm.SOLICITED);
    a.send({});
    expect(bed.events()).to.be.empty;
    a.send({ flags: SendFlag.SOLICITED });
    expect(bed.events()).to.deep.equal([[COMPLETION, b.recvCq.number]]);
    a.sendCq.arm(CqArm.SOLICITED);
    a.send({ flags: SendFlag.SOLICITED | SendFlag.SIGNALED });
    expect(bed.events(), "the sender's own").to.be.empty;
    b.recvCq.arm(CqArm.SOLICITED);
    b.recvCq.poll();
    bed.modify(b, QpcState.ERR);
    expect(bed.events(), 'a flushed receive').to.deep.include([COMPLETION, b.recvCq.number]);
  });

  it('for any completion stays so when it is armed for solicited ones as well', () => {
    const bed = new Testbed();
    const [a] = bed.pair();
    a.sendCq.arm(CqArm.NEXT);
    a.sendCq.arm(CqArm.SOLICITED);
    a.send({ opcode: Opcode.RDMA_WRITE });
    expect(bed.events()).to.have.length(1);
  });

  it('has at most one event in the queue, and is told of again', () => {
    const bed = new Testbed();
    const [a] = bed.pair();
    let told = 0;
    bed.engine.events.listen(eqOf(bed), () => told++);
    for (let n = 0; n < 3; n++) {
      a.sendCq.arm(CqArm.NEXT);
      a.send({ opcode: Opcode.RDMA_WRITE });
    }
    expect(told).to.equal(3);
    expect(bed.events()).to.have.length(1);
    bed.engine.events.unlisten(eqOf(bed));
  });
});

describe('an event queue', () => {
  /** Fills it with events of no CQ. */
  function fill(bed: Testbed, leave = 0): void {
    for (let n = leave; n < ENTRIES; n++) bed.engine.events.raise(eqOf(bed), AsyncEvent.PORT_ACTIVE, n, bed.hca.header);
    bed.engine.events.flush();
  }

  it(`holds ${ENTRIES} events in their order, lap after lap`, () => {
    const bed = new Testbed();
    const eq = eqOf(bed);
    bed.i32[eq + Eqc.PRODUCER] = bed.i32[eq + Eqc.CONSUMER] = 0x7ffffff0;
    for (let lap = 0; lap < 3; lap++) {
      fill(bed);
      expect(bed.i32[eq + Eqc.OVERRUN]).to.equal(0);
      expect(bed.events().map(([, id]) => id)).to.deep.equal(Array.from({ length: ENTRIES }, (_, n) => n));
    }
  });

  it('that is full counts what it loses and goes on', () => {
    const bed = new Testbed();
    fill(bed, 1);
    const [a] = bed.pair();
    bed.engine.command(() => {
      bed.engine.states.fail(a.context, AsyncEvent.QP_FATAL);
      bed.engine.events.raiseQp(a.context, AsyncEvent.SQ_DRAINED);
    });
    expect(bed.hcaWord('EQ_OVERRUNS')).to.equal(1);
    expect(bed.i32[eqOf(bed) + Eqc.OVERRUN]).to.equal(1);
    expect(bed.events().at(-1)).to.deep.equal([AsyncEvent.QP_FATAL, a.number]);
    expect(bed.events()).to.be.empty;
  });

  it('that was full loses no completion event in the end', () => {
    const bed = new Testbed();
    const source = new HcaEventSource(bed.engine, bed.clock, eqOf(bed), bed.hca.cqTable);
    const [a] = bed.pair();
    const [c] = bed.pair();
    fill(bed);
    for (const qp of [a, c]) {
      qp.sendCq.arm(CqArm.NEXT);
      qp.send({ opcode: Opcode.RDMA_WRITE });
      expect(qp.sendCq.word('EVENT_QUEUED'), 'queued, but not in the queue').to.equal(0);
    }
    const event = { type: 0, id: 0 };
    for (let n = 0; n < ENTRIES; n++) expect(source.next(event)).to.equal(true);
    const completions: number[] = [];
    while (source.next(event)) completions.push(event.type, event.id);
    expect(completions).to.deep.equal([COMPLETION, a.sendCq.number, COMPLETION, c.sendCq.number]);
    expect([a.sendCq.armed, a.sendCq.word('EVENT_QUEUED')]).to.deep.equal([0, 0]);
    source.close();
  });

  it('of another thread is told by a notify, not by a handler of this one', async () => {
    const bed = new Testbed();
    const other = Machine.attach(bed.machine.handle);
    const engine = new Engine(other, 'inline', bed.clock);
    let called = 0;
    engine.events.listen(eqOf(bed), () => called++);
    const wait = waitAsync(bed.i32, eqOf(bed) + Eqc.PRODUCER, 0);
    const keepAlive = setTimeout(() => undefined, 5000);
    engine.command(() => engine.events.raise(eqOf(bed), AsyncEvent.PORT_ERR, 1, bed.hca.header));
    expect(await wait).to.equal('ok');
    clearTimeout(keepAlive);
    expect(called).to.equal(0);
    expect(bed.events()).to.deep.equal([[AsyncEvent.PORT_ERR, 1]]);
    other.detach();
  });
});

describe('the doorbell record of a CQ', () => {
  it('is read by the device with any word in it', () => {
    for (const word of [0, -1, 0x7fffffff, 1 << 31, 64, 65]) {
      const bed = new Testbed();
      const [a, b] = bed.pair();
      Atomics.store(bed.i32, a.sendCq.record + CqDoorbellRecord.CONSUMER, word);
      Atomics.store(bed.i32, a.sendCq.record + CqDoorbellRecord.ARM, word);
      a.send({ opcode: Opcode.RDMA_WRITE });
      expect([QpcState.RTS, QpcState.ERR]).to.include(a.state);
      expect(b.state).to.equal(QpcState.RTS);
      expect(bed.machine.lock.ownerIndex).to.equal(0);
    }
  });
});

function waitAsync(words: Int32Array, index: number, value: number): Promise<string> {
  const { waitAsync: wait } = Atomics as unknown as {
    waitAsync(words: Int32Array, index: number, value: number): { value: Promise<string> };
  };
  return wait(words, index, value).value;
}
