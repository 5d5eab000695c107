/** Inline data: IBV_SEND_INLINE (ibv_post_send). */
import { expect } from 'chai';
import { SendFlags, WcOpcode, WrOpcode } from '@openverbs/verbs';
import type { Bench } from '../bench/bench.ts';
import { expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import { expectError } from '../bench/errors.ts';
import { expectBytes, fillPattern, pattern } from '../bench/payload.ts';
import { fetchAndAdd, read, send, write } from '../bench/requests.ts';
import type { Side } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';

const ASKED_BYTES = 32;
const INLINE = { sendFlags: SendFlags.SIGNALED | SendFlags.INLINE };

function inlinePair(bench: Bench): { a: Side; b: Side; max: number } {
  const { a, b } = bench.pair({ cap: { maxInlineData: ASKED_BYTES, maxSendSge: 2 } });
  const max = a.qp.cap.maxInlineData;
  expect(max, 'maxInlineData').to.be.at.least(ASKED_BYTES);
  return { a, b, max };
}

export const inlineSuite = defineSuite('inline', ['rc', 'inlineData'], (suite) => {
  suite.works('sends of every length that fits', async (bench) => {
    const { a, b, max } = inlinePair(bench);
    for (let length = 0; length <= max; length++) {
      fillPattern(a.bytes.subarray(1, 1 + length), length);
      b.bytes.fill(0xcc, 0, max + 8);
      b.qp.postRecv({ wrId: length, sgList: [b.sge(3, max + 1)] });
      a.qp.postSend(send(length, [a.sge(1, length)], INLINE));
      await expectCompletions(b.recvCq, { wrId: length, opcode: WcOpcode.RECV, byteLen: length });
      await expectCompletions(a.sendCq, { wrId: length, opcode: WcOpcode.SEND });
      expectBytes(b.bytes.subarray(3, 3 + length), pattern(length, length), 'message');
      expect(b.bytes[3 + length], 'the byte behind the message').to.equal(0xcc);
    }
  });

  suite.works('writes of every length that fits', ['rdmaWrite'], async (bench) => {
    const { a, b, max } = inlinePair(bench);
    for (let length = 0; length <= max; length++) {
      fillPattern(a.bytes.subarray(1, 1 + length), length);
      b.bytes.fill(0xcc, 0, max + 8);
      a.qp.postSend(write(length, [a.sge(1, length)], b, 5, INLINE));
      await expectCompletions(a.sendCq, { wrId: length, opcode: WcOpcode.RDMA_WRITE });
      expectBytes(b.bytes.subarray(5, 5 + length), pattern(length, length), 'what was written');
      expect(b.bytes[5 + length], 'the byte behind').to.equal(0xcc);
    }
  });

  suite.works('gathers several pieces', async (bench) => {
    const { a, b } = inlinePair(bench);
    fillPattern(a.bytes, 1);
    b.qp.postRecv({ wrId: 1, sgList: [b.sge(0, ASKED_BYTES)] });
    a.qp.postSend(send(1, [a.sge(100, 9), a.sge(7, 20)], INLINE));
    await expectCompletions(b.recvCq, { wrId: 1, byteLen: 29 });
    const expected = Uint8Array.of(...a.bytes.subarray(100, 109), ...a.bytes.subarray(7, 27));
    expectBytes(b.bytes.subarray(0, 29), expected, 'message');
  });

  suite.works('carries immediate data', async (bench) => {
    const { a, b } = inlinePair(bench);
    b.qp.postRecv({ wrId: 1, sgList: [b.sge(0, 8)] });
    a.qp.postSend(send(1, [a.sge(0, 8)], { ...INLINE, opcode: WrOpcode.SEND_WITH_IMM, immData: 77 }));
    await expectCompletions(b.recvCq, { wrId: 1, immData: 77, byteLen: 8 });
  });

  suite.works('the source is free when the post returns', async (bench) => {
    const { a, b } = inlinePair(bench);
    // Nobody has posted a receive, so nothing can have left yet; what is sent is what was there at the post.
    for (let wrId = 0; wrId < 8; wrId++) {
      fillPattern(a.bytes.subarray(0, ASKED_BYTES), wrId);
      a.qp.postSend(send(wrId, [a.sge(0, ASKED_BYTES)], INLINE));
      a.bytes.fill(0xff, 0, ASKED_BYTES);
    }
    for (let wrId = 0; wrId < 8; wrId++) {
      b.qp.postRecv({ wrId, sgList: [b.sge(0, ASKED_BYTES)] });
      await expectCompletions(b.recvCq, { wrId, byteLen: ASKED_BYTES });
      expectBytes(b.bytes.subarray(0, ASKED_BYTES), pattern(wrId, ASKED_BYTES), 'message');
    }
  });

  suite.works('the lkey is not looked at', async (bench) => {
    const { a, b } = inlinePair(bench);
    fillPattern(a.bytes.subarray(0, 8), 1);
    b.qp.postRecv({ wrId: 1, sgList: [b.sge(0, 8)] });
    a.qp.postSend(send(1, [{ addr: a.mr.addr, length: 8, lkey: 0xdeadbeef }], INLINE));
    await expectCompletions(b.recvCq, { wrId: 1, byteLen: 8 });
    await expectCompletions(a.sendCq, { wrId: 1 });
    expectBytes(b.bytes.subarray(0, 8), pattern(1, 8), 'message');
  });

  suite.works('the source may be memory of another context', ['dmaBuffers'], async (bench) => {
    const { a, b } = inlinePair(bench);
    const source = bench.open().allocBuf(64);
    fillPattern(source.bytes, 1);
    b.qp.postRecv({ wrId: 1, sgList: [b.sge(0, 8)] });
    a.qp.postSend(send(1, [{ addr: source.addr, length: 8, lkey: 0 }], INLINE));
    await expectCompletions(b.recvCq, { wrId: 1, byteLen: 8 });
    expectBytes(b.bytes.subarray(0, 8), pattern(1, 8), 'message');
  });

  suite.provokes('refuses more than fits, in one piece or in several', (bench) => {
    const { a, max } = inlinePair(bench);
    for (const sgList of [[a.sge(0, max + 1)], [a.sge(0, max), a.sge(0, 1)], [a.sge(0, 1), a.sge(0, max)]]) {
      const error = expectError('EINVAL', () => {
        a.qp.postSend(send(1, sgList, INLINE));
      });
      expect(error.details?.['badWrIndex'], 'badWrIndex').to.equal(0);
    }
    expectNoCompletion(a.sendCq);
  });

  suite.provokes('refuses operations that write to the local memory', ['rdmaRead'], (bench) => {
    const { a, b } = inlinePair(bench);
    expectError('EINVAL', () => {
      a.qp.postSend(read(1, [a.sge(0, 8)], b, 0, INLINE));
    });
    if (bench.supports('atomics')) {
      expectError('EINVAL', () => {
        a.qp.postSend(fetchAndAdd(1, [a.sge(0, 8)], b, 0, 1n, INLINE));
      });
    }
    expectNoCompletion(a.sendCq);
  });
});
