import { expect } from 'chai';
import { comparePsn, psnDistance } from '@openverbs/rocev2';
import { Opcode } from '../../src/opcode.ts';
import { ACK_REQ_PACKETS, WINDOW_PACKETS } from '../../src/packets/limits.ts';
import type { TestQp } from '../support/test-qp.ts';
import { Testbed } from '../support/testbed.ts';
import { isAcknowledge, listenToWire, type WirePacket } from '../support/wire.ts';

const MTU = 1024;
const DELAY_US = 5;

/** The most request packets of a QP that were under way at a time: sent, and not acknowledged by what had come back. */
function mostUnderWay(sent: readonly WirePacket[], a: TestQp, b: TestQp): number {
  const answers = sent.filter(({ packet }) => packet.destQpn === a.number);
  let unacked = -1;
  let most = 0;
  let at = 0;
  for (const { packet, atNs } of sent.filter(({ packet: { destQpn } }) => destQpn === b.number)) {
    if (unacked < 0) unacked = packet.psn;
    // An answer is there a delay after it was sent. A NAK acknowledges what is before its PSN.
    for (; at < answers.length && answers[at].atNs + DELAY_US * 1000 <= atNs; at++) {
      const { psn, syndrome } = answers[at].packet;
      const next = syndrome < 0x20 ? (psn + 1) & 0xffffff : psn;
      if (comparePsn(next, unacked) > 0) unacked = next;
    }
    if (comparePsn(packet.psn, unacked) >= 0) most = Math.max(most, psnDistance(unacked, packet.psn) + 1);
  }
  return most;
}

describe('acknowledges', () => {
  it('come once a message, and once every so many packets of a long one', () => {
    const bed = Testbed.withPackets({ delay: DELAY_US });
    const [a] = bed.pair({ sqLog2Count: 6 });
    const region = bed.region(128 * MTU);
    for (const packets of [1, 2, ACK_REQ_PACKETS, ACK_REQ_PACKETS + 1, 3 * ACK_REQ_PACKETS]) {
      const sent = listenToWire(bed);
      a.send({ opcode: Opcode.RDMA_WRITE, sges: [region.sge(0, packets * MTU)], ...region.at() });
      bed.advance(1e5);
      expect(sent.filter((packet) => !isAcknowledge(packet))).to.have.length(packets);
      // The last one of the burst answers for all that has arrived by then.
      expect(sent.filter(isAcknowledge), `${packets} packets`).to.have.length(1);
      expect(a.sendCq.poll()).to.have.length(1);
    }
  });

  it('are one for all that has arrived together', () => {
    const bed = Testbed.withPackets({ delay: DELAY_US });
    const [a] = bed.pair({ sqLog2Count: 6 });
    const region = bed.region(4096);
    const sent = listenToWire(bed);
    for (let n = 0; n < 40; n++) {
      a.writeSend({ opcode: Opcode.RDMA_WRITE, sges: [region.sge(0, 8)], ...region.at(64) });
    }
    a.ring();
    bed.advance(1e5);
    expect(sent.filter(isAcknowledge)).to.have.length(1);
    expect(a.sendCq.poll()).to.have.length(40);
  });

  it('are as many as the messages that arrive one by one', () => {
    const bed = Testbed.withPackets({ delay: DELAY_US });
    const [a] = bed.pair({ sqLog2Count: 6 });
    const region = bed.region(4096);
    const sent = listenToWire(bed);
    for (let n = 0; n < 10; n++) {
      a.send({ opcode: Opcode.RDMA_WRITE, sges: [region.sge(0, 8)], ...region.at(64) });
      bed.advance(1000);
    }
    bed.advance(1e5);
    expect(sent.filter(isAcknowledge)).to.have.length(10);
  });

  it('of a message with a lost packet are one NAK, then one acknowledge', () => {
    const bed = Testbed.withPackets({ delay: DELAY_US });
    const [a] = bed.pair({ sqLog2Count: 6 });
    const region = bed.region(64 * MTU);
    const sent = listenToWire(bed);
    bed.engine.faults!.set({ drop: 1 });
    a.send({ opcode: Opcode.RDMA_WRITE, sges: [region.sge(0, 8)], ...region.at() });
    bed.engine.faults!.set({ drop: 0 });
    a.send({ opcode: Opcode.RDMA_WRITE, sges: [region.sge(0, 20 * MTU)], ...region.at() });
    bed.advance(1e5);
    expect(sent.filter(isAcknowledge).map(({ packet }) => packet.syndrome < 0x20)).to.deep.equal([false, true]);
  });
});

describe('the window', () => {
  for (const [name, faults] of [
    ['a good network', {}],
    ['a bad network', { seed: 3, drop: 0.05, duplicate: 0.05 }],
  ] as const) {
    it(`is never more than it may be, on ${name}`, () => {
      const bed = Testbed.withPackets({ delay: DELAY_US, ...faults });
      const [a, b] = bed.pair({ sqLog2Count: 6 });
      const region = bed.region(512 * MTU);
      const sent = listenToWire(bed);
      for (let n = 0; n < 8; n++) {
        a.send({ opcode: Opcode.RDMA_WRITE, sges: [region.sge(0, 100 * MTU)], ...region.at(256 * MTU) });
      }
      bed.advance(1e9);
      expect(a.sendCq.poll()).to.have.length(8);
      const most = mostUnderWay(sent, a, b);
      expect(most).to.be.at.most(WINDOW_PACKETS);
      // It is used: else this would be true of a window of one.
      expect(most).to.equal(WINDOW_PACKETS);
    });
  }
});
