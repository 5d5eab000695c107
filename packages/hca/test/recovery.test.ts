import { expect } from 'chai';
import { CqArm, CqeSyndrome } from '@openverbs/verbs/rings';
import { COMPLETION } from '../src/event-queue.ts';
import { Engine } from '../src/engine.ts';
import { EngineHeader, Qpc, QpcState } from '../src/layout.ts';
import { Opcode } from '../src/opcode.ts';
import { audit } from './support/audit.ts';
import { atEveryCall, recoveries, takeOver } from './support/cut.ts';
import type { Region } from './support/region.ts';
import { Testbed } from './support/testbed.ts';
import type { TestQp } from './support/test-qp.ts';

interface World {
  readonly bed: Testbed;
  readonly a: TestQp;
  readonly b: TestQp;
  readonly from: Region;
  readonly to: Region;
}

function makeWorld(): World {
  const bed = new Testbed();
  const [a, b] = bed.pair();
  const [from, to] = [bed.region(256), bed.pagedRegion(8192, 100)];
  from.fill(1);
  return { bed, a, b, from, to };
}

describe('a thread that dies in the middle of a send queue', () => {
  it('has every message executed exactly once, in order', () => {
    const calls = atEveryCall(
      makeWorld,
      ({ a, b, from, to }) => {
        for (let n = 0; n < 3; n++) b.recv([to.sge(n * 64, 64)]);
        a.writeSend({ sges: [from.sge(0, 64)] });
        a.writeSend({ opcode: Opcode.SEND_WITH_IMM, sges: [from.sge(64, 10)], imm: 7, flags: 0 });
        a.writeSend({ opcode: Opcode.RDMA_WRITE, sges: [from.sge(0, 200)], ...to.at(4000) });
        a.writeSend({ opcode: Opcode.ATOMIC_FETCH_AND_ADD, sges: [from.sge(248)], compareAdd: 5n, ...to.at(7996) });
        a.writeSend({ opcode: Opcode.RDMA_READ, sges: [from.sge(200, 8)], ...to.at(7996) });
        a.writeSend({ opcode: Opcode.RDMA_WRITE_WITH_IMM, imm: 8, ...to.at() });
        a.writeSend({ opcode: Opcode.ATOMIC_WRITE, sges: [from.sge(3, 8)], ...to.at(7004) });
        a.writeSend({ opcode: Opcode.FLUSH, imm: 1, flushLength: 8, ...to.at(7004) });
        a.ring();
      },
      ({ bed, a, b, from, to }) => {
        // The writer's own rings are as it left them, whoever executed them.
        a.ring();
        const done = a.sendCq.poll().map(({ index, syndrome }) => [index, syndrome]);
        const posted = a.sent;
        const signalled = [0, 2, 3, 4, 5, 6, 7].filter((index) => index < posted);
        expect(done).to.deep.equal(signalled.map((index) => [index, 0]));
        if (posted < 8) return;
        expect(b.recvCq.poll().map(({ index, imm, syndrome }) => [index, imm, syndrome])).to.deep.equal([
          [0, 0, 0],
          [1, 7, 0],
          [2, 8, 0],
        ]);
        expect(to.read64(7996)).to.equal(5n);
        expect(to.read(7004, 8)).to.deep.equal(from.read(3, 8));
        expect([a.word('SQ_PSN'), b.word('RQ_PSN'), b.word('MSN')]).to.deep.equal([8, 8, 8]);
        expect(bed.events()).to.be.empty;
      },
    );
    expect(calls).to.be.above(60);
  });

  it('loses no completion event, and raises none without a completion', () => {
    atEveryCall(
      makeWorld,
      ({ a, b }) => {
        b.recv();
        b.recvCq.arm(CqArm.NEXT);
        a.sendCq.arm(CqArm.NEXT);
        a.send({});
      },
      ({ bed, a, b }) => {
        if (a.sent === 0) return;
        a.ring();
        const events = bed.events();
        expect(new Set(events.map(([type]) => type))).to.deep.equal(new Set([COMPLETION]));
        expect(new Set(events.map(([, id]) => id))).to.deep.equal(new Set([a.sendCq.number, b.recvCq.number]));
        expect([a.sendCq.armed, b.recvCq.armed]).to.deep.equal([0, 0]);
        // Both can be armed and told of anew.
        for (const cq of [a.sendCq, b.recvCq]) cq.arm(CqArm.NEXT);
        b.recv();
        a.send({});
        expect(bed.events()).to.have.length(2);
      },
    );
  });

  it('leaves a queue that fails in error, with one error and the rest flushed', () => {
    atEveryCall(
      makeWorld,
      ({ a, b, from, to }) => {
        b.recv([to.sge(0, 16)]);
        b.recv();
        a.writeSend({ opcode: Opcode.RDMA_WRITE, sges: [from.sge()], remote: 0n, rkey: 0x123 });
        a.writeSend({ sges: [from.sge(0, 16)] });
        a.ring();
      },
      ({ bed, a, b, to }) => {
        if (a.sent < 2) return;
        a.ring();
        bed.advance(100e9);
        expect(a.state).to.equal(QpcState.ERR);
        const errors = a.sendCq.poll().map(({ index, syndrome }) => [index, syndrome]);
        expect(errors.map(([index]) => index)).to.deep.equal([0, 1]);
        expect(errors[1][1]).to.equal(CqeSyndrome.WR_FLUSH_ERR);
        // Where the peer was in error already, its silence is the error.
        expect(errors[0][1]).to.not.equal(0);
        expect(b.recvCq.poll().every(({ syndrome }) => syndrome === CqeSyndrome.WR_FLUSH_ERR)).to.equal(true);
        expect(to.read(0, 16)).to.deep.equal(new Uint8Array(16));
      },
    );
  });

  it('leaves a receive that failed failed, and the peer in error', () => {
    atEveryCall(
      makeWorld,
      ({ a, b, from }) => {
        b.recv();
        b.recv([from.sge()]);
        a.send({ sges: [from.sge(0, 16)] });
      },
      ({ bed, a, b }) => {
        if (a.sent === 0) return;
        bed.advance(100e9);
        expect([a.state, b.state]).to.deep.equal([QpcState.ERR, QpcState.ERR]);
        const received = b.recvCq.poll().map(({ syndrome }) => syndrome);
        expect(received).to.have.length(2);
        expect(received, 'a message came after the error').to.not.include(0);
        expect(a.sendCq.poll()[0].syndrome).to.not.equal(0);
      },
    );
  });

  it('keeps the count of retries', () => {
    atEveryCall(
      () => {
        const bed = new Testbed();
        const words = new Map<number, number>([[Qpc.RNR_RETRY, 2]]);
        const [a, b] = bed.pair({}, words, new Map([[Qpc.MIN_RNR_TIMER, 14]]));
        return { bed, a, b };
      },
      ({ bed, a }) => {
        a.send({});
        bed.advance(1e6);
      },
      ({ bed, a, b }) => {
        if (a.sent === 0) return;
        a.ring();
        expect(a.sendCq.poll()).to.be.empty;
        bed.advance(100e9);
        expect(a.sendCq.poll().map(({ syndrome }) => syndrome)).to.deep.equal([CqeSyndrome.RNR_RETRY_EXC_ERR]);
        expect(b.state).to.equal(QpcState.RTS);
      },
    );
  });

  it('does not execute what was never posted when its wait ends', () => {
    atEveryCall(
      () => {
        const world = makeWorld();
        world.a.send({}); // waits for a receive
        return world;
      },
      ({ bed, b }) => {
        b.recv();
        b.recv();
        bed.advance(10e6);
      },
      ({ bed, a, b }) => {
        bed.advance(100e9);
        expect(a.sendCq.poll()).to.have.length(1);
        expect(b.recvCq.poll()).to.have.length(1);
        expect([a.state, a.word('SQ_CONSUMER'), a.word('WAITING')]).to.deep.equal([QpcState.RTS, 1, 0]);
      },
    );
  });
});

describe('a thread that dies in the middle of a command', () => {
  it('leaves every table whole', () => {
    const calls = atEveryCall(
      () => ({ bed: new Testbed() }),
      ({ bed }) => {
        const region = bed.pagedRegion(9000, 5);
        const cq = bed.cq(3);
        const qp = bed.qp({ sendCq: cq });
        bed.connect(qp, qp);
        qp.send({ opcode: Opcode.RDMA_WRITE, ...region.at() });
        cq.resize(4);
        bed.modify(qp, QpcState.ERR);
        qp.destroy();
        bed.commands.cqs.destroy(cq.number);
        bed.commands.destroyMpt(region.key);
        const pd = bed.commands.allocPd(bed.uar);
        bed.commands.deallocPd(pd);
        const uar = bed.commands.openUar();
        bed.commands.closeUar(uar);
      },
      ({ bed }) => {
        // Everything can be made and used as before.
        const [a, b] = bed.pair();
        b.recv();
        expect(a.sendAndPoll({})).to.have.length(1);
        for (const qp of [a, b]) qp.destroy();
        audit(bed);
      },
    );
    expect(calls).to.be.above(50);
  });
});

describe('recovery', () => {
  it('changes nothing when nothing is torn', () => {
    const { bed, a, b } = makeWorld();
    b.recv();
    a.send({});
    const [c] = bed.pair();
    c.send({});
    const before = { objects: bed.hca.objects, stats: bed.machine.pages.stats() };
    takeOver(bed);
    audit(bed);
    expect({ objects: bed.hca.objects, stats: bed.machine.pages.stats() }).to.deep.equal(before);
    expect(a.sendCq.poll()).to.have.length(1);
    expect(c.word('WAITING')).to.not.equal(0);
    bed.advance(1e9);
    expect(c.sendCq.poll()).to.be.empty;
  });

  it('takes doorbells that nobody rang, and completes drains and flushes', () => {
    const { bed, a, b } = makeWorld();
    const [c] = bed.pair();
    a.writeSend({ opcode: Opcode.RDMA_WRITE });
    bed.modify(b, QpcState.ERR);
    b.writeSend({});
    b.recv();
    c.setWord('STATE', QpcState.SQD);
    c.setWord('SQ_DRAINING', 1);
    c.setWord('EN_SQD_ASYNC_NOTIFY', 1);
    takeOver(bed);
    expect(b.sendCq.poll().map(({ opcode }) => opcode)).to.deep.equal([0, 128]);
    expect(bed.events()).to.deep.equal([[5, c.number]]);
    expect(a.word('WAITING'), 'its peer is in error').to.not.equal(0);
  });

  it('is made up for by an engine that comes late', () => {
    const { bed, a, b } = makeWorld();
    b.recv();
    a.writeSend({});
    // A thread without an engine has taken the lock over: it rebuilt the pages and knows of no device.
    bed.i32[bed.engine.header + EngineHeader.TAKEOVERS]--;
    new Engine(bed.machine, 'inline', bed.clock);
    expect(a.sendCq.poll()).to.have.length(1);
    expect(recoveries(bed)).to.equal(1);
    new Engine(bed.machine, 'inline', bed.clock);
    expect(recoveries(bed)).to.equal(1);
  });
});
