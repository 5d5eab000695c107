import { expect } from 'chai';
import { CqeSyndrome, VendorErr } from '@openverbs/verbs/rings';
import { EngineHeader, Qpc, QpcState } from '../src/layout.ts';
import { Opcode } from '../src/opcode.ts';
import { route } from '../src/resolve-peer.ts';
import { ackTimeoutNs, rnrTimerNs } from '../src/retry-timer.ts';
import { Testbed } from './support/testbed.ts';
import type { TestQp } from './support/test-qp.ts';

const MS = 1e6;
/** Long enough for every retry there is. */
const LONG_NS = 3600e9;

/** Lets time pass from deadline to deadline and writes down when each came, counted from now. */
function deadlines(bed: Testbed, until: () => boolean): number[] {
  const startNs = bed.clock.nowNs();
  const timesNs: number[] = [];
  while (!until() && bed.engine.timers.earliestNs !== Infinity && timesNs.length < 100) {
    bed.clock.advanceTo(bed.engine.timers.earliestNs);
    timesNs.push(bed.clock.nowNs() - startNs);
    bed.engine.runDue();
  }
  return timesNs;
}

/** Multiples of a step, as many as there are retries and one more, when the last one fails. */
const multiples = (stepNs: number, count: number): number[] =>
  Array.from({ length: count }, (_, n) => (n + 1) * stepNs);

function inError(qp: TestQp): () => boolean {
  return () => qp.state === QpcState.ERR;
}

describe('the timers of the specification', () => {
  it('are these', () => {
    // IBTA table 45, in milliseconds.
    const rnrMs = [
      655.36, 0.01, 0.02, 0.03, 0.04, 0.06, 0.08, 0.12, 0.16, 0.24, 0.32, 0.48, 0.64, 0.96, 1.28, 1.92, 2.56, 3.84,
      5.12, 7.68, 10.24, 15.36, 20.48, 30.72, 40.96, 61.44, 81.92, 122.88, 163.84, 245.76, 327.68, 491.52,
    ];
    expect(rnrMs.map((_, code) => rnrTimerNs(code))).to.deep.equal(rnrMs.map((ms) => Math.round(ms * MS)));
    expect(ackTimeoutNs(0)).to.equal(Infinity);
    for (let code = 1; code < 32; code++) expect(ackTimeoutNs(code)).to.equal(4096 * 2 ** code);
  });
});

describe('a receiver that is not ready', () => {
  for (const rnrRetry of [0, 1, 2, 6]) {
    it(`is tried ${rnrRetry + 1} times with rnr_retry ${rnrRetry}, as far apart as it asked for`, () => {
      const bed = new Testbed();
      const [a] = bed.pair({}, new Map([[Qpc.RNR_RETRY, rnrRetry]]), new Map([[Qpc.MIN_RNR_TIMER, 14]]));
      a.send({});
      const stepNs = rnrTimerNs(14);
      expect(deadlines(bed, inError(a))).to.deep.equal(multiples(stepNs, rnrRetry));
      expect(a.sendCq.poll()).to.have.length(1).with.nested.property('[0]').that.includes({
        syndrome: CqeSyndrome.RNR_RETRY_EXC_ERR,
        vendorErr: VendorErr.RNR,
        index: 0,
      });
    });
  }

  it('is waited for without end with rnr_retry 7', () => {
    const bed = new Testbed();
    const [a, b] = bed.pair({}, new Map([[Qpc.RNR_RETRY, 7]]), new Map([[Qpc.MIN_RNR_TIMER, 1]]));
    a.send({});
    expect(deadlines(bed, inError(a))).to.have.length(100);
    b.recv();
    bed.advance(rnrTimerNs(1));
    expect(a.sendCq.poll()[0]).to.include({ syndrome: 0 });
    expect(bed.engine.timers.earliestNs).to.equal(Infinity);
  });

  it('gets the message at the next try after it is ready, and what stands behind it at once', () => {
    const bed = new Testbed();
    const [a, b] = bed.pair({}, new Map([[Qpc.RNR_RETRY, 3]]), new Map([[Qpc.MIN_RNR_TIMER, 14]]));
    for (let imm = 0; imm < 3; imm++) a.writeSend({ opcode: Opcode.SEND_WITH_IMM, imm });
    a.ring();
    for (let n = 0; n < 3; n++) b.recv();
    a.ring();
    expect(b.recvCq.poll(), 'before the timer has run out').to.be.empty;
    bed.advance(rnrTimerNs(14));
    expect(b.recvCq.poll().map(({ imm }) => imm)).to.deep.equal([0, 1, 2]);
  });

  it('has all of its retries anew for each message', () => {
    const bed = new Testbed();
    const [a, b] = bed.pair({}, new Map([[Qpc.RNR_RETRY, 2]]), new Map([[Qpc.MIN_RNR_TIMER, 14]]));
    for (let message = 0; message < 4; message++) {
      a.send({});
      bed.advance(rnrTimerNs(14));
      b.recv();
      bed.advance(rnrTimerNs(14));
      expect(a.sendCq.poll()[0]).to.include({ syndrome: 0 });
    }
  });

  it('has its timer read when it answers', () => {
    const bed = new Testbed();
    const [a, b] = bed.pair({}, new Map([[Qpc.RNR_RETRY, 3]]), new Map([[Qpc.MIN_RNR_TIMER, 14]]));
    a.send({});
    b.setWord('MIN_RNR_TIMER', 20);
    const steps = [rnrTimerNs(14), rnrTimerNs(14) + rnrTimerNs(20), rnrTimerNs(14) + 2 * rnrTimerNs(20)];
    expect(deadlines(bed, inError(a))).to.deep.equal(steps);
  });
});

describe('a peer that does not answer', () => {
  const here = (qp: TestQp): number => qp.word('LOCAL_PORT_ID');
  /** A peer that is not there, in one way or another. */
  const absences: [name: string, make: (bed: Testbed, a: TestQp, b: TestQp) => void][] = [
    ['was destroyed', (_, __, b) => b.destroy()],
    ['is in the error state', (bed, _, b) => bed.modify(b, QpcState.ERR)],
    ['was reset', (bed, _, b) => bed.modify(b, QpcState.RESET)],
    ['is connected to somebody else', (_, a, b) => b.setWord('ROUTE_IN', route(a.word('LOCAL_PORT_ID') + 1, here(b)))],
    ['sits at another port', (_, a, b) => b.setWord('ROUTE_IN', route(a.word('LOCAL_PORT_ID'), here(b) + 1))],
    ['expects an older PSN', (_, a, b) => b.setWord('RQ_PSN', (a.word('SQ_PSN') - 1) & 0xffffff)],
  ];
  for (const [name, make] of absences) {
    it(`because it ${name} is tried retry_cnt + 1 times, a timeout apart`, () => {
      for (const retryCnt of [0, 1, 3, 7]) {
        const bed = new Testbed();
        const words = new Map<number, number>([
          [Qpc.RETRY_CNT, retryCnt],
          [Qpc.TIMEOUT, 8],
        ]);
        const [a, b] = bed.pair({}, words);
        make(bed, a, b);
        a.send({ opcode: Opcode.RDMA_WRITE });
        expect(deadlines(bed, inError(a))).to.deep.equal(multiples(ackTimeoutNs(8), retryCnt + 1));
        expect(a.sendCq.poll()[0]).to.include({ syndrome: CqeSyndrome.RETRY_EXC_ERR });
        expect(bed.engine.timers.earliestNs).to.equal(Infinity);
      }
    });
  }

  it('gets the message when it answers at the last try', () => {
    const bed = new Testbed();
    const [a, b] = bed.pair({}, new Map([[Qpc.RETRY_CNT, 2], [Qpc.TIMEOUT, 8]])); // prettier-ignore
    b.setWord('STATE', QpcState.INIT);
    b.recv();
    a.send({});
    bed.advance(ackTimeoutNs(8));
    expect(a.sendCq.poll()).to.be.empty;
    b.setWord('STATE', QpcState.RTS);
    bed.advance(ackTimeoutNs(8));
    expect(a.sendCq.poll()[0]).to.include({ syndrome: 0 });
  });

  it('is waited for without end with timeout 0', () => {
    const bed = new Testbed();
    const [a, b] = bed.pair({}, new Map([[Qpc.TIMEOUT, 0]]));
    b.destroy();
    a.send({ opcode: Opcode.RDMA_WRITE });
    expect(bed.engine.timers.earliestNs).to.equal(Infinity);
    bed.advance(LONG_NS);
    expect([a.state, a.sendCq.poll().length]).to.deep.equal([QpcState.RTS, 0]);
    bed.modify(a, QpcState.ERR);
    expect(a.sendCq.poll()[0]).to.include({ syndrome: CqeSyndrome.WR_FLUSH_ERR });
  });

  it('that had the message before acknowledges it again, and nothing happens', () => {
    const bed = new Testbed();
    const [a, b] = bed.pair();
    const target = bed.region(8);
    b.setWord('RQ_PSN', 5);
    expect(a.sendAndPoll({ opcode: Opcode.RDMA_WRITE, inline: [1, 2], ...target.at() })[0]).to.include({ syndrome: 0 });
    expect(target.read(0, 2)).to.deep.equal(Uint8Array.of(0, 0));
    expect([a.word('SQ_PSN'), b.word('RQ_PSN')]).to.deep.equal([1, 5]);
  });

  it('and then is not ready uses up both kinds of retries', () => {
    const bed = new Testbed();
    const words = [[Qpc.RETRY_CNT, 2], [Qpc.RNR_RETRY, 1], [Qpc.TIMEOUT, 8]] as const; // prettier-ignore
    const [a, b] = bed.pair({}, new Map<number, number>(words), new Map([[Qpc.MIN_RNR_TIMER, 14]]));
    b.setWord('STATE', QpcState.INIT);
    a.send({});
    bed.advance(ackTimeoutNs(8));
    b.setWord('STATE', QpcState.RTS);
    bed.advance(ackTimeoutNs(8)); // the first RNR NAK
    expect(bed.engine.timers.earliestNs - bed.clock.nowNs()).to.equal(rnrTimerNs(14));
    bed.advance(rnrTimerNs(14)); // the second
    expect(a.sendCq.poll()[0]).to.include({ syndrome: CqeSyndrome.RNR_RETRY_EXC_ERR });
  });
});

describe('the timer of a send queue', () => {
  /** A queue that waits for a receiver. */
  function waiting(): { bed: Testbed; a: TestQp; b: TestQp } {
    const bed = new Testbed();
    const [a, b] = bed.pair();
    a.send({});
    expect(bed.i32[bed.engine.header + EngineHeader.TIMER_COUNT]).to.equal(1);
    return { bed, a, b };
  }

  const ends: [name: string, end: (bed: Testbed, a: TestQp) => void][] = [
    ['destroyed', (_, a) => a.destroy()],
    ['reset', (bed, a) => bed.modify(a, QpcState.RESET)],
    ['put into the error state', (bed, a) => bed.modify(a, QpcState.ERR)],
  ];
  for (const [name, end] of ends) {
    it(`is gone when the QP is ${name}`, () => {
      const { bed, a } = waiting();
      end(bed, a);
      expect(bed.i32[bed.engine.header + EngineHeader.TIMER_COUNT]).to.equal(0);
      expect(bed.engine.timers.earliestNs).to.equal(Infinity);
      bed.advance(LONG_NS);
      expect(bed.machine.lock.ownerIndex).to.equal(0);
    });
  }

  it('is one of many that run out in their order', () => {
    const bed = new Testbed();
    const codes = [20, 14, 25, 1, 30, 14, 5];
    const queues = codes.map((code) =>
      bed.pair({}, new Map([[Qpc.RNR_RETRY, 1]]), new Map([[Qpc.MIN_RNR_TIMER, code]])),
    );
    for (const [a] of queues) a.send({});
    const order: number[] = [];
    const ended = (): boolean => queues.every(([a]) => a.state === QpcState.ERR);
    while (!ended()) {
      bed.clock.advanceTo(bed.engine.timers.earliestNs);
      bed.engine.runDue();
      queues.forEach(([a], n) => {
        if (a.state === QpcState.ERR && !order.includes(n)) order.push(n);
      });
    }
    expect(order.map((n) => codes[n])).to.deep.equal([...codes].sort((x, y) => x - y));
  });
});
