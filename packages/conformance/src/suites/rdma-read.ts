/** RDMA READ. */
import { AccessFlags, WcOpcode } from '@openverbs/verbs';
import { completions, expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import { expectBytes, fillPattern, pattern, snapshot } from '../bench/payload.ts';
import { read } from '../bench/requests.ts';
import { defineSuite } from '../define-suite.ts';
import { ALIGNMENTS, LENGTHS, ROOM_BYTES } from './lengths.ts';

export const rdmaReadSuite = defineSuite('rdma-read', ['rc', 'rdmaRead'], (suite) => {
  for (const [from, to] of ALIGNMENTS) {
    suite.works(`whole payloads, from offset ${from} to offset ${to}`, async (bench) => {
      const { a, b } = bench.pair({ bufferBytes: ROOM_BYTES });
      for (const length of LENGTHS) {
        fillPattern(b.bytes, length);
        a.bytes.fill(0xcc);
        const source = snapshot(b.bytes, 'the region that is read');
        a.qp.postSend(read(length, [a.sge(to, length)], b, from));
        await expectCompletions(a.sendCq, { wrId: length, opcode: WcOpcode.RDMA_READ, byteLen: length, qp: a.qp });
        const expected = new Uint8Array(ROOM_BYTES).fill(0xcc);
        expected.set(b.bytes.subarray(from, from + length), to);
        expectBytes(a.bytes, expected, `${length} bytes read`);
        source.expectUnchanged();
      }
      expectNoCompletion(b.recvCq);
    });
  }

  suite.works('no bytes need no key and no address', async (bench) => {
    const { a, b } = bench.pair();
    a.qp.postSend(read(1, [], b, 0, { rkey: 0xdeadbeef, remoteAddr: 2n ** 64n - 1n }));
    await expectCompletions(a.sendCq, { wrId: 1, opcode: WcOpcode.RDMA_READ });
  });

  suite.works('more reads than may be outstanding are done one after the other', async (bench) => {
    const connection = { maxRdAtomic: 1, maxDestRdAtomic: 1 };
    const { a, b } = bench.pair({ connection });
    fillPattern(b.bytes, 1);
    a.qp.postSend(Array.from({ length: 16 }, (_, index) => read(index, [a.sge(index * 8, 8)], b, index * 8)));
    const found = await completions(a.sendCq, 16);
    found.forEach((wc, index) => expectBytes(Uint8Array.of(wc.wrId), Uint8Array.of(index), 'order'));
    expectBytes(a.bytes.subarray(0, 128), pattern(1, 128), 'what was read');
  });

  suite.works('both ways at once', async (bench) => {
    const { a, b } = bench.pair();
    fillPattern(a.bytes.subarray(0, 1000), 1);
    fillPattern(b.bytes.subarray(0, 1000), 2);
    a.qp.postSend(read(1, [a.sge(4096, 1000)], b));
    b.qp.postSend(read(2, [b.sge(4096, 1000)], a));
    await expectCompletions(a.sendCq, { wrId: 1 });
    await expectCompletions(b.sendCq, { wrId: 2 });
    expectBytes(a.bytes.subarray(4096, 5096), pattern(2, 1000), 'what a read');
    expectBytes(b.bytes.subarray(4096, 5096), pattern(1, 1000), 'what b read');
  });

  suite.works('needs no more than read access there and write access here', async (bench) => {
    const { a, b } = bench.pair({
      a: { access: AccessFlags.LOCAL_WRITE },
      b: { access: AccessFlags.REMOTE_READ },
      connectionOfA: { qpAccessFlags: 0 },
      connectionOfB: { qpAccessFlags: AccessFlags.REMOTE_READ },
    });
    a.qp.postSend(read(1, [a.sge(0, 8)], b));
    await expectCompletions(a.sendCq, { wrId: 1 });
  });

  suite.works('a receive queue that is empty does not matter', async (bench) => {
    const { a, b } = bench.pair({ connection: { rnrRetry: 0 } });
    a.qp.postSend(read(1, [a.sge(0, 8)], b));
    await expectCompletions(a.sendCq, { wrId: 1 });
  });
});
