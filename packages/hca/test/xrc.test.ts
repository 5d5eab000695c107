import { expect } from 'chai';
import { CqDoorbellRecord, CqeFlag, CqeSyndrome, QpDoorbellRecord, SendWqe, VendorErr } from '@openverbs/verbs/rings';
import { AsyncEvent } from '../src/async-event.ts';
import { Qpc, QpcState, QpcType } from '../src/layout.ts';
import { Access, Opcode, Placement } from '../src/opcode.ts';
import { reap } from '../src/reap.ts';
import { openings, qps } from '../src/table-entries.ts';
import { audit } from './support/audit.ts';
import { atEveryCall } from './support/cut.ts';
import type { TestCq } from './support/test-cq.ts';
import type { SendSpec, TestQp } from './support/test-qp.ts';
import type { TestSrq } from './support/test-srq.ts';
import { expectDeviceError, Testbed } from './support/testbed.ts';

const { XRC_SEND, XRC_RECV } = QpcType;
const ACCESS_ALL = Access.LOCAL_WRITE | Access.REMOTE_WRITE | Access.REMOTE_READ | Access.REMOTE_ATOMIC;

interface World {
  readonly bed: Testbed;
  readonly xrcdn: number;
  readonly sender: TestQp;
  readonly target: TestQp;
  readonly srqs: readonly TestSrq[];
  readonly cqs: readonly TestCq[];
}

function makeWorld(): World {
  const bed = new Testbed();
  const xrcdn = bed.commands.xrcds.open({ uar: bed.uar, create: true, exclusive: false });
  const cqs = [bed.cq(), bed.cq()];
  const srqs = cqs.map(({ number: cqn }) => bed.srq({ log2Count: 2, xrc: { xrcdn, cqn } }));
  const sender = bed.qp({ type: XRC_SEND });
  const target = bed.qp({ type: XRC_RECV, xrcdn });
  bed.connect(sender, target, new Map([[Qpc.RNR_RETRY, 0]]));
  return { bed, xrcdn, sender, target, srqs, cqs };
}

/** A send that names an SRQ. */
function to(srqn: number, spec: SendSpec = {}): SendSpec {
  return { ...spec, words: { [SendWqe.REMOTE_SRQN]: srqn } };
}

describe('XRC', () => {
  it('completes a receive in the CQ of its SRQ, whose number the CQE has', () => {
    const { bed, sender, target, srqs, cqs } = makeWorld();
    const slots = srqs.map((srq) => srq.recv());
    for (const at of [1, 0]) {
      expect(sender.sendAndPoll(to(srqs[at].number))[0].syndrome).to.equal(0);
      expect(cqs[at].poll()).to.have.length(1).and.have.deep.nested.property('[0].srcQpn', srqs[at].number);
      expect(target.word('SRQ')).to.equal(srqs[at].context);
    }
    expect(slots).to.deep.equal([0, 0]);
    srqs[0].recv();
    sender.send(to(srqs[0].number, { opcode: Opcode.SEND_WITH_IMM, imm: 5 }));
    const [cqe] = cqs[0].poll();
    expect([cqe.flags, cqe.imm, cqe.qpn, cqe.index]).to.deep.equal([CqeFlag.XRC | 2, 5, target.number, 1]);
    audit(bed);
  });

  it('checks the number against the domain of the target', () => {
    for (const pick of [
      () => 0,
      () => -1,
      ({ srqs }: World) => srqs[0].number ^ (1 << 16),
      ({ bed }: World) => bed.srq().number,
      ({ bed, cqs }: World) => {
        const xrcdn = bed.commands.xrcds.open({ uar: bed.uar, create: true, exclusive: false });
        return bed.srq({ xrc: { xrcdn, cqn: cqs[0].number } }).number;
      },
    ]) {
      const world = makeWorld();
      const { bed, sender, target } = world;
      const srqn = pick(world);
      const [cqe] = sender.sendAndPoll(to(srqn));
      expect([cqe.syndrome, cqe.vendorErr]).to.deep.equal([CqeSyndrome.REMOTE_INVAL_REQ_ERR, VendorErr.BAD_SRQN]);
      expect(cqe.faultAddr).to.equal(BigInt(srqn >>> 0));
      expect([sender.state, target.state]).to.deep.equal([QpcState.ERR, QpcState.ERR]);
      expect(bed.events()).to.deep.equal([[AsyncEvent.QP_REQ_ERR, target.number]]);
      audit(bed);
    }
  });

  it('writes atomically and flushes, by the keys of the SRQ that is named', () => {
    const { FLUSH, ATOMIC_WRITE } = Opcode;
    const world = makeWorld();
    const { bed, srqs, cqs } = world;
    const foreign = bed.srq({ pd: bed.commands.allocPd(bed.uar), xrc: { xrcdn: world.xrcdn, cqn: cqs[0].number } });
    const target = bed.region(64, { access: ACCESS_ALL | Access.FLUSH_GLOBAL });
    const unflushable = bed.region(64, { access: ACCESS_ALL });
    const write = { opcode: ATOMIC_WRITE, inline: [1, 2, 3, 4, 5, 6, 7, 8], ...target.at(16) };
    const flush = { opcode: FLUSH, imm: Placement.GLOBAL, flushLength: 64, ...target.at() };
    for (const { number } of srqs) {
      target.fill(0);
      expect(world.sender.sendAndPoll(to(number, write))[0]).to.include({ syndrome: 0, opcode: 9, byteLen: 8 });
      expect(target.read64(16)).to.equal(0x0807060504030201n);
      expect(world.sender.sendAndPoll(to(number, flush))[0]).to.include({ syndrome: 0, opcode: 8, byteLen: 0 });
    }
    for (const cq of cqs) expect(cq.poll(), 'neither takes a receive').to.deep.equal([]);
    const memory = target.read();
    for (const [srqn, spec, vendorErr] of [
      [foreign.number, write, VendorErr.RKEY_PD_MISMATCH],
      [foreign.number, flush, VendorErr.RKEY_PD_MISMATCH],
      [srqs[0].number, { ...flush, ...unflushable.at() }, VendorErr.RKEY_NO_FLUSH_GLOBAL],
      [srqs[0].number, { ...write, ...target.at(12) }, VendorErr.ATOMIC_MISALIGNED],
      [0, write, VendorErr.BAD_SRQN],
      [0, flush, VendorErr.BAD_SRQN],
    ] as const) {
      const [sender, receiver] = [bed.qp({ type: XRC_SEND }), bed.qp({ type: XRC_RECV, xrcdn: world.xrcdn })];
      bed.connect(sender, receiver);
      expect(sender.sendAndPoll(to(srqn, spec))[0].vendorErr).to.equal(vendorErr);
      expect([sender.state, receiver.state]).to.deep.equal([QpcState.ERR, QpcState.ERR]);
    }
    expect(target.read()).to.deep.equal(memory);
    bed.events();
    audit(bed);
  });

  it('has the halves talk to each other, and to nothing else', () => {
    const { bed, xrcdn } = makeWorld();
    const words = new Map([
      [Qpc.TIMEOUT, 1],
      [Qpc.RETRY_CNT, 0],
    ]);
    for (const [from, type] of [
      [XRC_SEND, QpcType.RC],
      [QpcType.RC, XRC_RECV],
      [XRC_SEND, XRC_SEND],
      [QpcType.UC, XRC_RECV],
    ]) {
      const [a, b] = [bed.qp({ type: from }), bed.qp({ type, xrcdn })];
      bed.connect(a, b, words);
      a.send({});
      bed.advance(1e6);
      expect(a.sendCq.poll().every(({ syndrome }) => syndrome === CqeSyndrome.RETRY_EXC_ERR)).to.equal(
        from !== QpcType.UC,
      );
      expect(b.state).to.equal(QpcState.RTS);
    }
  });

  it('has no queues on the receiving half, whatever its doorbell record says', () => {
    const { bed, sender, target, srqs } = makeWorld();
    for (const state of [QpcState.RTS, QpcState.ERR]) {
      for (const producer of [1, 7, -1]) {
        bed.i32[target.record + QpDoorbellRecord.SQ_PRODUCER] = producer;
        bed.i32[target.record + QpDoorbellRecord.RQ_PRODUCER] = producer;
        target.ring();
        bed.engine.ringRq(bed.uar, target.number);
        expect(target.state).to.equal(state);
      }
      bed.modify(target, QpcState.ERR);
    }
    bed.i32[sender.record + QpDoorbellRecord.RQ_PRODUCER] = 3;
    bed.modify(sender, QpcState.ERR);
    expect([...sender.sendCq.poll(), ...sender.recvCq.poll()]).to.deep.equal([]);
    expect(bed.events()).to.deep.equal([]);
    expect(srqs[0].word('CONSUMER')).to.equal(0);
    audit(bed);
  });

  it('overruns the CQ of the SRQ, which ends the target', () => {
    const { bed, sender, target, srqs, cqs } = makeWorld();
    bed.i32[cqs[0].record + CqDoorbellRecord.CONSUMER] = -64;
    srqs[0].recv();
    expect(sender.sendAndPoll(to(srqs[0].number))[0].syndrome).to.equal(CqeSyndrome.REMOTE_OP_ERR);
    expect(target.state).to.equal(QpcState.ERR);
    expect(bed.events().map(([type]) => type)).to.deep.equal([AsyncEvent.CQ_ERR, AsyncEvent.QP_FATAL]);
  });

  it('lets an SRQ end that a target has named, and what it held', () => {
    const { bed, sender, target, srqs } = makeWorld();
    srqs[0].recv();
    srqs[0].recv();
    sender.send(to(srqs[0].number));
    bed.engine.receives.find(target.context);
    bed.engine.receives.hold(target.context);
    bed.commands.srqs.destroy(srqs[0].number);
    expect([target.word('SRQ'), target.word('SRQ_WQE')]).to.deep.equal([0, 0]);
    bed.modify(target, QpcState.ERR);
    audit(bed);
  });
});

describe('openings of an XRC_RECV QP', () => {
  /** A QP that a thread made and another one opened. */
  function share(packets = false): World & { readonly creator: Testbed; readonly opening: number } {
    const bed = packets ? Testbed.withPackets() : new Testbed();
    const creator = bed.join();
    const inode = [1, 2, 3, 4] as const;
    const open = (by: Testbed): number =>
      by.commands.xrcds.open({ uar: by.uar, inode, create: true, exclusive: false });
    const target = creator.qp({ type: XRC_RECV, xrcdn: open(creator) });
    const xrcdn = open(bed);
    const cqs = [bed.cq()];
    const srqs = cqs.map(({ number: cqn }) => bed.srq({ log2Count: 2, xrc: { xrcdn, cqn } }));
    const sender = bed.qp({ type: XRC_SEND });
    bed.connect(sender, target, new Map([[Qpc.RNR_RETRY, 0]]));
    const opening = bed.commands.qps.open({ uar: bed.uar, xrcdn, qpn: target.number });
    return { bed, creator, opening, xrcdn, sender, target, srqs, cqs };
  }

  for (const packets of [false, true]) {
    it(`outlive the thread of the creator, ${packets ? 'packets' : 'messages'}`, () => {
      const { bed, creator, opening, sender, target, srqs, cqs } = share(packets);
      creator.machine.threads.declareDead(creator.machine.threadIndex);
      expect(reap(bed.engine)).to.equal(1);
      audit(bed);
      srqs[0].recv();
      sender.send(to(srqs[0].number));
      bed.advance(1e6);
      expect(sender.sendCq.poll()).to.have.nested.property('[0].syndrome', 0);
      expect(cqs[0].poll()).to.have.length(1);
      expectDeviceError(() => bed.commands.qps.context(target.number), 'EINVAL', /no QP/);
      expect(bed.commands.qps.context(opening)).to.equal(target.context);
      const { qps: before } = bed.hca.objects;
      bed.commands.qps.destroy(opening);
      expect(bed.hca.objects.qps).to.equal(before - 2);
      audit(bed);
    });
  }

  it('are no queues for messages and doorbells', () => {
    const { bed, opening, sender, srqs } = share();
    srqs[0].recv();
    bed.modify(sender, QpcState.RESET);
    bed.connect(sender, sender, new Map([[Qpc.DEST_QPN, opening]]));
    bed.engine.ringSq(bed.uar, bed.hca.qpTable, opening);
    bed.engine.ringRq(bed.uar, opening);
    sender.send(to(srqs[0].number));
    expect(srqs[0].word('CONSUMER')).to.equal(0);
    audit(bed);
  });

  for (const packets of [false, true]) {
    it(`are whole wherever the thread died, ${packets ? 'packets' : 'messages'}`, () => {
      atEveryCall(
        () => share(packets),
        ({ bed, target, xrcdn, opening }) => {
          const second = bed.commands.qps.open({ uar: bed.uar, xrcdn, qpn: target.number });
          bed.commands.qps.destroy(opening);
          target.destroy();
          bed.commands.qps.destroy(second);
        },
        ({ bed, creator }) => {
          const { i32, hca } = bed;
          creator.machine.threads.declareDead(creator.machine.threadIndex);
          reap(bed.engine);
          for (const o of openings(i32, hca)) bed.commands.qps.destroy(i32[o + Qpc.QPN]);
          expect(qps(i32, hca).map((q) => i32[q + Qpc.TYPE])).to.deep.equal([XRC_SEND]);
          audit(bed);
        },
      );
    });
  }
});

describe('the commands about XRC domains', () => {
  it('find a domain by its inode, and keep one that is in use', () => {
    const bed = new Testbed();
    const { xrcds, srqs } = bed.commands;
    const inode = [1, 2, 3, 4] as const;
    const init = { uar: bed.uar, inode, create: false, exclusive: false };
    expectDeviceError(() => xrcds.open(init), 'EAGAIN', /O_CREAT/);
    const first = xrcds.open({ ...init, create: true });
    expectDeviceError(() => xrcds.open({ ...init, create: true, exclusive: true }), 'EINVAL', /O_EXCL/);
    const second = xrcds.open(init);
    const other = xrcds.open({ ...init, inode: [1, 2, 3, 5], create: true });
    const own = xrcds.open({ uar: bed.uar, create: true, exclusive: true });
    expect(new Set([first, second, other, own].map((number) => xrcds.domain(number))).size).to.equal(3);
    expect(xrcds.domain(second)).to.equal(xrcds.domain(first));
    const cqn = bed.cq().number;
    const srq = bed.srq({ xrc: { xrcdn: second, cqn } });
    xrcds.close(first);
    expectDeviceError(() => xrcds.close(second), 'EBUSY', /QPs or SRQs/);
    expectDeviceError(() => bed.commands.cqs.destroy(cqn), 'EBUSY', /1 queues/);
    expectDeviceError(() => bed.qp({ srq }), 'EINVAL', /for XRC/);
    srqs.destroy(srq.number);
    for (const number of [second, other, own]) xrcds.close(number);
    for (const number of [0, first, own]) expectDeviceError(() => xrcds.domain(number), 'EINVAL', /no XRC domain/);
    expect(bed.hca.objects.xrcds).to.equal(0);
    audit(bed);
  });

  it('leave whole tables wherever the thread died', () => {
    atEveryCall(
      makeWorld,
      ({ bed, sender, srqs, cqs, target }) => {
        const xrcdn = bed.commands.xrcds.open({ uar: bed.uar, create: true, exclusive: false });
        const srq = bed.srq({ xrc: { xrcdn, cqn: cqs[0].number } });
        bed.qp({ type: XRC_RECV, xrcdn }).destroy();
        bed.commands.srqs.destroy(srq.number);
        bed.commands.xrcds.close(xrcdn);
        srqs[0].recv();
        sender.send(to(srqs[0].number));
        target.destroy();
      },
      ({ sender, cqs }) => {
        if (sender.sent === 0) return;
        expect(cqs[0].poll().length).to.equal(sender.sendCq.poll().filter(({ syndrome }) => syndrome === 0).length);
      },
    );
  });
});
