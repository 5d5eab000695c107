/** A QP whose peer is itself: both halves of the device work on one context (IBTA 9.9: the responder is the requester). */
import { expect } from 'chai';
import { connectPair, QpState, WcOpcode, WcStatus } from '@openverbs/verbs';
import type { Bench } from '../bench/bench.ts';
import { completions, expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import { bringTo, type ConnectionOverrides } from '../bench/connect.ts';
import { expectBytes, fillPattern, pattern } from '../bench/payload.ts';
import { fetchAndAdd, read, send, write } from '../bench/requests.ts';
import type { Side } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';

function selfConnected(bench: Bench, overrides: ConnectionOverrides = {}): Side {
  const side = bench.side();
  bringTo(QpState.RTS, side.qp, side.qp, overrides);
  return side;
}

export const selfLoopbackSuite = defineSuite('self-loopback', ['rc'], (suite) => {
  suite.works('sends to itself', async (bench) => {
    const side = selfConnected(bench);
    for (let wrId = 0; wrId < 20; wrId++) {
      fillPattern(side.bytes.subarray(0, 1000), wrId);
      side.qp.postRecv({ wrId, sgList: [side.sge(4096, 1000)] });
      side.qp.postSend(send(100 + wrId, [side.sge(0, 1000)]));
      await expectCompletions(side.recvCq, { wrId, opcode: WcOpcode.RECV, byteLen: 1000 });
      await expectCompletions(side.sendCq, { wrId: 100 + wrId, opcode: WcOpcode.SEND });
      expectBytes(side.bytes.subarray(4096, 5096), pattern(wrId, 1000), 'message');
    }
  });

  suite.works('is connected to itself like any other pair', async (bench) => {
    const { qp, sendCq } = bench.side();
    connectPair(qp, qp);
    expect(qp.state).to.equal(QpState.RTS);
    qp.postRecv({ wrId: 2, sgList: [] });
    qp.postSend(send(1, []));
    await expectCompletions(sendCq, { wrId: 1 });
  });

  suite.works('writes to and reads from itself', ['rdmaWrite', 'rdmaRead'], async (bench) => {
    const side = selfConnected(bench);
    fillPattern(side.bytes.subarray(0, 1000), 1);
    side.qp.postSend([write(1, [side.sge(0, 1000)], side, 2000), read(2, [side.sge(4000, 1000)], side, 2000)]);
    await expectCompletions(side.sendCq, { wrId: 1 }, { wrId: 2 });
    expectBytes(side.bytes.subarray(2000, 3000), pattern(1, 1000), 'what was written');
    expectBytes(side.bytes.subarray(4000, 5000), pattern(1, 1000), 'what was read');
  });

  suite.works('moves memory onto itself, where source and target overlap', ['rdmaWrite'], async (bench) => {
    const side = selfConnected(bench);
    for (const [from, to] of [
      [0, 7],
      [7, 0],
      [100, 100],
    ] as const) {
      fillPattern(side.bytes, from);
      const expected = Uint8Array.from(side.bytes).copyWithin(to, from, from + 300);
      side.qp.postSend(write(1, [side.sge(from, 300)], side, to));
      await expectCompletions(side.sendCq, { wrId: 1 });
      expectBytes(side.bytes, expected, `from ${from} to ${to}`);
    }
  });

  suite.works('counts on itself', ['atomics'], async (bench) => {
    const side = selfConnected(bench);
    const words = new BigUint64Array(side.bytes.buffer, side.bytes.byteOffset, 2);
    words[0] = 41n;
    side.qp.postSend(fetchAndAdd(1, [side.sge(8, 8)], side, 0, 1n));
    await expectCompletions(side.sendCq, { wrId: 1, opcode: WcOpcode.FETCH_ADD });
    expect([...words]).to.deep.equal([42n, 41n]);
  });

  suite.provokes('fails as requester and as responder at once', ['rdmaWrite'], async (bench) => {
    const side = selfConnected(bench);
    side.qp.postRecv({ wrId: 5 });
    side.qp.postSend([write(1, [side.sge(0, 8)], side, 0, { rkey: 0xdeadbeef }), send(2, [])]);
    await expectCompletions(
      side.sendCq,
      { wrId: 1, status: WcStatus.REM_ACCESS_ERR },
      { wrId: 2, status: WcStatus.WR_FLUSH_ERR },
    );
    await expectCompletions(side.recvCq, { wrId: 5, status: WcStatus.WR_FLUSH_ERR });
    expect(side.qp.query().attr.qpState).to.equal(QpState.ERR);
  });

  suite.provokes('runs out of receives on itself', async (bench) => {
    const side = selfConnected(bench, { rnrRetry: 1, minRnrTimer: 1 });
    side.qp.postSend([send(1, []), send(2, [])]);
    await expectCompletions(
      side.sendCq,
      { wrId: 1, status: WcStatus.RNR_RETRY_EXC_ERR },
      { wrId: 2, status: WcStatus.WR_FLUSH_ERR },
    );
    expectNoCompletion(side.recvCq);
  });

  suite.works('two QPs of one context, over the same CQ', async (bench) => {
    const context = bench.open();
    const cq = context.createCq({ cqe: 32 });
    const { a, b } = bench.pair({ context, cq });
    b.qp.postRecv({ wrId: 1, sgList: [b.sge(0, 8)] });
    a.qp.postSend(send(2, [a.sge(0, 8)]));
    // Which of the two comes first is nobody's promise.
    const found = await completions(cq, 2);
    expect(found.map(({ wrId, qpNum }) => [wrId, qpNum])).to.have.deep.members([
      [1, b.qp.qpNum],
      [2, a.qp.qpNum],
    ]);
  });
});
