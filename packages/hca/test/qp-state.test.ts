import { expect } from 'chai';
import { CqeSyndrome, QpDoorbellRecord, VendorErr } from '@openverbs/verbs/rings';
import { AsyncEvent } from '../src/async-event.ts';
import { Qpc, QpcState } from '../src/layout.ts';
import { Opcode } from '../src/opcode.ts';
import { rnrTimerNs } from '../src/retry-timer.ts';
import { expectDeviceError, Testbed } from './support/testbed.ts';
import type { TestQp } from './support/test-qp.ts';

const { RESET, INIT, RTR, RTS, SQD, SQE, ERR } = QpcState;
const NAMES = Object.keys(QpcState);
const WRITE = { opcode: Opcode.RDMA_WRITE };
const { WR_FLUSH_ERR } = CqeSyndrome;

describe('MODIFY_QP', () => {
  it('makes these transitions and no others', () => {
    const bed = new Testbed();
    const qp = bed.qp();
    const table: Record<string, string> = {};
    for (const from of Object.values(QpcState)) {
      const allowed = Object.values(QpcState).filter((to) => {
        bed.modify(qp, RESET);
        bed.engine.command(() => bed.engine.states.set(qp.context, from));
        try {
          bed.modify(qp, to);
        } catch {
          expect(qp.state).to.equal(from);
          return false;
        }
        expect(qp.state).to.equal(to);
        expect(bed.i32[qp.record + QpDoorbellRecord.STATE], 'what the host is told').to.equal(to);
        return true;
      });
      table[NAMES[from]] = allowed.map((to) => NAMES[to]).join(' ');
    }
    expect(table).to.deep.equal({
      RESET: 'RESET INIT ERR',
      INIT: 'RESET INIT RTR ERR',
      RTR: 'RESET RTS ERR',
      RTS: 'RESET RTS SQD ERR',
      SQD: 'RESET RTS SQD ERR',
      SQE: 'RESET RTS ERR',
      ERR: 'RESET ERR',
    });
  });

  it('changes no word when it refuses the transition', () => {
    const bed = new Testbed();
    const qp = bed.qp();
    expectDeviceError(() => bed.modify(qp, RTS, new Map([[Qpc.SQ_PSN, 5]])), 'EINVAL', /from state 0 to 3/);
    expect(qp.word('SQ_PSN')).to.equal(0);
  });

  it('finds the peer by GID, port and QPN, on any device of the machine', () => {
    const bed = new Testbed();
    const second = bed.engine.createHca({ name: 'hca1', guidHi: 0x02000000, guidLo: 0x900, ports: 1 });
    const [a, b] = [bed.qp(), bed.qp()];
    bed.toInit(a, new Map([[Qpc.PORT, 2]]));
    bed.toRtr(a, b.number, new Map([[Qpc.PORT, 2]]), bed.hca.gid(1));
    expect([a.word('PEER'), a.word('LOCAL_PORT_ID'), a.word('REMOTE_PORT_ID')]).to.deep.equal([b.context, 2, 1]);
    const other = bed.qp();
    bed.toInit(other);
    bed.toRtr(other, 0x10002, new Map(), second.gid(1));
    expect(other.word('PEER')).to.equal(second.qpTable + 2 * Qpc.WORDS);
    expect(other.word('REMOTE_PORT_ID')).to.equal(0x101);
    const nowhere = bed.qp();
    bed.toInit(nowhere);
    bed.toRtr(nowhere, 0x10002, new Map(), new Uint8Array(16).fill(9));
    expect(nowhere.word('PEER')).to.equal(0);
  });
});

describe('a QP in RTR', () => {
  it('tells of its first message, once', () => {
    const bed = new Testbed();
    const [a, b] = [bed.qp(), bed.qp()];
    for (const [qp, peer] of [
      [a, b],
      [b, a],
    ] as const) {
      // prettier-ignore
      bed.toInit(qp);
      bed.toRtr(qp, peer.number);
    }
    bed.toRts(a);
    for (let n = 0; n < 2; n++) expect(a.sendAndPoll(WRITE)[0].syndrome).to.equal(0);
    expect(bed.events()).to.deep.equal([[AsyncEvent.COMM_EST, b.number]]);
  });

  it('executes what it holds when it becomes RTS', () => {
    const bed = new Testbed();
    const a = bed.qp();
    bed.toInit(a);
    bed.toRtr(a, a.number);
    a.send(WRITE);
    expect(a.sendCq.poll()).to.be.empty;
    bed.toRts(a);
    expect(a.sendCq.poll()).to.have.length(1);
  });
});

describe('SQD', () => {
  const NOTIFY = new Map([[Qpc.EN_SQD_ASYNC_NOTIFY, 1]]);

  it('holds what is posted until RTS, and answers as a responder', () => {
    const bed = new Testbed();
    const [a, b] = bed.pair();
    bed.modify(a, SQD, NOTIFY);
    expect(bed.events()).to.deep.equal([[AsyncEvent.SQ_DRAINED, a.number]]);
    for (let n = 0; n < 3; n++) a.send(WRITE);
    expect(a.sendCq.poll()).to.be.empty;
    expect(b.sendAndPoll(WRITE)[0].syndrome).to.equal(0);
    bed.modify(a, RTS);
    expect(a.sendCq.poll().map(({ index }) => index)).to.deep.equal([0, 1, 2]);
  });

  it('ends its drain when the WQE that waits is done, and holds the next one', () => {
    const bed = new Testbed();
    const [a, b] = bed.pair({}, new Map(), new Map([[Qpc.MIN_RNR_TIMER, 14]]));
    a.send({});
    a.send({});
    bed.modify(a, SQD, NOTIFY);
    expect([a.word('SQ_DRAINING'), bed.events().length]).to.deep.equal([1, 0]);
    b.recv();
    b.recv();
    bed.advance(rnrTimerNs(14));
    expect(a.sendCq.poll().map(({ index }) => index)).to.deep.equal([0]);
    expect(a.word('SQ_DRAINING')).to.equal(0);
    expect(bed.events()).to.deep.equal([[AsyncEvent.SQ_DRAINED, a.number]]);
    bed.advance(1e9);
    expect(a.sendCq.poll()).to.be.empty;
    bed.modify(a, RTS);
    expect(a.sendCq.poll().map(({ index }) => index)).to.deep.equal([1]);
  });

  it('that is left before the drain has ended goes on waiting, without the event', () => {
    const bed = new Testbed();
    const [a, b] = bed.pair({}, new Map(), new Map([[Qpc.MIN_RNR_TIMER, 14]]));
    a.send({});
    bed.modify(a, SQD, NOTIFY);
    bed.modify(a, RTS);
    b.recv();
    bed.advance(rnrTimerNs(14));
    expect(a.sendCq.poll()).to.have.length(1);
    expect(bed.events()).to.be.empty;
  });

  it('tells of a drain to those only who asked', () => {
    const bed = new Testbed();
    const [a] = bed.pair();
    bed.modify(a, SQD);
    expect(bed.events()).to.be.empty;
    expect(a.word('SQ_DRAINING')).to.equal(0);
  });

  it('whose waiting WQE fails becomes an error', () => {
    const bed = new Testbed();
    const [a] = bed.pair({}, new Map([[Qpc.RNR_RETRY, 1]]));
    a.send({});
    a.send({});
    bed.modify(a, SQD, NOTIFY);
    bed.advance(1e9);
    expect(a.state).to.equal(ERR);
    expect(a.sendCq.poll().map(({ syndrome }) => syndrome)).to.deep.equal([
      CqeSyndrome.RNR_RETRY_EXC_ERR,
      WR_FLUSH_ERR,
    ]);
    expect(bed.events()).to.be.empty;
  });
});

describe('the error state', () => {
  it('flushes both queues in order, also what made no completion and what was never rung', () => {
    const bed = new Testbed();
    const [a] = bed.pair({ recvCq: bed.cq() });
    a.send({}); // waits
    a.writeSend({ opcode: Opcode.RDMA_READ, flags: 0 });
    a.writeSend({ opcode: 77 });
    for (let n = 0; n < 3; n++) a.recv();
    bed.modify(a, ERR);
    const flushed = { syndrome: WR_FLUSH_ERR, vendorErr: VendorErr.FLUSHED, byteLen: 0, faultKey: 0, faultAddr: 0n };
    const sends = a.sendCq.poll();
    expect(sends.map(({ index, opcode }) => [index, opcode])).to.deep.equal([
      [0, 0],
      [1, 2],
      [2, 0],
    ]);
    const receives = a.recvCq.poll();
    expect(receives.map(({ index, opcode }) => [index, opcode])).to.deep.equal([0, 1, 2].map((n) => [n, 128]));
    for (const cqe of [...sends, ...receives]) expect(cqe).to.include(flushed);
    expect(bed.events(), 'the program asked for it').to.be.empty;
  });

  it('flushes what is posted later, each with its doorbell', () => {
    const bed = new Testbed();
    const [a] = bed.pair({ recvCq: bed.cq() });
    bed.modify(a, ERR);
    for (let n = 0; n < 40; n++) {
      expect(a.sendAndPoll(WRITE)[0]).to.include({ syndrome: WR_FLUSH_ERR, index: n });
      a.recv();
      bed.engine.ringRq(bed.uar, a.number);
      expect(a.recvCq.poll()[0]).to.include({ syndrome: WR_FLUSH_ERR, index: n });
    }
  });

  it('flushes receives that were posted before the QP could receive', () => {
    const bed = new Testbed();
    const qp = bed.qp();
    bed.toInit(qp);
    qp.recv();
    bed.modify(qp, ERR);
    expect(qp.recvCq.poll()).to.have.length(1);
  });

  it('is counted past 2^32', () => {
    const bed = new Testbed();
    const [a] = bed.pair();
    a.startAt(0x7fffffff);
    for (let n = 0; n < 16; n++) a.writeSend(WRITE);
    bed.modify(a, ERR);
    expect(a.sendCq.poll()).to.have.length(16);
    expect(a.word('SQ_CONSUMER')).to.equal(a.sent);
  });

  it('of a QP that talks to itself gives the failed WQE its own error', () => {
    const bed = new Testbed();
    const [a] = [bed.qp()];
    bed.connect(a, a);
    a.recv();
    a.writeSend({ ...WRITE, inline: [1], rkey: 0x55 });
    a.writeSend(WRITE);
    a.ring();
    expect(a.sendCq.poll().map(({ opcode, syndrome }) => [opcode, syndrome])).to.deep.equal([
      [1, CqeSyndrome.REMOTE_ACCESS_ERR],
      [1, WR_FLUSH_ERR],
      [128, WR_FLUSH_ERR],
    ]);
    expect(bed.events()).to.deep.equal([[AsyncEvent.QP_ACCESS_ERR, a.number]]);
  });
});

describe('RESET', () => {
  it('empties both queues and every counter, without a completion', () => {
    const bed = new Testbed();
    const [a, b] = bed.pair();
    for (let n = 0; n < 5; n++) {
      b.recv();
      a.send({});
    }
    a.send({}); // waits
    b.send({});
    a.sendCq.poll();
    b.sendCq.poll();
    for (const qp of [a, b]) bed.modify(qp, RESET);
    for (const qp of [a, b]) {
      for (const word of ['SQ_CONSUMER', 'RQ_CONSUMER', 'SQ_PSN', 'RQ_PSN', 'MSN', 'PEER', 'WAITING'] as const) {
        expect(qp.word(word), word).to.equal(0);
      }
      expect(bed.i32[qp.record + QpDoorbellRecord.SQ_PRODUCER]).to.equal(0);
      expect(bed.i32[qp.record + QpDoorbellRecord.RQ_PRODUCER]).to.equal(0);
      expect([...qp.sendCq.poll(), ...qp.recvCq.poll()]).to.be.empty;
      qp.sent = qp.received = 0;
    }
    bed.connect(a, b);
    b.recv();
    expect(a.sendAndPoll({})[0]).to.include({ index: 0, syndrome: 0 });
    expect(b.recvCq.poll()[0]).to.include({ index: 0, syndrome: 0 });
  });

  for (const from of [INIT, RTR, RTS, SQD, SQE, ERR]) {
    it(`is reached from ${NAMES[from]}, and leads to RTS again`, () => {
      const bed = new Testbed();
      const [a, b]: TestQp[] = bed.pair();
      bed.engine.command(() => bed.engine.states.set(a.context, from));
      for (const qp of [a, b]) bed.modify(qp, RESET);
      bed.connect(a, b);
      expect(a.sendAndPoll(WRITE)[0].syndrome).to.equal(0);
    });
  }
});
