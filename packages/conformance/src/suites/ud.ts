/** Unreliable datagrams (IBTA 9.8.3): what arrives, and with what in front of it. */
import { expect } from 'chai';
import {
  Gid,
  LinkLayer,
  QpState,
  QpType,
  SendFlags,
  WcFlags,
  WcOpcode,
  WcStatus,
  WrOpcode,
  type SendWrInit,
  type WorkCompletion,
} from '@openverbs/verbs';
import { completions, expectCompletions } from '../bench/completions.ts';
import { GRH_BYTES, ahTo, bringDatagramsTo, datagram, datagramPair, datagramSide, mtuOf } from '../bench/datagrams.ts';
import { expectBytes, fillPattern, pattern } from '../bench/payload.ts';
import type { Side } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';

const { WR_FLUSH_ERR } = WcStatus;
const LENGTHS = [0, 1, 2, 3, 7, 8, 9, 63, 64, 65, 255, 256, 257, 1023, 1024];

/** What the receiver knows of the sender. */
function expectSource(wc: WorkCompletion, from: Side, wcFlags: number): void {
  expect([wc.wcFlags, wc.srcQp, wc.sl, wc.slid, wc.dlidPathBits], 'flags, QP, SL, LID, path bits').to.deep.equal([
    wcFlags,
    from.qp.qpNum,
    0,
    from.context.queryPort(1).lid,
    0,
  ]);
}

export const udSuite = defineSuite('ud', ['ud'], (suite) => {
  suite.works('whole payloads, behind 40 bytes', async (bench) => {
    const { a, b } = datagramPair(bench);
    const ah = ahTo(a, b);
    for (const length of [...LENGTHS, mtuOf(a) - 1, mtuOf(a)]) {
      fillPattern(a.bytes, length);
      b.bytes.fill(0xcc);
      b.qp.postRecv({ wrId: length, sgList: [b.sge(3, GRH_BYTES + length)] });
      a.qp.postSend(datagram(length, [a.sge(1, length)], ah, b.qp));
      const byteLen = GRH_BYTES + length;
      const [wc] = await expectCompletions(b.recvCq, { wrId: length, opcode: WcOpcode.RECV, byteLen, qp: b.qp });
      expectSource(wc, a, WcFlags.GRH);
      await expectCompletions(a.sendCq, { wrId: length, opcode: WcOpcode.SEND, qp: a.qp });
      const end = 3 + byteLen;
      expectBytes(b.bytes.subarray(3 + GRH_BYTES, end), a.bytes.subarray(1, 1 + length), `${length} bytes`);
      expect(
        b.bytes.subarray(end, end + 64).every((byte) => byte === 0xcc),
        'memory behind the message',
      ).to.equal(true);
    }
  });

  suite.works('immediate data', async (bench) => {
    const { a, b } = datagramPair(bench);
    const ah = ahTo(a, b);
    for (const [wrId, immData] of [0, 1, 0x12345678, 0xffffffff].entries()) {
      b.qp.postRecv({ wrId, sgList: [b.sge(0, 48)] });
      a.qp.postSend(datagram(wrId, [a.sge(0, 8)], ah, b.qp, { opcode: WrOpcode.SEND_WITH_IMM, immData }));
      const [wc] = await expectCompletions(b.recvCq, { wrId, opcode: WcOpcode.RECV, immData, byteLen: 48 });
      expectSource(wc, a, WcFlags.GRH | WcFlags.WITH_IMM);
    }
  });

  suite.works('inline data', ['inlineData'], async (bench) => {
    const a = datagramSide(bench, { cap: { maxInlineData: 32 } });
    const b = datagramSide(bench, { device: bench.peerDevice });
    b.qp.postRecv({ wrId: 1, sgList: [b.sge(0, GRH_BYTES + 32)] });
    const sendFlags = SendFlags.SIGNALED;
    a.qp.postSend(datagram(1, [], ahTo(a, b), b.qp, { inlineData: pattern(3, 32), sendFlags }));
    await expectCompletions(b.recvCq, { wrId: 1, byteLen: GRH_BYTES + 32 });
    expectBytes(b.bytes.subarray(GRH_BYTES, GRH_BYTES + 32), pattern(3, 32), 'message');
  });

  suite.works('pieces at either end, the header across two of them', async (bench) => {
    const { a, b } = datagramPair(bench);
    fillPattern(a.bytes, 1);
    b.qp.postRecv([
      { wrId: 1, sgList: [b.sge(0, GRH_BYTES), b.sge(100, 200)] },
      { wrId: 2, sgList: [b.sge(500, 7), b.sge(1000, 200)] },
    ]);
    const request = (wrId: number): SendWrInit => datagram(wrId, [a.sge(0, 50), a.sge(50, 57)], ahTo(a, b), b.qp);
    a.qp.postSend([request(1), request(2)]);
    await expectCompletions(b.recvCq, { wrId: 1, byteLen: 147 }, { wrId: 2, byteLen: 147 });
    expectBytes(b.bytes.subarray(100, 207), pattern(1, 107), 'first message');
    expectBytes(b.bytes.subarray(1033, 1140), pattern(1, 107), 'second message');
    expectBytes(b.bytes.subarray(1000, 1033), b.bytes.slice(7, 40), 'the rest of the second header');
    expectBytes(b.bytes.subarray(500, 507), b.bytes.slice(0, 7), 'the begin of the second header');
  });

  suite.works('the header tells source, destination, class, label, hops and length', async (bench) => {
    const { a, b } = datagramPair(bench);
    const [here, there] = [a.qp.endpoint(), b.qp.endpoint()];
    if (Gid.parse(there.gid).isIpv4Mapped) return; // then it is the header of IPv4
    const grh = { dgid: there.gid, sgidIndex: here.gidIndex, flowLabel: 0xabcde, trafficClass: 0x5a, hopLimit: 9 };
    const ah = a.pd.createAh({ grh, sl: 5 });
    b.bytes.fill(0xcc);
    b.qp.postRecv({ wrId: 1, sgList: [b.sge(0, GRH_BYTES + 5)] });
    a.qp.postSend(datagram(1, [a.sge(0, 5)], ah, b.qp));
    const [wc] = await expectCompletions(b.recvCq, { wrId: 1 });
    expect(wc.srcQp, 'QP').to.equal(a.qp.qpNum);
    // On Ethernet the service level is the priority of a VLAN, which a frame without a tag has not.
    const isEthernet = b.context.queryPort(1).linkLayer === LinkLayer.ETHERNET;
    expect(wc.sl, 'service level').to.be.oneOf(isEthernet ? [0, 5] : [5]);
    const view = new DataView(b.bytes.buffer, b.bytes.byteOffset, GRH_BYTES);
    expect(view.getUint32(0), 'version, class, label').to.equal(0x65aabcde);
    // UDP 8, BTH 12, DETH 8, 5 bytes and 3 of padding, ICRC 4.
    expect([view.getUint16(4), view.getUint8(6), view.getUint8(7)], 'length, UDP, hops').to.deep.equal([40, 17, 9]);
    expect(new Gid(b.bytes.subarray(8, 24)).toString(), 'source').to.equal(here.gid);
    expect(new Gid(b.bytes.subarray(24, 40)).toString(), 'destination').to.equal(there.gid);
  });

  suite.works('one QP sends to many, and many to one', async (bench) => {
    const hub = datagramSide(bench);
    const others = Array.from({ length: 5 }, () => datagramSide(bench, { device: bench.peerDevice }));
    for (const [index, other] of others.entries()) {
      fillPattern(other.bytes, index);
      other.qp.postRecv({ wrId: index, sgList: [other.sge(8192, GRH_BYTES + 4)] });
      hub.qp.postRecv({ wrId: index, sgList: [hub.sge(8192 + index * 256, 256)] });
      hub.qp.postSend(datagram(index, [hub.sge(0, 4)], ahTo(hub, other), other.qp));
      await expectCompletions(other.recvCq, { wrId: index });
      other.qp.postSend(datagram(index, [other.sge(0, 100)], ahTo(other, hub), hub.qp));
      const [wc] = await expectCompletions(hub.recvCq, { wrId: index, byteLen: GRH_BYTES + 100 });
      expect(wc.srcQp).to.equal(other.qp.qpNum);
      const at = 8192 + index * 256 + GRH_BYTES;
      expectBytes(hub.bytes.subarray(at, at + 100), pattern(index, 100), `message ${index}`);
    }
  });

  suite.works('a QP sends to itself', async (bench) => {
    const side = datagramSide(bench);
    const ah = ahTo(side, side);
    for (let wrId = 0; wrId < 40; wrId++) {
      fillPattern(side.bytes.subarray(0, 100), wrId);
      side.qp.postRecv({ wrId, sgList: [side.sge(4096, 200)] });
      side.qp.postSend(datagram(100 + wrId, [side.sge(0, 100)], ah, side.qp));
      await expectCompletions(side.recvCq, { wrId, byteLen: GRH_BYTES + 100 });
      await expectCompletions(side.sendCq, { wrId: 100 + wrId });
      expectBytes(side.bytes.subarray(4096 + GRH_BYTES, 4096 + GRH_BYTES + 100), pattern(wrId, 100), 'message');
    }
  });

  suite.works('the extended form', async (bench) => {
    const { a, b } = datagramPair(bench);
    const ah = ahTo(a, b);
    b.qp.postRecv({ wrId: 1, sgList: [b.sge(0, 64)] });
    a.qp.wrStart();
    a.qp.wrId = 7;
    a.qp.wrFlags = SendFlags.SIGNALED;
    a.qp.wrSendImm(99);
    a.qp.wrSetUdAddr(ah, b.qp.qpNum, 0x11111111);
    a.qp.wrSetSge(a.mr.lkey, a.mr.addr, 24);
    a.qp.wrComplete();
    await expectCompletions(a.sendCq, { wrId: 7 });
    await expectCompletions(b.recvCq, { wrId: 1, byteLen: 64, immData: 99 });
  });

  suite.works('solicited datagrams raise the event', ['completionEvents'], async (bench) => {
    const a = datagramSide(bench);
    const b = datagramSide(bench, { device: bench.peerDevice, withChannels: true });
    b.recvCq.reqNotify(true);
    b.qp.postRecv({ wrId: 1, sgList: [b.sge(0, 64)] });
    a.qp.postSend(datagram(1, [], ahTo(a, b), b.qp, { sendFlags: SendFlags.SIGNALED | SendFlags.SOLICITED }));
    expect(await b.recvCq.channel?.getCqEvent()).to.equal(b.recvCq);
    b.recvCq.ackEvents(1);
  });

  suite.works('receives are taken in RTR, RTS and SQD', ['sqDrain'], async (bench) => {
    const a = datagramSide(bench);
    for (const state of [QpState.RTR, QpState.RTS, QpState.SQD]) {
      const b = bench.side({ qpType: QpType.UD, device: bench.peerDevice });
      bringDatagramsTo(state, b.qp);
      b.qp.postRecv({ wrId: 1, sgList: [b.sge(0, 64)] });
      a.qp.postSend(datagram(1, [], ahTo(a, b), b.qp));
      await expectCompletions(b.recvCq, { wrId: 1, byteLen: GRH_BYTES });
      expect(b.qp.query().attr.qpState).to.equal(state);
    }
  });

  suite.works('the queue of a QP in ERR is flushed', async (bench) => {
    const { a, b } = datagramPair(bench);
    a.qp.postRecv({ wrId: 1 });
    a.qp.modify({ qpState: QpState.ERR });
    a.qp.postSend(datagram(2, [], ahTo(a, b), b.qp));
    await expectCompletions(a.recvCq, { wrId: 1, status: WR_FLUSH_ERR });
    await expectCompletions(a.sendCq, { wrId: 2, status: WR_FLUSH_ERR });
  });

  suite.works('shares a CQ with a connection', ['rc'], async (bench) => {
    const context = bench.open();
    const cq = context.createCq({ cqe: 8 });
    const side = datagramSide(bench, { context, cq });
    const { b } = bench.pair({ a: { context, cq }, b: { context, cq, device: bench.device } });
    for (let wrId = 0; wrId < 30; wrId++) {
      side.qp.postRecv({ wrId, sgList: [side.sge(0, 64)] });
      side.qp.postSend(datagram(100, [], ahTo(side, side), side.qp, { sendFlags: 0 }));
      const [wc] = await completions(cq, 1);
      expect([wc.qpNum, wc.srcQp, wc.wcFlags]).to.deep.equal([side.qp.qpNum, side.qp.qpNum, WcFlags.GRH]);
      b.qp.postSend({ wrId, sendFlags: SendFlags.SIGNALED, opcode: WrOpcode.RDMA_WRITE });
      const [sent] = await completions(cq, 1);
      expect([sent.qpNum, sent.wcFlags, sent.sl, sent.pkeyIndex]).to.deep.equal([b.qp.qpNum, 0, 0, 0]);
    }
  });
});
