/** In which order things happen, and become visible: IBTA 9.5 and 10.8.3.3, and IBV_SEND_FENCE. */
import { expect } from 'chai';
import { SendFlags } from '@openverbs/verbs';
import { completions, expectCompletions } from '../bench/completions.ts';
import { expectBytes, fillPattern, pattern } from '../bench/payload.ts';
import { fetchAndAdd, read, send, write } from '../bench/requests.ts';
import { eventually } from '../bench/wait.ts';
import { defineSuite } from '../define-suite.ts';

const FENCED = { sendFlags: SendFlags.SIGNALED | SendFlags.FENCE };

export const orderingSuite = defineSuite('ordering', ['rc'], (suite) => {
  suite.works(
    'a send behind a write: its receive completes when the write is visible',
    ['rdmaWrite'],
    async (bench) => {
      const { a, b } = bench.pair();
      for (let round = 0; round < 50; round++) {
        fillPattern(a.bytes.subarray(0, 4096), round);
        b.bytes.fill(0);
        b.qp.postRecv({ wrId: round });
        a.qp.postSend([write(1, [a.sge(0, 4096)], b, 0, { sendFlags: 0 }), send(2, [])]);
        await expectCompletions(b.recvCq, { wrId: round });
        expectBytes(b.bytes.subarray(0, 4096), pattern(round, 4096), 'what was written before');
        await expectCompletions(a.sendCq, { wrId: 2 });
      }
    },
  );

  suite.works('writes to one place: the last one stays', ['rdmaWrite'], async (bench) => {
    const { a, b } = bench.pair();
    for (let index = 0; index < 16; index++) a.bytes.fill(index + 1, index * 256, index * 256 + 256);
    const requests = Array.from({ length: 16 }, (_, index) => write(index, [a.sge(index * 256, 256)], b, 0));
    a.qp.postSend(requests);
    await completions(a.sendCq, 16);
    expect(b.bytes.subarray(0, 256).every((byte) => byte === 16)).to.equal(true);
  });

  suite.works('the last byte of a write shows last', ['rdmaWrite'], async (bench) => {
    const { a, b } = bench.pair();
    const length = 8192;
    for (let round = 1; round <= 20; round++) {
      a.bytes.fill(round, 0, length);
      a.qp.postSend(write(round, [a.sge(0, length)], b, 1));
      await eventually('the last byte', () => b.bytes[length] === round);
      expect(
        b.bytes.subarray(1, length + 1).every((byte) => byte === round),
        'all bytes',
      ).to.equal(true);
      await expectCompletions(a.sendCq, { wrId: round });
    }
  });

  suite.works('a read behind a write sees it', ['rdmaWrite', 'rdmaRead'], async (bench) => {
    const { a, b } = bench.pair();
    fillPattern(a.bytes.subarray(0, 1000), 1);
    b.bytes.fill(0);
    a.qp.postSend([write(1, [a.sge(0, 1000)], b, 0), read(2, [a.sge(8192, 1000)], b, 0)]);
    await expectCompletions(a.sendCq, { wrId: 1 }, { wrId: 2 });
    expectBytes(a.bytes.subarray(8192, 9192), pattern(1, 1000), 'what was read back');
  });

  suite.works('a fenced send waits for the reads before it', ['rdmaRead'], async (bench) => {
    const { a, b } = bench.pair();
    for (let round = 0; round < 20; round++) {
      fillPattern(b.bytes.subarray(0, 2048), round);
      a.bytes.fill(0);
      b.qp.postRecv({ wrId: round, sgList: [b.sge(4096, 2048)] });
      // Sends on what the read brings: without the fence it might send what was there before.
      a.qp.postSend([read(1, [a.sge(0, 2048)], b, 0), send(2, [a.sge(0, 2048)], FENCED)]);
      await expectCompletions(a.sendCq, { wrId: 1 }, { wrId: 2 });
      await expectCompletions(b.recvCq, { wrId: round, byteLen: 2048 });
      expectBytes(b.bytes.subarray(4096, 6144), pattern(round, 2048), 'what came back');
    }
  });

  suite.works('a fenced write waits for the atomics before it', ['rdmaWrite', 'atomics'], async (bench) => {
    const { a, b } = bench.pair();
    new BigUint64Array(b.bytes.buffer, b.bytes.byteOffset, 1)[0] = 0x0102030405060708n;
    a.qp.postSend([fetchAndAdd(1, [a.sge(0, 8)], b, 0, 1n), write(2, [a.sge(0, 8)], b, 64, FENCED)]);
    await expectCompletions(a.sendCq, { wrId: 1 }, { wrId: 2 });
    expect([...b.bytes.subarray(64, 72)]).to.deep.equal([8, 7, 6, 5, 4, 3, 2, 1]);
  });

  suite.works(
    'completions come in the order of the posts, whatever the operation',
    ['rdmaWrite', 'rdmaRead'],
    async (bench) => {
      const { a, b } = bench.pair({ bufferBytes: 128 * 1024 });
      const requests = Array.from({ length: 30 }, (_, wrId) => {
        const length = wrId % 3 === 0 ? 60_000 : 1;
        if (wrId % 3 === 0) return read(wrId, [a.sge(0, length)], b);
        return wrId % 3 === 1 ? write(wrId, [a.sge(0, length)], b, 100_000) : send(wrId, [a.sge(0, length)]);
      });
      for (let wrId = 0; wrId < 10; wrId++) b.qp.postRecv({ wrId, sgList: [b.sge(0, 8)] });
      a.qp.postSend(requests);
      const found = await completions(a.sendCq, 30);
      expect(found.map(({ wrId }) => wrId)).to.deep.equal(requests.map(({ wrId }) => wrId));
    },
  );
});
