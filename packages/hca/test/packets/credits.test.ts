import { expect } from 'chai';
import {
  AETH_KIND_MASK,
  AethKind,
  AethSyndrome,
  CREDIT_CODE_UNLIMITED,
  creditCode,
  Opcode as Wire,
} from '@openverbs/rocev2';
import { QP_STATE_STARVED, QpDoorbellRecord, SendWqe } from '@openverbs/verbs/rings';
import { QpcState, QpcType } from '../../src/layout.ts';
import { Opcode } from '../../src/opcode.ts';
import { mayBegin, takeCredits } from '../../src/packets/credits.ts';
import { Qpt } from '../../src/packets/layout.ts';
import { recover } from '../../src/recovery.ts';
import type { TestQp } from '../support/test-qp.ts';
import { Testbed } from '../support/testbed.ts';
import { isAcknowledge, listenToWire, type WirePacket } from '../support/wire.ts';

const DELAY_US = 5;
const DELAY_NS = DELAY_US * 1000;
const MTU = 1024;
/** Code 12. */
const RNR_NS = 640_000;
const { SEND, RDMA_WRITE, RDMA_WRITE_WITH_IMM } = Opcode;

/** A link on which an answer takes its time, so that what goes before it can be told from what goes after it. */
function makeWorld(options: Parameters<Testbed['pair']>[0] = {}): {
  bed: Testbed;
  a: TestQp;
  b: TestQp;
  sent: WirePacket[];
} {
  const bed = Testbed.withPackets({ delay: DELAY_US });
  const [a, b] = bed.pair({ sqLog2Count: 6, rqLog2Count: 6, ...options });
  return { bed, a, b, sent: listenToWire(bed) };
}

function requests(sent: readonly WirePacket[]): WirePacket[] {
  return sent.filter((packet) => !isAcknowledge(packet));
}

function syndromes(sent: readonly WirePacket[]): number[] {
  return sent.filter(isAcknowledge).map(({ packet }) => packet.syndrome);
}

/** Posts `count` sends with one doorbell. */
function post(qp: TestQp, count: number, spec: Parameters<TestQp['send']>[0] = {}): void {
  for (let n = 0; n < count; n++) qp.writeSend(spec);
  qp.ring();
}

describe('end-to-end credits', () => {
  it('tell how many receives are left, rounded down', () => {
    const { bed, a, b, sent } = makeWorld();
    for (let n = 0; n < 9; n++) b.recv();
    for (let n = 0; n < 3; n++) {
      a.send({});
      bed.advance(1e5);
    }
    // 8, 7 and 6 are left; a code for 7 there is not.
    expect(syndromes(sent)).to.deep.equal([8, 6, 6].map((count) => AethSyndrome.ACK | creditCode(count)));
    expect(sent.filter(isAcknowledge).map(({ packet }) => packet.msn)).to.deep.equal([1, 2, 3]);
  });

  it('come with the responses of reads and atomics too', () => {
    const { bed, a, b, sent } = makeWorld();
    const region = bed.region(4096);
    b.recv();
    a.send({ opcode: Opcode.RDMA_READ, sges: [region.sge(0, 8)], ...region.at(64) });
    a.send({ opcode: Opcode.ATOMIC_FETCH_AND_ADD, sges: [region.sge(0, 8)], ...region.at(64), compareAdd: 1n });
    bed.advance(1e5);
    const answers = sent.filter(({ packet }) => packet.destQpn === a.number);
    expect(answers.map(({ packet }) => packet.syndrome)).to.deep.equal([creditCode(1), creditCode(1)]);
  });

  it('are not given from a shared receive queue', () => {
    const bed = Testbed.withPackets({ delay: DELAY_US });
    const srq = bed.srq({ log2Count: 4 });
    const [a] = bed.pair({ sqLog2Count: 6, srq });
    const sent = listenToWire(bed);
    for (let n = 0; n < 8; n++) srq.recv();
    a.send({});
    bed.advance(1e5);
    expect(syndromes(sent)).to.deep.equal([CREDIT_CODE_UNLIMITED]);
    sent.length = 0;
    post(a, 7);
    expect(requests(sent), 'sent without an answer').to.have.length(7);
  });

  it('are not looked at by XRC, not even at first', () => {
    const bed = Testbed.withPackets({ delay: DELAY_US });
    const xrcdn = bed.commands.xrcds.open({ uar: bed.uar, create: true, exclusive: false });
    const srq = bed.srq({ log2Count: 4, xrc: { xrcdn, cqn: bed.cq().number } });
    const sender = bed.qp({ type: QpcType.XRC_SEND });
    bed.connect(sender, bed.qp({ type: QpcType.XRC_RECV, xrcdn }));
    const sent = listenToWire(bed);
    for (let n = 0; n < 8; n++) srq.recv();
    post(sender, 8, { words: { [SendWqe.REMOTE_SRQN]: srq.number } });
    expect(requests(sent)).to.have.length(8);
    bed.advance(1e5);
    for (const syndrome of syndromes(sent)) expect(syndrome).to.equal(CREDIT_CODE_UNLIMITED);
  });

  for (const opcode of [SEND, RDMA_WRITE_WITH_IMM]) {
    it(`let one message go that has none, and no more, of opcode ${opcode}`, () => {
      const { bed, a, b, sent } = makeWorld();
      const region = bed.region(4096);
      for (let n = 0; n < 5; n++) b.recv();
      post(a, 10, { opcode, ...region.at() });
      expect(requests(sent), 'before the first answer').to.have.length(1);
      bed.advance(2 * DELAY_NS);
      // The answer grants 4; one goes beyond that.
      expect(requests(sent), 'after the first answer').to.have.length(6);
      bed.advance(2 * DELAY_NS);
      expect(requests(sent), 'while the receiver is not ready').to.have.length(6);
      expect(syndromes(sent).filter((syndrome) => (syndrome & AETH_KIND_MASK) === AethKind.RNR_NAK)).to.have.length(1);
      for (let n = 0; n < 5; n++) b.recv();
      bed.advance(2 * RNR_NS);
      expect(a.sendCq.poll().map(({ syndrome }) => syndrome)).to.deep.equal(new Array(10).fill(0));
    });
  }

  it('are not needed by what takes no receive, and that takes none away', () => {
    const { bed, a, b, sent } = makeWorld();
    const region = bed.region(4096);
    for (let n = 0; n < 4; n++) b.recv();
    a.send({});
    bed.advance(1e5);
    sent.length = 0;
    for (let n = 0; n < 10; n++) a.writeSend({ opcode: RDMA_WRITE, sges: [region.sge(0, 8)], ...region.at() });
    for (let n = 0; n < 6; n++) a.writeSend({});
    a.ring();
    expect(requests(sent), '10 writes, 3 sends with credits and one without').to.have.length(14);
  });

  it('let a message that has none go packet by packet', () => {
    const { bed, a, b, sent } = makeWorld();
    const region = bed.region(8 * MTU);
    a.send({ sges: [region.sge(0, 4 * MTU)] });
    expect(requests(sent).map(({ packet }) => [packet.opcode, packet.ackReq])).to.deep.equal([[Wire.RC_SEND_FIRST, 1]]);
    bed.advance(RNR_NS / 2);
    expect(requests(sent), 'while the receiver is not ready').to.have.length(1);
    b.recv([region.sge(4 * MTU, 4 * MTU)]);
    bed.advance(RNR_NS + 2 * DELAY_NS);
    expect(requests(sent).map(({ packet }) => packet.opcode)).to.deep.equal([
      Wire.RC_SEND_FIRST,
      Wire.RC_SEND_FIRST,
      Wire.RC_SEND_MIDDLE,
      Wire.RC_SEND_MIDDLE,
      Wire.RC_SEND_LAST,
    ]);
    bed.advance(1e5);
    expect(a.sendCq.poll().map(({ syndrome }) => syndrome)).to.deep.equal([0]);
  });

  it('that are lost with their acknowledge come with the next', () => {
    const { bed, a, b } = makeWorld();
    for (let n = 0; n < 4; n++) b.recv();
    a.send({});
    bed.advance(DELAY_NS / 2);
    bed.engine.faults!.set({ drop: 1 });
    bed.advance(DELAY_NS);
    bed.engine.faults!.set({ drop: 0 });
    post(a, 3);
    bed.advance(1e9);
    expect(a.sendCq.poll().filter(({ syndrome }) => syndrome === 0)).to.have.length(4);
    expect(bed.engine.counters.read(bed.hca.header, 1)).to.include({ rcvd_rnr_err: 0 });
  });

  it('hold nothing up for ever, whatever is lost and however late receives are posted', () => {
    for (let seed = 1; seed <= 8; seed++) {
      const bed = Testbed.withPackets({ seed, drop: 0.3, reorder: 0.2, delay: DELAY_US });
      const [a, b] = bed.pair({ sqLog2Count: 6, rqLog2Count: 6, sendCq: bed.cq(), recvCq: bed.cq() });
      const region = bed.region(8 * MTU);
      for (let n = 0; n < 30; n++) a.writeSend({ sges: [region.sge(0, (n % 4) * MTU)] });
      a.ring();
      for (let n = 0; n < 30; n++) {
        b.recv([region.sge(4 * MTU, 4 * MTU)]);
        if (n % 3 === 0) bed.engine.ringRq(bed.uar, b.number);
        bed.advance(1e6);
      }
      bed.advance(1e10);
      expect(a.sendCq.poll().map(({ syndrome }) => syndrome)).to.deep.equal(new Array(30).fill(0));
      expect(b.recvCq.poll().map(({ byteLen }) => byteLen)).to.deep.equal(
        Array.from({ length: 30 }, (_, n) => (n % 4) * MTU),
      );
    }
  });

  it('are told without being asked for when a receive comes where none was', () => {
    const { bed, a, b, sent } = makeWorld();
    b.recv();
    a.send({});
    bed.advance(1e5);
    const state = (): number => bed.i32[b.record + QpDoorbellRecord.STATE];
    expect(state(), 'what the host is told').to.equal(QpcState.RTS | QP_STATE_STARVED);
    sent.length = 0;
    for (let n = 0; n < 4; n++) b.recv();
    bed.engine.ringRq(bed.uar, b.number);
    expect(syndromes(sent)).to.deep.equal([creditCode(4)]);
    expect(state()).to.equal(QpcState.RTS);
    bed.engine.ringRq(bed.uar, b.number);
    expect(syndromes(sent), 'a doorbell that nobody asked for').to.have.length(1);
    bed.advance(1e5);
    sent.length = 0;
    post(a, 4);
    expect(requests(sent)).to.have.length(4);
    bed.advance(1e5);
    expect(syndromes(sent)).to.include(creditCode(0));
  });

  it('that a hostile doorbell record claims are those of its ring', () => {
    const { bed, a, b, sent } = makeWorld();
    const region = bed.region(4096);
    Atomics.store(bed.i32, b.record + QpDoorbellRecord.RQ_PRODUCER, -7);
    a.send({ opcode: RDMA_WRITE, sges: [region.sge(0, 8)], ...region.at() });
    bed.advance(1e5);
    expect(syndromes(sent)).to.deep.equal([creditCode(64)]);
  });

  it('begin anew with each connection', () => {
    const { bed, a, b, sent } = makeWorld();
    for (let n = 0; n < 8; n++) b.recv();
    a.send({});
    bed.advance(1e5);
    for (const qp of [a, b]) {
      bed.modify(qp, QpcState.RESET);
      qp.sent = qp.received = 0;
    }
    bed.connect(a, b);
    for (let n = 0; n < 8; n++) b.recv();
    sent.length = 0;
    post(a, 4);
    expect(requests(sent)).to.have.length(1);
    bed.advance(1e5);
    expect(requests(sent)).to.have.length(4);
  });

  it('outlast a thread that dies', () => {
    const { bed, a, b } = makeWorld();
    for (let n = 0; n < 3; n++) b.recv();
    post(a, 8);
    bed.advance(2.5 * DELAY_NS);
    bed.engine.command(() => {
      recover(bed.engine);
    });
    for (let n = 0; n < 5; n++) b.recv();
    bed.advance(1e9);
    expect(a.sendCq.poll().filter(({ syndrome }) => syndrome === 0)).to.have.length(8);
  });

  it('count messages in 24 bits, and an old acknowledge takes nothing back', () => {
    const t = 0;
    const i32 = new Int32Array(Qpt.WORDS);
    i32[t + Qpt.SSN] = 0xfffffe;
    i32[t + Qpt.LSN] = 0xfffffc;
    i32[t + Qpt.NEXT] = 1; // something is under way
    expect(mayBegin(i32, t, SEND)).to.equal(false);
    expect(mayBegin(i32, t, RDMA_WRITE)).to.equal(true);
    takeCredits(i32, t, creditCode(4), 0xfffffe);
    expect(i32[t + Qpt.LSN]).to.equal(2);
    expect(mayBegin(i32, t, SEND)).to.equal(true);
    takeCredits(i32, t, creditCode(0), 0xfffffd);
    takeCredits(i32, t, AethSyndrome.NAK_PSN_SEQUENCE, 5);
    takeCredits(i32, t, AethSyndrome.RNR_NAK | 3, 5);
    expect(i32[t + Qpt.LSN]).to.equal(2);
    takeCredits(i32, t, CREDIT_CODE_UNLIMITED, 0);
    expect(i32[t + Qpt.LSN]).to.equal(-1);
    takeCredits(i32, t, creditCode(0), 3);
    expect(i32[t + Qpt.LSN], 'a peer that has said that it does not count').to.equal(-1);
  });

  it('stop nobody when nothing is under way, whatever the peer has said', () => {
    const { bed, a, b } = makeWorld();
    b.recv();
    a.send({});
    bed.advance(1e5);
    // A peer whose MSN does not follow: as if it had been reset alone.
    b.setWord('MSN', 0x800001);
    for (let n = 0; n < 4; n++) b.recv();
    post(a, 4);
    bed.advance(1e6);
    expect(a.sendCq.poll().filter(({ syndrome }) => syndrome === 0)).to.have.length(5);
    expect(a.word('STATE')).to.equal(QpcState.RTS);
  });
});
