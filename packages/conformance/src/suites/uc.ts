/** Unreliable connections: sends and writes without an answer (IBTA 9.8). */
import { expect } from 'chai';
import {
  AccessFlags,
  EventType,
  QpState,
  QpType,
  SendFlags,
  WcFlags,
  WcOpcode,
  WrOpcode,
  connectPair,
} from '@openverbs/verbs';
import { expectAsyncEvent } from '../bench/async-events.ts';
import type { Bench, PairOptions } from '../bench/bench.ts';
import { completions, expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import { bringTo } from '../bench/connect.ts';
import { expectBytes, fillPattern, pattern, snapshot } from '../bench/payload.ts';
import { send, write, writeImm } from '../bench/requests.ts';
import type { Side } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';
import { ALIGNMENTS, LENGTHS, ROOM_BYTES } from './lengths.ts';

/** Two connected UC queue pairs. */
export function ucPair(bench: Bench, options: PairOptions = {}): { a: Side; b: Side } {
  return bench.pair({ qpType: QpType.UC, ...options });
}

export const ucSuite = defineSuite('uc', ['uc'], (suite) => {
  for (const [from, to] of ALIGNMENTS) {
    suite.works(`whole payloads by SEND, from offset ${from} to offset ${to}`, async (bench) => {
      const { a, b } = ucPair(bench, { bufferBytes: ROOM_BYTES });
      for (const length of LENGTHS) {
        fillPattern(a.bytes, length);
        b.bytes.fill(0xcc);
        b.qp.postRecv({ wrId: length, sgList: [b.sge(to, length)] });
        a.qp.postSend(send(length, [a.sge(from, length)]));
        const [wc] = await expectCompletions(b.recvCq, {
          wrId: length,
          opcode: WcOpcode.RECV,
          byteLen: length,
          qp: b.qp,
        });
        expect(wc.wcFlags, 'wcFlags').to.equal(0);
        await expectCompletions(a.sendCq, { wrId: length, opcode: WcOpcode.SEND, qp: a.qp });
        const expected = new Uint8Array(ROOM_BYTES).fill(0xcc);
        expected.set(a.bytes.subarray(from, from + length), to);
        expectBytes(b.bytes, expected, `${length} bytes received`);
      }
    });
  }

  suite.works('immediate data with a SEND', async (bench) => {
    const { a, b } = ucPair(bench);
    for (const [wrId, immData] of [0, 1, 0x12345678, 0xffffffff].entries()) {
      b.qp.postRecv({ wrId, sgList: [b.sge(0, 8)] });
      a.qp.postSend(send(wrId, [a.sge(0, 8)], { opcode: WrOpcode.SEND_WITH_IMM, immData }));
      const [wc] = await expectCompletions(b.recvCq, { wrId, opcode: WcOpcode.RECV, immData, byteLen: 8 });
      expect(wc.wcFlags, 'wcFlags').to.equal(WcFlags.WITH_IMM);
      await expectCompletions(a.sendCq, { wrId, opcode: WcOpcode.SEND });
    }
  });

  suite.works('messages of no bytes', async (bench) => {
    const { a, b } = ucPair(bench);
    const memory = snapshot(b.bytes, 'the receive buffer');
    b.qp.postRecv([{ wrId: 1 }, { wrId: 2, sgList: [b.sge(0, 8)] }]);
    a.qp.postSend([send(1, []), send(2, [a.sge(0, 0)])]);
    await expectCompletions(b.recvCq, { wrId: 1, byteLen: 0 }, { wrId: 2, byteLen: 0 });
    await expectCompletions(a.sendCq, { wrId: 1 }, { wrId: 2 });
    memory.expectUnchanged();
  });

  suite.works('RDMA WRITE takes no receive and tells nobody', ['rdmaWrite'], async (bench) => {
    const { a, b } = ucPair(bench, { bufferBytes: ROOM_BYTES });
    for (const length of LENGTHS) {
      fillPattern(a.bytes, length);
      b.bytes.fill(0xcc);
      a.qp.postSend(write(length, [a.sge(3, length)], b, 5));
      await expectCompletions(a.sendCq, { wrId: length, opcode: WcOpcode.RDMA_WRITE });
      const expected = new Uint8Array(ROOM_BYTES).fill(0xcc);
      expected.set(a.bytes.subarray(3, 3 + length), 5);
      expectBytes(b.bytes, expected, `${length} bytes written`);
    }
    expectNoCompletion(b.recvCq);
  });

  suite.works('RDMA WRITE with immediate data takes a receive', ['rdmaWrite'], async (bench) => {
    const { a, b } = ucPair(bench);
    fillPattern(a.bytes, 1);
    b.qp.postRecv({ wrId: 7, sgList: [b.sge(8192, 8)] });
    a.qp.postSend(writeImm(1, [a.sge(0, 1000)], b, 100, 0xabcdef01));
    const opcode = WcOpcode.RECV_RDMA_WITH_IMM;
    const [wc] = await expectCompletions(b.recvCq, { wrId: 7, opcode, immData: 0xabcdef01, byteLen: 1000 });
    expect(wc.wcFlags, 'wcFlags').to.equal(WcFlags.WITH_IMM);
    await expectCompletions(a.sendCq, { wrId: 1, opcode: WcOpcode.RDMA_WRITE });
    expectBytes(b.bytes.subarray(100, 1100), pattern(1, 1000), 'what was written');
  });

  suite.works('inline data', ['inlineData'], async (bench) => {
    const { a, b } = ucPair(bench, { cap: { maxInlineData: 32 } });
    b.qp.postRecv({ wrId: 1, sgList: [b.sge(0, 32)] });
    a.qp.postSend({ wrId: 1, sendFlags: SendFlags.SIGNALED, inlineData: pattern(3, 32) });
    await expectCompletions(b.recvCq, { wrId: 1, byteLen: 32 });
    expectBytes(b.bytes.subarray(0, 32), pattern(3, 32), 'message');
  });

  suite.works('several pieces at either end', async (bench) => {
    const { a, b } = ucPair(bench);
    fillPattern(a.bytes, 1);
    b.qp.postRecv({ wrId: 1, sgList: [b.sge(0, 7), b.sge(100, 200)] });
    a.qp.postSend(send(1, [a.sge(0, 50), a.sge(50, 57)]));
    await expectCompletions(b.recvCq, { wrId: 1, byteLen: 107 });
    expectBytes(b.bytes.subarray(0, 7), pattern(1, 107).subarray(0, 7), 'first piece');
    expectBytes(b.bytes.subarray(100, 200), pattern(1, 107).subarray(7), 'second piece');
  });

  suite.works('both ways at once, many times round the queues', async (bench) => {
    const { a, b } = ucPair(bench, { cap: { maxSendWr: 5, maxRecvWr: 5 } });
    for (let wrId = 0; wrId < 200; wrId++) {
      for (const [from, to] of [
        [a, b],
        [b, a],
      ] as const) {
        to.qp.postRecv({ wrId, sgList: [to.sge(0, 16)] });
        from.qp.postSend(send(wrId, [from.sge(8192, 16)]));
      }
      for (const side of [a, b]) {
        await expectCompletions(side.recvCq, { wrId, byteLen: 16 });
        await expectCompletions(side.sendCq, { wrId });
      }
    }
  });

  suite.works('sends that are not signaled free their slots', async (bench) => {
    const { a, b } = ucPair(bench);
    const { maxSendWr } = a.qp.cap;
    for (let round = 0; round < 2; round++) {
      for (let index = 1; index <= maxSendWr; index++) {
        b.qp.postRecv({ wrId: index });
        a.qp.postSend(send(index, [], { sendFlags: index === maxSendWr ? SendFlags.SIGNALED : 0 }));
        await expectCompletions(b.recvCq, { wrId: index });
      }
      await expectCompletions(a.sendCq, { wrId: maxSendWr });
      expectNoCompletion(a.sendCq);
    }
  });

  suite.works('is connected by connectPair, also to itself', async (bench) => {
    const { a, b } = ucPair(bench, { connected: false });
    connectPair(a.qp, b.qp);
    const lone = bench.side({ qpType: QpType.UC });
    connectPair(lone.qp, lone.qp);
    for (const [from, to] of [
      [a, b],
      [lone, lone],
    ] as const) {
      to.qp.postRecv({ wrId: 2, sgList: [to.sge(0, 8)] });
      from.qp.postSend(send(1, [from.sge(8, 8)]));
      await expectCompletions(from.sendCq, { wrId: 1 });
      await expectCompletions(to.recvCq, { wrId: 2, byteLen: 8 });
    }
  });

  suite.works('two QPs over the same CQ', async (bench) => {
    const context = bench.open();
    const cq = context.createCq({ cqe: 32 });
    const { a, b } = ucPair(bench, { a: { context, cq }, b: { context, cq, device: bench.device } });
    b.qp.postRecv({ wrId: 1, sgList: [b.sge(0, 8)] });
    a.qp.postSend(send(2, [a.sge(0, 8)]));
    const found = await completions(cq, 2);
    expect(found.map(({ wrId, qpNum }) => [wrId, qpNum])).to.have.deep.members([
      [1, b.qp.qpNum],
      [2, a.qp.qpNum],
    ]);
  });

  suite.works('a solicited message raises the event', ['completionEvents'], async (bench) => {
    const { a, b } = ucPair(bench, { b: { withChannels: true } });
    b.recvCq.reqNotify(true);
    b.qp.postRecv([{ wrId: 1 }, { wrId: 2 }]);
    a.qp.postSend(send(1, []));
    await expectCompletions(b.recvCq, { wrId: 1 });
    expect(b.recvCq.channel?.tryGetCqEvent() ?? null, 'event of the unsolicited one').to.equal(null);
    a.qp.postSend(send(2, [], { sendFlags: SendFlags.SIGNALED | SendFlags.SOLICITED }));
    await expectCompletions(b.recvCq, { wrId: 2 });
    const cq = await b.recvCq.channel?.getCqEvent();
    expect(cq).to.equal(b.recvCq);
    b.recvCq.ackEvents(1);
  });

  suite.works('the first message in RTR raises COMM_EST', ['asyncEvents'], async (bench) => {
    const { a, b } = ucPair(bench, { connected: false });
    bringTo(QpState.RTR, b.qp, a.qp);
    bringTo(QpState.RTS, a.qp, b.qp);
    b.qp.postRecv([{ wrId: 1 }, { wrId: 2 }]);
    a.qp.postSend([send(1, []), send(2, [])]);
    await expectCompletions(b.recvCq, { wrId: 1 }, { wrId: 2 });
    await expectAsyncEvent(b.context, EventType.COMM_EST, b.qp);
    expect(b.context.tryGetAsyncEvent(), 'a second one').to.equal(null);
  });

  suite.works('in SQD it sends nothing until it is in RTS again', ['sqDrain'], async (bench) => {
    const { a, b } = ucPair(bench);
    a.qp.modify({ qpState: QpState.SQD });
    b.qp.postRecv({ wrId: 1 });
    a.qp.postRecv({ wrId: 2 });
    a.qp.postSend(send(3, []));
    b.qp.postSend(send(4, []));
    await expectCompletions(a.recvCq, { wrId: 2 });
    expectNoCompletion(a.sendCq);
    a.qp.modify({ qpState: QpState.RTS });
    await expectCompletions(a.sendCq, { wrId: 3 });
    await expectCompletions(b.recvCq, { wrId: 1 });
  });

  suite.works('writes count once the QP allows them', ['rdmaWrite'], async (bench) => {
    const { a, b } = ucPair(bench, { connectionOfB: { qpAccessFlags: 0 } });
    const memory = snapshot(b.bytes, 'memory there');
    a.qp.postSend(write(1, [a.sge(0, 8)], b));
    await expectCompletions(a.sendCq, { wrId: 1 });
    memory.expectUnchanged();
    b.qp.modify({ qpAccessFlags: AccessFlags.REMOTE_WRITE });
    fillPattern(a.bytes, 5);
    a.qp.postSend(write(2, [a.sge(0, 8)], b));
    await expectCompletions(a.sendCq, { wrId: 2 });
    expectBytes(b.bytes.subarray(0, 8), pattern(5, 8), 'what was written');
  });
});
