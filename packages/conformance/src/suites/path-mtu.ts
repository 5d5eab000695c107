/** Every path MTU that the port allows: a message is cut and put together again. */
import { Mtu, mtuToBytes } from '@openverbs/verbs';
import { expectCompletions } from '../bench/completions.ts';
import { expectBytes, fillPattern, pattern } from '../bench/payload.ts';
import { read, send, write } from '../bench/requests.ts';
import { defineSuite } from '../define-suite.ts';

const MTUS = [Mtu.MTU_256, Mtu.MTU_512, Mtu.MTU_1024, Mtu.MTU_2048, Mtu.MTU_4096];

export const pathMtuSuite = defineSuite('path-mtu', ['rc', 'rdmaWrite', 'rdmaRead'], (suite) => {
  suite.works('messages around each multiple of the MTU', async (bench) => {
    const { activeMtu } = bench.open().queryPort(1);
    for (const pathMtu of MTUS.filter((mtu) => mtu <= activeMtu)) {
      const { a, b } = bench.pair({ connection: { pathMtu }, bufferBytes: 32 * 1024 });
      const bytes = mtuToBytes(pathMtu);
      for (const length of [bytes - 1, bytes, bytes + 1, 2 * bytes, 3 * bytes + 5]) {
        fillPattern(a.bytes.subarray(0, length), length);
        b.bytes.fill(0);
        b.qp.postRecv({ wrId: 1, sgList: [b.sge(0, length)] });
        a.qp.postSend([send(2, [a.sge(0, length)]), write(3, [a.sge(0, length)], b, 16_384)]);
        a.qp.postSend(read(4, [a.sge(16_384, length)], b, 16_384));
        await expectCompletions(b.recvCq, { wrId: 1, byteLen: length });
        await expectCompletions(a.sendCq, { wrId: 2 }, { wrId: 3 }, { wrId: 4 });
        for (const place of [b.bytes, b.bytes.subarray(16_384), a.bytes.subarray(16_384)]) {
          expectBytes(place.subarray(0, length), pattern(length, length), `${length} bytes in packets of ${bytes}`);
        }
      }
    }
  });
});
