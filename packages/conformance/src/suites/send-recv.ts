/** Sends and receives over RC. */
import { expect } from 'chai';
import { RecvWr, SendFlags, SendWr, Sge, WcFlags, WcOpcode, WrOpcode } from '@openverbs/verbs';
import { completions, expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import { expectBytes, fillPattern, pattern, snapshot } from '../bench/payload.ts';
import { send } from '../bench/requests.ts';
import { defineSuite } from '../define-suite.ts';
import { ALIGNMENTS, LENGTHS, ROOM_BYTES } from './lengths.ts';

export const sendRecvSuite = defineSuite('send-recv', ['rc'], (suite) => {
  for (const [from, to] of ALIGNMENTS) {
    suite.works(`whole payloads, from offset ${from} to offset ${to}`, async (bench) => {
      const { a, b } = bench.pair({ bufferBytes: ROOM_BYTES });
      for (const length of LENGTHS) {
        fillPattern(a.bytes, length);
        b.bytes.fill(0xcc);
        b.qp.postRecv({ wrId: length, sgList: [b.sge(to, length)] });
        a.qp.postSend(send(length, [a.sge(from, length)]));
        await expectCompletions(b.recvCq, { wrId: length, opcode: WcOpcode.RECV, byteLen: length, qp: b.qp });
        await expectCompletions(a.sendCq, { wrId: length, opcode: WcOpcode.SEND, qp: a.qp });
        const expected = new Uint8Array(ROOM_BYTES).fill(0xcc);
        expected.set(a.bytes.subarray(from, from + length), to);
        expectBytes(b.bytes, expected, `${length} bytes received`);
      }
    });
  }

  suite.works('a message of no bytes', async (bench) => {
    const { a, b } = bench.pair();
    const memory = snapshot(b.bytes, 'the receive buffer');
    b.qp.postRecv([
      { wrId: 1, sgList: [] },
      { wrId: 2, sgList: [b.sge(0, 8)] },
      { wrId: 3, sgList: [] },
    ]);
    a.qp.postSend([send(1, []), send(2, []), send(3, [a.sge(0, 0)])]);
    for (const wrId of [1, 2, 3]) {
      await expectCompletions(b.recvCq, { wrId, opcode: WcOpcode.RECV, byteLen: 0 });
      await expectCompletions(a.sendCq, { wrId, opcode: WcOpcode.SEND });
    }
    memory.expectUnchanged();
  });

  suite.works('a receive that is larger than the message', async (bench) => {
    const { a, b } = bench.pair();
    fillPattern(a.bytes, 1);
    b.bytes.fill(0xcc);
    b.qp.postRecv({ wrId: 1, sgList: [b.sge()] });
    a.qp.postSend(send(1, [a.sge(0, 100)]));
    await expectCompletions(b.recvCq, { wrId: 1, byteLen: 100 });
    expectBytes(b.bytes.subarray(0, 100), pattern(1, 100), 'message');
    expect(
      b.bytes.subarray(100).every((byte) => byte === 0xcc),
      'the rest is as it was',
    ).to.equal(true);
  });

  suite.works('immediate data', async (bench) => {
    const { a, b } = bench.pair();
    for (const [wrId, immData] of [0, 1, 0x12345678, 0xffffffff].entries()) {
      b.qp.postRecv({ wrId, sgList: [b.sge(0, 8)] });
      a.qp.postSend(send(wrId, [a.sge(0, 8)], { opcode: WrOpcode.SEND_WITH_IMM, immData }));
      const [wc] = await expectCompletions(b.recvCq, { wrId, opcode: WcOpcode.RECV, immData, byteLen: 8 });
      expect(wc?.wcFlags, 'wcFlags').to.equal(WcFlags.WITH_IMM);
      await expectCompletions(a.sendCq, { wrId, opcode: WcOpcode.SEND });
    }
    b.qp.postRecv({ wrId: 9 });
    a.qp.postSend(send(9, []));
    const [wc] = await expectCompletions(b.recvCq, { wrId: 9 });
    expect(wc?.wcFlags, 'wcFlags without immediate data').to.equal(0);
  });

  suite.works('receives are used in the order of their posting', async (bench) => {
    const { a, b } = bench.pair({ bufferBytes: 64 * 64 });
    for (let wrId = 0; wrId < 32; wrId++) b.qp.postRecv({ wrId, sgList: [b.sge(wrId * 64, 64)] });
    for (let wrId = 0; wrId < 32; wrId++) {
      fillPattern(a.bytes.subarray(wrId * 64, wrId * 64 + 64), wrId);
      a.qp.postSend(send(100 + wrId, [a.sge(wrId * 64, 1 + wrId)]));
    }
    const received = await completions(b.recvCq, 32);
    received.forEach((wc, index) => {
      expect([wc.wrId, wc.byteLen]).to.deep.equal([index, 1 + index]);
      expectBytes(b.bytes.subarray(index * 64, index * 64 + 1 + index), pattern(index, 1 + index), `message ${index}`);
    });
    const sent = await completions(a.sendCq, 32);
    expect(sent.map(({ wrId }) => wrId)).to.deep.equal(received.map(({ wrId }) => 100 + wrId));
  });

  suite.works('both ways at once', async (bench) => {
    const { a, b } = bench.pair();
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      for (let wrId = 0; wrId < 16; wrId++) to.qp.postRecv({ wrId, sgList: [to.sge(wrId * 16, 16)] });
      fillPattern(from.bytes, from === a ? 1 : 2);
    }
    for (let wrId = 0; wrId < 16; wrId++) {
      a.qp.postSend(send(wrId, [a.sge(8192, 16)]));
      b.qp.postSend(send(wrId, [b.sge(8192, 16)]));
    }
    for (const side of [a, b]) {
      const received = await completions(side.recvCq, 16);
      expect(received.map(({ wrId }) => wrId)).to.deep.equal(Array.from({ length: 16 }, (_, wrId) => wrId));
    }
    expectBytes(b.bytes.subarray(0, 16), a.bytes.subarray(8192, 8208), 'what b received');
    expectBytes(a.bytes.subarray(0, 16), b.bytes.subarray(8192, 8208), 'what a received');
  });

  suite.works('sends that are not signaled complete silently, and free their slots', async (bench) => {
    const { a, b } = bench.pair();
    const { maxSendWr } = a.qp.cap;
    // Two queues full: it only works if the signaled completion frees the slots of the silent ones before it.
    for (let round = 0; round < 2; round++) {
      for (let index = 1; index <= maxSendWr; index++) {
        b.qp.postRecv({ wrId: index });
        const sendFlags = index === maxSendWr ? SendFlags.SIGNALED : 0;
        a.qp.postSend(send(index, [], { sendFlags }));
        await expectCompletions(b.recvCq, { wrId: index });
      }
      await expectCompletions(a.sendCq, { wrId: maxSendWr });
      expectNoCompletion(a.sendCq);
    }
  });

  suite.works('sqSigAll signals every send', async (bench) => {
    const { a, b } = bench.pair({ sqSigAll: true });
    b.qp.postRecv([{ wrId: 1 }, { wrId: 2 }]);
    a.qp.postSend([send(1, [], { sendFlags: 0 }), send(2, [], { sendFlags: 0 })]);
    await expectCompletions(a.sendCq, { wrId: 1 }, { wrId: 2 });
  });

  suite.works('the wrId comes back, whatever it is', async (bench) => {
    const { a, b } = bench.pair();
    for (const wrId of [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
      b.qp.postRecv({ wrId });
      a.qp.postSend(send(wrId, []));
      await expectCompletions(b.recvCq, { wrId });
      await expectCompletions(a.sendCq, { wrId });
    }
  });

  suite.works('chains, by array and by next', async (bench) => {
    const { a, b } = bench.pair();
    b.qp.postRecv([{ wrId: 1 }, { wrId: 2 }]);
    b.qp.postRecv({ wrId: 3, next: { wrId: 4 } });
    a.qp.postSend(send(11, [], { next: send(12, [], { next: send(13, []) }) }));
    a.qp.postSend([send(14, [])]);
    await expectCompletions(b.recvCq, { wrId: 1 }, { wrId: 2 }, { wrId: 3 }, { wrId: 4 });
    await expectCompletions(a.sendCq, { wrId: 11 }, { wrId: 12 }, { wrId: 13 }, { wrId: 14 });
  });

  suite.works('work requests that are used again and again', async (bench) => {
    const { a, b } = bench.pair();
    const recv = new RecvWr();
    const wr = new SendWr({ sendFlags: SendFlags.SIGNALED, sgList: [new Sge()] });
    for (let wrId = 0; wrId < 50; wrId++) {
      fillPattern(a.bytes.subarray(0, 100), wrId);
      recv.wrId = wr.wrId = wrId;
      recv.sgList = [b.sge(wrId, 100)];
      wr.sgList = [a.sge(0, 100)];
      b.qp.postRecv(recv);
      a.qp.postSend(wr);
      await expectCompletions(b.recvCq, { wrId, byteLen: 100 });
      await expectCompletions(a.sendCq, { wrId });
      expectBytes(b.bytes.subarray(wrId, wrId + 100), pattern(wrId, 100), 'message');
    }
  });

  suite.works('a queue goes round many times, with work outstanding all the time', async (bench) => {
    const { a, b } = bench.pair({ cap: { maxSendWr: 5, maxRecvWr: 5 } });
    const messages = 300;
    let posted = 0;
    const post = (): void => {
      b.qp.postRecv({ wrId: posted, sgList: [b.sge(0, 8)] });
      a.qp.postSend(send(posted++, [a.sge(0, 8)]));
    };
    for (let index = 0; index < 4; index++) post();
    for (let wrId = 0; wrId < messages; wrId++) {
      await expectCompletions(b.recvCq, { wrId });
      await expectCompletions(a.sendCq, { wrId });
      if (posted < messages) post();
    }
  });

  suite.works('a region with no access at all can be sent from', async (bench) => {
    const { a, b } = bench.pair({ a: { access: 0 } });
    b.qp.postRecv({ wrId: 1, sgList: [b.sge(0, 8)] });
    a.qp.postSend(send(1, [a.sge(0, 8)]));
    await expectCompletions(a.sendCq, { wrId: 1 });
  });

  suite.works('a receive needs no remote access', async (bench) => {
    const { a, b } = bench.pair({ b: { access: 1 }, connectionOfB: { qpAccessFlags: 0 } });
    b.qp.postRecv({ wrId: 1, sgList: [b.sge(0, 8)] });
    a.qp.postSend(send(1, [a.sge(0, 8)]));
    await expectCompletions(b.recvCq, { wrId: 1, byteLen: 8 });
  });
});
