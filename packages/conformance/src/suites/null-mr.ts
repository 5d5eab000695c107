/** The null region: what is written to it is dropped, what is read is 0, and peers can't use it (ibv_alloc_null_mr). */
import { expect } from 'chai';
import { SendFlags, WcStatus } from '@openverbs/verbs';
import { expectCompletions } from '../bench/completions.ts';
import { expectError } from '../bench/errors.ts';
import { expectBytes, fillPattern, pattern } from '../bench/payload.ts';
import { fetchAndAdd, read, send, write } from '../bench/requests.ts';
import { defineSuite } from '../define-suite.ts';

/** Every address is one of it. */
const ADDRESSES = [0, 1, 4095, 2 ** 31 - 3, 2 ** 32 - 1, 2 ** 32, 2 ** 44 + 5, 2 ** 53 - 8192];

export const nullMrSuite = defineSuite('null-mr', ['rc', 'rdmaWrite', 'nullMr'], (suite) => {
  suite.works('gives zeros at every address', async (bench) => {
    const { a, b } = bench.pair();
    const { lkey } = a.pd.allocNullMr();
    for (const addr of ADDRESSES) {
      for (const length of [1, 3, 8, 40, 5000]) {
        fillPattern(b.bytes, 1);
        a.qp.postSend(write(1, [{ addr, length, lkey }], b, 5));
        await expectCompletions(a.sendCq, { wrId: 1 });
        expectBytes(b.bytes.subarray(5, 5 + length), new Uint8Array(length), `${length} bytes from ${addr}`);
        expectBytes(b.bytes.subarray(5 + length, 6 + length), pattern(1, 6 + length).subarray(-1), 'behind');
      }
    }
  });

  suite.works('drops what is received, read or fetched', ['rdmaRead', 'atomics'], async (bench) => {
    const { a, b } = bench.pair();
    const here = a.pd.allocNullMr();
    const there = b.pd.allocNullMr();
    fillPattern(a.bytes, 1);
    fillPattern(b.bytes, 2);
    for (const addr of ADDRESSES) {
      b.qp.postRecv({ wrId: 9, sgList: [{ addr, length: 6000, lkey: there.lkey }] });
      const local = (length: number) => [{ addr, length, lkey: here.lkey }];
      a.qp.postSend([send(1, [a.sge(0, 6000)]), read(2, local(6000), b), fetchAndAdd(3, local(8), b, 0, 0n)]);
      await expectCompletions(a.sendCq, { wrId: 1 }, { wrId: 2 }, { wrId: 3 });
      await expectCompletions(b.recvCq, { wrId: 9, byteLen: 6000 });
    }
    expectBytes(a.bytes, pattern(1, a.bytes.length), 'memory here');
    expectBytes(b.bytes, pattern(2, b.bytes.length), 'memory there');
  });

  suite.works('skips the middle of a message', async (bench) => {
    const { a, b } = bench.pair();
    const { lkey } = b.pd.allocNullMr();
    fillPattern(a.bytes, 3);
    b.qp.postRecv({ wrId: 9, sgList: [b.sge(0, 10), { addr: 0, length: 80, lkey }] });
    a.qp.postSend(send(1, [a.sge(0, 30), { addr: 0, length: 60, lkey: a.pd.allocNullMr().lkey }]));
    await expectCompletions(b.recvCq, { wrId: 9, byteLen: 90 });
    expectBytes(b.bytes.subarray(0, 10), pattern(3, 10), 'the head');
    expectBytes(b.bytes.subarray(10, 200), new Uint8Array(190), 'the rest');
  });

  suite.works('looks like a region of every address', (bench) => {
    const mr = bench.open().allocPd().allocNullMr();
    expect(mr.bytes.byteLength, 'bytes').to.equal(0);
    expect(mr.sge(2 ** 40, 64)).to.include({ addr: mr.iova + 2 ** 40, length: 64, lkey: mr.lkey });
  });

  suite.provokes('peers can use neither of its keys', async (bench) => {
    for (const key of ['lkey', 'rkey'] as const) {
      const { a, b } = bench.pair();
      const mr = b.pd.allocNullMr();
      a.qp.postSend(write(1, [a.sge(0, 8)], b, 0, { rkey: mr[key], remoteAddr: 0 }));
      await expectCompletions(a.sendCq, { wrId: 1, status: WcStatus.REM_ACCESS_ERR });
    }
  });

  suite.provokes('is of its protection domain', async (bench) => {
    const { a, b } = bench.pair();
    const { lkey } = a.context.allocPd().allocNullMr();
    a.qp.postSend(write(1, [{ addr: 0, length: 8, lkey }], b));
    await expectCompletions(a.sendCq, { wrId: 1, status: WcStatus.LOC_PROT_ERR });
  });

  suite.provokes('is of no use once it is gone', async (bench) => {
    const { a, b } = bench.pair();
    const mr = a.pd.allocNullMr();
    mr.dereg();
    expectError('EINVAL', () => {
      mr.dereg();
    });
    a.qp.postSend(write(1, [{ addr: 0, length: 8, lkey: mr.lkey }], b, 0, { sendFlags: SendFlags.SIGNALED }));
    await expectCompletions(a.sendCq, { wrId: 1, status: WcStatus.LOC_PROT_ERR });
  });

  suite.provokes('holds its protection domain, and is not changed', (bench) => {
    const pd = bench.open().allocPd();
    const mr = pd.allocNullMr();
    expectError('EBUSY', () => {
      pd.dealloc();
    });
    expectError(['EINVAL', 'EOPNOTSUPP'], () => {
      mr.rereg({ access: 0 });
    });
    mr.dereg();
    pd.dealloc();
    expectError('EINVAL', () => pd.allocNullMr());
  });
});
