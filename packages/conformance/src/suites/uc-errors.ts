/**
 * What an unreliable connection does not take: the other side drops it and says nothing (IBTA 9.8.2, 9.9.3), and this side's own
 * mistakes end in SQE (IBTA 9.9.2, 10.3.1), from where a modify to RTS leads out.
 */
import { expect } from 'chai';
import { Mtu, QpState, QpType, SendFlags, WcStatus, WrOpcode, qpStateStr, type SendWrInit } from '@openverbs/verbs';
import { SendWqe } from '@openverbs/verbs/rings';
import { expectNoAsyncEvent } from '../bench/async-events.ts';
import type { Bench } from '../bench/bench.ts';
import { expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import { bringTo, connect } from '../bench/connect.ts';
import { expectError } from '../bench/errors.ts';
import { expectBytes, fillPattern, pattern, snapshot } from '../bench/payload.ts';
import { compareAndSwap, fetchAndAdd, read, send, write, writeImm } from '../bench/requests.ts';
import { ACCESS_ALL, type Side } from '../bench/side.ts';
import { Tampering } from '../bench/tampering.ts';
import { defineSuite } from '../define-suite.ts';
import { faultsOf, faultsOfWideAddresses } from './faults.ts';
import { operations } from './operations.ts';
import { ucPair } from './uc.ts';

const { WR_FLUSH_ERR, LOC_PROT_ERR, LOC_LEN_ERR, LOC_QP_OP_ERR } = WcStatus;
const ucOperations = operations.filter(({ writesHere }) => !writesHere);

/** Posts `bad`, which completes and does nothing, and a message behind it, which arrives: in the first receive. */
async function expectDropped(bench: Bench, pair: { a: Side; b: Side }, bad: SendWrInit): Promise<void> {
  const { a, b } = pair;
  fillPattern(a.bytes, 1);
  fillPattern(b.bytes, 2);
  const memory = snapshot(b.bytes.subarray(16), 'memory there');
  b.qp.postRecv([{ wrId: 201, sgList: [b.sge(0, 16)] }, { wrId: 202 }]);
  a.qp.postSend([bad, send(12, [a.sge(0, 16)])]);
  await expectCompletions(a.sendCq, { wrId: bad.wrId ?? 0, qp: a.qp }, { wrId: 12, qp: a.qp });
  await expectCompletions(b.recvCq, { wrId: 201, byteLen: 16 });
  expectNoCompletion(b.recvCq);
  expectBytes(b.bytes.subarray(0, 16), pattern(1, 16), 'the message behind it');
  memory.expectUnchanged();
  for (const { qp, context } of [a, b]) {
    expect(qp.query().attr.qpState, 'state').to.equal(QpState.RTS);
    if (bench.supports('asyncEvents')) expectNoAsyncEvent(context);
  }
}

/** The bad request fails, what stands behind it is flushed, and so is what is posted in SQE; receives go on; RTS heals. */
async function expectSqe(
  pair: { a: Side; b: Side },
  bad: (wrId: number) => SendWrInit,
  status: WcStatus | readonly WcStatus[],
): Promise<void> {
  const { a, b } = pair;
  a.qp.postRecv([{ wrId: 101 }, { wrId: 102 }]);
  b.qp.postRecv([{ wrId: 201 }, { wrId: 202 }]);
  a.qp.postSend([send(1, []), bad(2), send(3, []), send(4, [], { sendFlags: 0 })]);
  await expectCompletions(
    a.sendCq,
    { wrId: 1 },
    { wrId: 2, status, qp: a.qp },
    { wrId: 3, status: WR_FLUSH_ERR, qp: a.qp },
    { wrId: 4, status: WR_FLUSH_ERR, qp: a.qp },
  );
  expect(a.qp.query().attr.qpState, 'state').to.equal(QpState.SQE);
  expect(a.qp.state, 'state of the object').to.equal(QpState.SQE);
  a.qp.postSend(send(5, []));
  await expectCompletions(a.sendCq, { wrId: 5, status: WR_FLUSH_ERR, qp: a.qp });
  // The receive queue knows nothing of it.
  b.qp.postSend(send(6, []));
  await expectCompletions(a.recvCq, { wrId: 101 });
  await expectCompletions(b.recvCq, { wrId: 201 });
  expectNoCompletion(b.recvCq);
  a.qp.modify({ qpState: QpState.RTS });
  a.qp.postSend(send(7, []));
  await expectCompletions(a.sendCq, { wrId: 7 });
  await expectCompletions(b.recvCq, { wrId: 202 });
  expect(a.qp.query().attr.qpState, 'state').to.equal(QpState.RTS);
}

export const ucErrorsSuite = defineSuite('uc-errors', ['uc'], (suite) => {
  suite.provokes('a message without a receive is dropped, and the next one is not', async (bench) => {
    const { a, b } = ucPair(bench);
    a.qp.postSend([send(1, [a.sge(0, 8)]), send(2, [])]);
    await expectCompletions(a.sendCq, { wrId: 1 }, { wrId: 2 });
    await expectDropped(bench, { a, b }, write(3, [], b));
  });

  suite.provokes('a write with immediate data without a receive leaves memory alone', ['rdmaWrite'], async (bench) => {
    const { a, b } = ucPair(bench);
    fillPattern(a.bytes, 1);
    const memory = snapshot(b.bytes, 'memory there');
    a.qp.postSend(writeImm(1, [a.sge(0, 64)], b, 0, 5));
    await expectCompletions(a.sendCq, { wrId: 1 });
    expectNoCompletion(b.recvCq);
    memory.expectUnchanged();
  });

  suite.provokes('a message that is longer than the receive is dropped, and the receive waits on', async (bench) => {
    const pair = ucPair(bench);
    await expectDropped(bench, pair, send(1, [pair.a.sge(0, 17)]));
    await expectDropped(bench, ucPair(bench), send(1, [pair.a.sge(0, 0)], { opcode: WrOpcode.RDMA_WRITE }));
  });

  for (const fault of [...faultsOf('rkey'), ...faultsOfWideAddresses()]) {
    suite.provokes(`a write with an rkey ${fault.title} is dropped`, ['rdmaWrite'], async (bench) => {
      const pair = ucPair(bench);
      const { key: rkey, addr: remoteAddr, length } = fault.place(pair.b);
      await expectDropped(bench, pair, write(1, [pair.a.sge(0, length)], pair.b, 0, { rkey, remoteAddr }));
    });
  }

  suite.provokes('a write to a region without REMOTE_WRITE is dropped', ['rdmaWrite'], async (bench) => {
    const pair = ucPair(bench);
    const mr = pair.b.registerNew(64, ACCESS_ALL & ~2);
    const { rkey, addr: remoteAddr } = mr;
    const memory = snapshot(mr.bytes, 'the region');
    await expectDropped(bench, pair, write(1, [pair.a.sge(0, 8)], pair.b, 0, { rkey, remoteAddr }));
    memory.expectUnchanged();
  });

  suite.provokes('a write to a QP without REMOTE_WRITE is dropped', ['rdmaWrite'], async (bench) => {
    const pair = ucPair(bench, { connectionOfB: { qpAccessFlags: 0 } });
    await expectDropped(bench, pair, write(1, [pair.a.sge(0, 8)], pair.b, 32));
    await expectDropped(bench, ucPair(bench), send(1, [], { opcode: WrOpcode.RDMA_WRITE }));
  });

  suite.provokes('sequence numbers that do not fit cost nothing', async (bench) => {
    for (const sqPsn of [0x123455, 0x123457, 0x923456, 0]) {
      const { a, b } = ucPair(bench, { connectionOfA: { sqPsn } });
      // Of a message of one packet or more the first sets what is expected: only packets that are lost cost a message.
      b.qp.postRecv([{ wrId: 1, sgList: [b.sge(0, 10_000)] }, { wrId: 2 }]);
      a.qp.postSend([send(1, [a.sge(0, 10_000)]), send(2, [])]);
      await expectCompletions(a.sendCq, { wrId: 1 }, { wrId: 2 });
      await expectCompletions(b.recvCq, { wrId: 1, byteLen: 10_000 }, { wrId: 2 });
    }
  });

  suite.provokes('packets of another path MTU are dropped', async (bench) => {
    const { a, b } = ucPair(bench, {
      connectionOfA: { pathMtu: Mtu.MTU_256 },
      connectionOfB: { pathMtu: Mtu.MTU_1024 },
    });
    b.qp.postRecv([
      { wrId: 1, sgList: [b.sge()] },
      { wrId: 2, sgList: [b.sge()] },
    ]);
    a.qp.postSend([send(1, [a.sge(0, 257)]), send(2, [a.sge(0, 256)])]);
    await expectCompletions(a.sendCq, { wrId: 1 }, { wrId: 2 });
    await expectCompletions(b.recvCq, { wrId: 1, byteLen: 256 });
    a.qp.postRecv([
      { wrId: 3, sgList: [a.sge()] },
      { wrId: 4, sgList: [a.sge()] },
    ]);
    b.qp.postSend([send(3, [b.sge(0, 257)]), send(4, [b.sge(0, 256)])]);
    await expectCompletions(b.sendCq, { wrId: 3 }, { wrId: 4 });
    await expectCompletions(a.recvCq, { wrId: 3, byteLen: 256 });
    expectNoCompletion(a.recvCq);
  });

  for (const state of [QpState.RESET, QpState.INIT, QpState.ERR]) {
    suite.provokes(`a peer in ${qpStateStr(state)} gets nothing, and nobody hears of it`, async (bench) => {
      const { a, b } = ucPair(bench, { connected: false });
      bringTo(state, b.qp, a.qp);
      if (state === QpState.INIT) b.qp.postRecv({ wrId: 9, sgList: [b.sge(0, 8)] });
      bringTo(QpState.RTS, a.qp, b.qp);
      a.qp.postSend([send(1, [a.sge(0, 8)]), write(2, [a.sge(0, 8)], b)]);
      await expectCompletions(a.sendCq, { wrId: 1 }, { wrId: 2 });
      expect(b.qp.query().attr.qpState, 'the peer').to.equal(state);
      expectNoCompletion(b.recvCq);
    });
  }

  suite.provokes('a peer that is gone gets nothing, nor does the one that has its place', async (bench) => {
    const { a, b } = ucPair(bench);
    b.qp.destroy();
    const others = Array.from({ length: 8 }, () => b.createQp({ qpType: QpType.UC }));
    for (const qp of others) bringTo(QpState.RTR, qp, a.qp);
    for (const qp of others) qp.postRecv({ wrId: 9 });
    a.qp.postSend(send(1, []));
    await expectCompletions(a.sendCq, { wrId: 1 });
    expectNoCompletion(b.recvCq);
    expect(a.qp.query().attr.qpState).to.equal(QpState.RTS);
  });

  suite.provokes('a peer of another type gets nothing', ['rc'], async (bench) => {
    const { a, b } = bench.pair({ a: { qpType: QpType.UC }, connected: false });
    connect(a.qp, b.qp);
    b.qp.postRecv({ wrId: 9, sgList: [b.sge(0, 8)] });
    a.qp.postSend([send(1, []), write(2, [], b)]);
    await expectCompletions(a.sendCq, { wrId: 1 }, { wrId: 2 });
    expectNoCompletion(b.recvCq);
  });

  suite.provokes('reads and atomics are refused at the post', async (bench) => {
    const { a, b } = ucPair(bench);
    for (const bad of [
      read(1, [a.sge(0, 8)], b),
      fetchAndAdd(1, [a.sge(0, 8)], b, 0, 1n),
      compareAndSwap(1, [a.sge(0, 8)], b, 0, 1n, 2n),
    ]) {
      const error = expectError('EINVAL', () => {
        a.qp.postSend(bad);
      });
      expect(error.details?.['badWrIndex']).to.equal(0);
    }
    await expectDropped(bench, { a, b }, write(3, [], b));
  });

  for (const operation of ucOperations) {
    for (const fault of faultsOf('lkey')) {
      suite.provokes(`${operation.name} with an lkey ${fault.title} ends in SQE`, operation.needs, async (bench) => {
        const pair = ucPair(bench);
        const memory = snapshot(pair.b.bytes, 'memory there');
        const { key, addr, length } = fault.place(pair.a);
        const sgList = [{ addr: Number(addr), length, lkey: key }];
        await expectSqe(pair, (wrId) => operation.request(wrId, sgList, pair.b), LOC_PROT_ERR);
        memory.expectUnchanged();
      });
    }
  }

  for (const [title, words, status] of [
    ['RDMA_READ', { [SendWqe.OPCODE]: WrOpcode.RDMA_READ }, LOC_QP_OP_ERR],
    ['an atomic', { [SendWqe.OPCODE]: WrOpcode.ATOMIC_FETCH_AND_ADD }, LOC_QP_OP_ERR],
    ['no opcode', { [SendWqe.OPCODE]: -1 }, LOC_QP_OP_ERR],
    ['255 SGEs', { [SendWqe.FLAGS]: SendFlags.SIGNALED | (255 << 8) }, LOC_QP_OP_ERR],
    ['a length of 2^32 - 1', { [SendWqe.SGE + 2]: -1 }, LOC_LEN_ERR],
  ] as const) {
    suite.provokes(`a WQE that was changed to ${title} ends in SQE`, ['directAccess'], async (bench) => {
      const context = bench.open();
      const tampering = new Tampering(context);
      const { a, b } = ucPair(bench, { a: { context } });
      tampering.spoilNextSend(a.qp, words);
      a.qp.postSend(send(1, [a.sge(0, 8)]));
      a.qp.postSend(send(2, []));
      await expectCompletions(a.sendCq, { wrId: 1, status, qp: a.qp }, { wrId: 2, status: WR_FLUSH_ERR });
      expect(a.qp.query().attr.qpState).to.equal(QpState.SQE);
      expectNoCompletion(b.recvCq);
    });
  }

  suite.provokes('SQE leads to RTS, ERR and RESET, and nowhere else', async (bench) => {
    for (const to of [QpState.RTS, QpState.ERR, QpState.RESET]) {
      const { a, b } = ucPair(bench);
      a.qp.postSend(send(1, [{ ...a.sge(0, 8), lkey: 1 }]));
      await expectCompletions(a.sendCq, { wrId: 1, status: LOC_PROT_ERR });
      for (const not of [QpState.INIT, QpState.RTR, QpState.SQD]) {
        expectError('EINVAL', () => {
          a.qp.modify({ qpState: not });
        });
      }
      a.qp.postRecv({ wrId: 2 });
      a.qp.modify({ qpState: to });
      expect(a.qp.query().attr.qpState).to.equal(to);
      if (to === QpState.ERR) await expectCompletions(a.recvCq, { wrId: 2, status: WR_FLUSH_ERR });
      else expectNoCompletion(a.recvCq);
      b.qp.destroy();
    }
  });

  suite.provokes('a receive of memory that it may not write puts the receiver into ERR', async (bench) => {
    const { a, b } = ucPair(bench);
    const readOnly = b.registerNew(64, 0);
    b.qp.postRecv([{ wrId: 1, sgList: [readOnly.sge(0, 64)] }, { wrId: 2 }]);
    a.qp.postSend([send(1, [a.sge(0, 8)]), send(2, [])]);
    await expectCompletions(a.sendCq, { wrId: 1 }, { wrId: 2 });
    await expectCompletions(b.recvCq, { wrId: 1, status: LOC_PROT_ERR }, { wrId: 2, status: WR_FLUSH_ERR });
    expect([a.qp.query().attr.qpState, b.qp.query().attr.qpState]).to.deep.equal([QpState.RTS, QpState.ERR]);
  });

  suite.provokes('a QP that sends itself into a bad receive completes the send, then flushes', async (bench) => {
    const side = bench.side({ qpType: QpType.UC });
    bringTo(QpState.RTS, side.qp, side.qp);
    side.qp.postRecv({ wrId: 1, sgList: [{ ...side.sge(0, 8), lkey: 1 }] });
    side.qp.postSend(send(2, [side.sge(0, 8)]));
    await expectCompletions(side.recvCq, { wrId: 1, status: LOC_PROT_ERR });
    side.qp.postSend(send(3, []));
    await expectCompletions(side.sendCq, { wrId: 2 }, { wrId: 3, status: WR_FLUSH_ERR });
    expect(side.qp.query().attr.qpState).to.equal(QpState.ERR);
  });
});
