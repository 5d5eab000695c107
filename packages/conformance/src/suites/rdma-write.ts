/** RDMA WRITE, with and without immediate data. */
import { expect } from 'chai';
import { AccessFlags, WcFlags, WcOpcode } from '@openverbs/verbs';
import { expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import { expectBytes, fillPattern, pattern, snapshot } from '../bench/payload.ts';
import { send, write, writeImm } from '../bench/requests.ts';
import { defineSuite } from '../define-suite.ts';
import { ALIGNMENTS, LENGTHS, ROOM_BYTES } from './lengths.ts';

/** A key that no region has; operations of no bytes do not look at it. */
const NO_KEY = 0xdeadbeef;

export const rdmaWriteSuite = defineSuite('rdma-write', ['rc', 'rdmaWrite'], (suite) => {
  for (const [from, to] of ALIGNMENTS) {
    suite.works(`whole payloads, from offset ${from} to offset ${to}`, async (bench) => {
      const { a, b } = bench.pair({ bufferBytes: ROOM_BYTES });
      for (const length of LENGTHS) {
        fillPattern(a.bytes, length);
        b.bytes.fill(0xcc);
        a.qp.postSend(write(length, [a.sge(from, length)], b, to));
        await expectCompletions(a.sendCq, { wrId: length, opcode: WcOpcode.RDMA_WRITE, qp: a.qp });
        const expected = new Uint8Array(ROOM_BYTES).fill(0xcc);
        expected.set(a.bytes.subarray(from, from + length), to);
        expectBytes(b.bytes, expected, `${length} bytes written`);
      }
      // The other side is not told.
      expectNoCompletion(b.recvCq);
    });
  }

  suite.works('takes the remote address as a bigint too', async (bench) => {
    const { a, b } = bench.pair();
    fillPattern(a.bytes, 3);
    a.qp.postSend(write(1, [a.sge(0, 8)], b, 0, { remoteAddr: BigInt(b.mr.addr) + 16n }));
    await expectCompletions(a.sendCq, { wrId: 1 });
    expectBytes(b.bytes.subarray(16, 24), pattern(3, 8), 'what was written');
  });

  suite.works('the first and the last byte of a region', async (bench) => {
    const { a, b } = bench.pair();
    const last = b.mr.length - 1;
    fillPattern(a.bytes, 4);
    a.qp.postSend([write(1, [a.sge(0, 1)], b, 0), write(2, [a.sge(1, 1)], b, last)]);
    await expectCompletions(a.sendCq, { wrId: 1 }, { wrId: 2 });
    expect([b.bytes[0], b.bytes[last]]).to.deep.equal([...pattern(4, 2)]);
  });

  suite.works('immediate data takes a receive, and leaves its buffer alone', async (bench) => {
    const { a, b } = bench.pair();
    fillPattern(a.bytes, 5);
    b.bytes.fill(0);
    b.qp.postRecv({ wrId: 7, sgList: [b.sge(4096, 4096)] });
    const unused = snapshot(b.bytes.subarray(4096, 8192), 'the receive buffer');
    a.qp.postSend(writeImm(1, [a.sge(0, 1000)], b, 1, 0xfedcba98));
    const opcode = WcOpcode.RECV_RDMA_WITH_IMM;
    const [wc] = await expectCompletions(b.recvCq, { wrId: 7, opcode, immData: 0xfedcba98, byteLen: 1000, qp: b.qp });
    expect(wc?.wcFlags, 'wcFlags').to.equal(WcFlags.WITH_IMM);
    await expectCompletions(a.sendCq, { wrId: 1, opcode: WcOpcode.RDMA_WRITE });
    expectBytes(b.bytes.subarray(1, 1001), pattern(5, 1000), 'what was written');
    unused.expectUnchanged();
  });

  suite.works('immediate data with no bytes', async (bench) => {
    const { a, b } = bench.pair();
    const memory = snapshot(b.bytes, 'the region');
    b.qp.postRecv({ wrId: 7 });
    a.qp.postSend(writeImm(1, [], b, 0, 1));
    await expectCompletions(b.recvCq, { wrId: 7, opcode: WcOpcode.RECV_RDMA_WITH_IMM, immData: 1, byteLen: 0 });
    await expectCompletions(a.sendCq, { wrId: 1 });
    memory.expectUnchanged();
  });

  suite.works('no bytes need no key and no address', async (bench) => {
    const { a, b } = bench.pair();
    const memory = snapshot(b.bytes, 'the region');
    a.qp.postSend([
      write(1, [], b, 0, { rkey: NO_KEY, remoteAddr: 0 }),
      write(2, [a.sge(0, 0)], b, 0, { rkey: NO_KEY, remoteAddr: 2n ** 64n - 1n }),
    ]);
    await expectCompletions(a.sendCq, { wrId: 1 }, { wrId: 2 });
    memory.expectUnchanged();
  });

  suite.works('takes no receive without immediate data', async (bench) => {
    const { a, b } = bench.pair();
    b.qp.postRecv([{ wrId: 1 }, { wrId: 2 }]);
    a.qp.postSend([write(1, [a.sge(0, 8)], b), send(2, []), write(3, [a.sge(0, 8)], b), send(4, [])]);
    await expectCompletions(a.sendCq, { wrId: 1 }, { wrId: 2 }, { wrId: 3 }, { wrId: 4 });
    await expectCompletions(b.recvCq, { wrId: 1, opcode: WcOpcode.RECV }, { wrId: 2, opcode: WcOpcode.RECV });
  });

  suite.works('needs no more than write access', async (bench) => {
    const access = AccessFlags.LOCAL_WRITE | AccessFlags.REMOTE_WRITE;
    const { a, b } = bench.pair({
      a: { access: 0 },
      b: { access },
      connectionOfA: { qpAccessFlags: 0 },
      connectionOfB: { qpAccessFlags: AccessFlags.REMOTE_WRITE },
    });
    a.qp.postSend(write(1, [a.sge(0, 8)], b));
    await expectCompletions(a.sendCq, { wrId: 1 });
  });

  suite.works('there and back, byte for byte', async (bench) => {
    const { a, b } = bench.pair();
    const shared = b.pd.regMr(b.bytes.subarray(0, 256), AccessFlags.LOCAL_WRITE | AccessFlags.REMOTE_WRITE);
    for (const [from, to] of [
      [0, 7],
      [7, 0],
    ] as const) {
      fillPattern(b.bytes.subarray(0, 256), from);
      const expected = Uint8Array.from(b.bytes.subarray(0, 256)).copyWithin(to, from, from + 100);
      b.qp.postSend(write(1, [shared.sge(from, 100)], a, 0));
      await expectCompletions(b.sendCq, { wrId: 1 });
      a.qp.postSend(write(2, [a.sge(0, 100)], b, to));
      await expectCompletions(a.sendCq, { wrId: 2 });
      expectBytes(b.bytes.subarray(0, 256), expected, 'there and back');
    }
  });
});
