/** The extended form of posting: start, build, set, complete or abort (ibv_wr_post). */
import { expect } from 'chai';
import { SendFlags, WcOpcode, WcStatus } from '@openverbs/verbs';
import { completions, expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import { expectError } from '../bench/errors.ts';
import { expectBytes, fillPattern, pattern } from '../bench/payload.ts';
import { send } from '../bench/requests.ts';
import { defineSuite } from '../define-suite.ts';

export const extendedPostsSuite = defineSuite('extended-posts', ['rc'], (suite) => {
  suite.works('sends, with and without immediate data', async (bench) => {
    const { a, b } = bench.pair();
    fillPattern(a.bytes.subarray(0, 100), 1);
    b.qp.postRecv([{ wrId: 1, sgList: [b.sge(0, 100)] }, { wrId: 2 }]);
    a.qp.wrStart();
    a.qp.wrId = 11;
    a.qp.wrFlags = SendFlags.SIGNALED;
    a.qp.wrSend();
    a.qp.wrSetSge(a.mr.lkey, a.mr.addr, 100);
    a.qp.wrId = 12;
    a.qp.wrSendImm(0xcafe);
    a.qp.wrSetSgeList([]);
    a.qp.wrComplete();
    await expectCompletions(b.recvCq, { wrId: 1, byteLen: 100 }, { wrId: 2, immData: 0xcafe, byteLen: 0 });
    await expectCompletions(a.sendCq, { wrId: 11, opcode: WcOpcode.SEND }, { wrId: 12, opcode: WcOpcode.SEND });
    expectBytes(b.bytes.subarray(0, 100), pattern(1, 100), 'message');
  });

  suite.works('writes and reads', ['rdmaWrite', 'rdmaRead'], async (bench) => {
    const { a, b } = bench.pair();
    fillPattern(a.bytes.subarray(0, 100), 2);
    b.qp.postRecv({ wrId: 1 });
    a.qp.wrStart();
    a.qp.wrFlags = SendFlags.SIGNALED;
    a.qp.wrId = 11;
    a.qp.wrRdmaWrite(b.mr.rkey, b.mr.addr + 5);
    a.qp.wrSetSge(a.mr.lkey, a.mr.addr, 100);
    a.qp.wrId = 12;
    a.qp.wrRdmaRead(b.mr.rkey, b.mr.addr + 5);
    a.qp.wrSetSgeList([a.sge(1000, 60), a.sge(2000, 40)]);
    a.qp.wrId = 13;
    a.qp.wrRdmaWriteImm(b.mr.rkey, b.mr.addr, 77);
    a.qp.wrSetSgeList([]);
    a.qp.wrComplete();
    await expectCompletions(
      a.sendCq,
      { wrId: 11, opcode: WcOpcode.RDMA_WRITE },
      { wrId: 12, opcode: WcOpcode.RDMA_READ },
      { wrId: 13, opcode: WcOpcode.RDMA_WRITE },
    );
    await expectCompletions(b.recvCq, { wrId: 1, opcode: WcOpcode.RECV_RDMA_WITH_IMM, immData: 77 });
    expectBytes(b.bytes.subarray(5, 105), pattern(2, 100), 'what was written');
    const readBack = Uint8Array.of(...a.bytes.subarray(1000, 1060), ...a.bytes.subarray(2000, 2040));
    expectBytes(readBack, pattern(2, 100), 'what was read');
  });

  suite.works('atomics', ['atomics'], async (bench) => {
    const { a, b } = bench.pair();
    const words = new BigUint64Array(b.bytes.buffer, b.bytes.byteOffset, 1);
    words[0] = 5n;
    a.qp.wrStart();
    a.qp.wrFlags = SendFlags.SIGNALED;
    a.qp.wrId = 1;
    a.qp.wrAtomicFetchAdd(b.mr.rkey, b.mr.addr, 2n ** 63n);
    a.qp.wrSetSge(a.mr.lkey, a.mr.addr, 8);
    a.qp.wrId = 2;
    a.qp.wrAtomicCmpSwp(b.mr.rkey, b.mr.addr, 2n ** 63n + 5n, 2n ** 64n - 1n);
    a.qp.wrSetSge(a.mr.lkey, a.mr.addr + 8, 8);
    a.qp.wrComplete();
    await expectCompletions(a.sendCq, { wrId: 1, opcode: WcOpcode.FETCH_ADD }, { wrId: 2, opcode: WcOpcode.COMP_SWAP });
    expect(words[0]).to.equal(2n ** 64n - 1n);
    expect([...new BigUint64Array(a.bytes.buffer, a.bytes.byteOffset, 2)]).to.deep.equal([5n, 2n ** 63n + 5n]);
  });

  suite.works('inline data of any memory', ['inlineData'], async (bench) => {
    const { a, b } = bench.pair({ cap: { maxInlineData: 32 } });
    b.qp.postRecv({ wrId: 1, sgList: [b.sge(0, 32)] });
    const data = pattern(3, 29);
    a.qp.wrStart();
    a.qp.wrFlags = SendFlags.SIGNALED;
    a.qp.wrId = 1;
    a.qp.wrSend();
    a.qp.wrSetInlineData(data);
    data.fill(0);
    a.qp.wrComplete();
    await expectCompletions(b.recvCq, { wrId: 1, byteLen: 29 });
    expectBytes(b.bytes.subarray(0, 29), pattern(3, 29), 'message');
  });

  suite.works('inline data in pieces', ['inlineData'], async (bench) => {
    const { a, b } = bench.pair({ cap: { maxInlineData: 32 } });
    b.qp.postRecv({ wrId: 1, sgList: [b.sge(0, 32)] });
    const data = pattern(4, 29);
    a.qp.wrStart();
    a.qp.wrFlags = SendFlags.SIGNALED;
    a.qp.wrId = 1;
    a.qp.wrSend();
    a.qp.wrSetInlineDataList([data.slice(0, 5), new Uint8Array(0), data.slice(5, 6), data.slice(6)]);
    a.qp.wrComplete();
    await expectCompletions(b.recvCq, { wrId: 1, byteLen: 29 });
    expectBytes(b.bytes.subarray(0, 29), data, 'message');
  });

  suite.works('addresses of 64 bits', ['rdmaWrite'], async (bench) => {
    const { a, b } = bench.pair();
    a.qp.wrStart();
    a.qp.wrFlags = SendFlags.SIGNALED;
    a.qp.wrId = 1;
    a.qp.wrRdmaWrite(b.mr.rkey, 0);
    a.qp.wrSetRemoteAddr(b.mr.addr | 0, Math.floor(b.mr.addr / 2 ** 32));
    a.qp.wrSetSge(a.mr.lkey, a.mr.addr, 8);
    a.qp.wrId = 2;
    a.qp.wrRdmaWrite(b.mr.rkey, 0);
    a.qp.wrSetRemoteAddr(b.mr.addr | 0, -1);
    a.qp.wrSetSge(a.mr.lkey, a.mr.addr, 8);
    a.qp.wrComplete();
    await expectCompletions(a.sendCq, { wrId: 1 }, { wrId: 2, status: WcStatus.REM_ACCESS_ERR });
  });

  suite.works('what is aborted is as if it had never been', async (bench) => {
    const { a, b } = bench.pair();
    b.qp.postRecv({ wrId: 1 });
    a.qp.wrStart();
    a.qp.wrFlags = SendFlags.SIGNALED;
    a.qp.wrId = 1;
    a.qp.wrSend();
    a.qp.wrSetSge(0xdeadbeef, 0, 8);
    a.qp.wrAbort();
    a.qp.postSend(send(2, []));
    await expectCompletions(a.sendCq, { wrId: 2 });
    await expectCompletions(b.recvCq, { wrId: 1, byteLen: 0 });
    expectNoCompletion(a.sendCq);
  });

  suite.provokes('a mistake refuses the whole post', async (bench) => {
    const { a, b } = bench.pair();
    const { maxSendSge, maxSendWr } = a.qp.cap;
    const tooMany = Array.from({ length: maxSendSge + 1 }, () => a.sge(0, 1));
    a.qp.wrStart();
    a.qp.wrFlags = SendFlags.SIGNALED;
    a.qp.wrSend();
    a.qp.wrSetSgeList([]);
    a.qp.wrSend();
    a.qp.wrSetSgeList(tooMany);
    expectError('EINVAL', () => {
      a.qp.wrComplete();
    });
    a.qp.wrStart();
    for (let n = 0; n <= maxSendWr; n++) {
      a.qp.wrSend();
      a.qp.wrSetSgeList([]);
    }
    expectError('ENOMEM', () => {
      a.qp.wrComplete();
    });
    b.qp.postRecv({ wrId: 1 });
    a.qp.postSend(send(2, []));
    await expectCompletions(a.sendCq, { wrId: 2 });
    expectNoCompletion(a.sendCq);
  });

  suite.provokes('a state that takes no sends refuses it', (bench) => {
    const { qp } = bench.side();
    qp.wrStart();
    qp.wrSend();
    qp.wrSetSgeList([]);
    expectError('EINVAL', () => {
      qp.wrComplete();
    });
  });

  suite.works('alternates with ordinary posts', async (bench) => {
    const { a, b } = bench.pair();
    for (let wrId = 0; wrId < 40; wrId++) {
      b.qp.postRecv({ wrId });
      if (wrId % 2 === 0) a.qp.postSend(send(wrId, []));
      else {
        a.qp.wrStart();
        a.qp.wrId = wrId;
        a.qp.wrFlags = SendFlags.SIGNALED;
        a.qp.wrSend();
        a.qp.wrSetSgeList([]);
        a.qp.wrComplete();
      }
      await completions(a.sendCq, 1);
      await expectCompletions(b.recvCq, { wrId });
    }
  });
});
