/** Unreliable datagrams that do not arrive: dropped on the other side without a word (IBTA 9.8.3), or refused on this one. */
import { expect } from 'chai';
import { QpState, QpType, WcStatus, WrOpcode, qpStateStr, type SendWrInit } from '@openverbs/verbs';
import { SendWqe } from '@openverbs/verbs/rings';
import { expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import {
  GRH_BYTES,
  ahTo,
  bringDatagramsTo,
  datagram,
  datagramPair,
  datagramSide,
  expectDropped,
  mtuOf,
} from '../bench/datagrams.ts';
import { expectError } from '../bench/errors.ts';
import { snapshot } from '../bench/payload.ts';
import { fetchAndAdd, read, write } from '../bench/requests.ts';
import type { Side } from '../bench/side.ts';
import { Tampering } from '../bench/tampering.ts';
import { defineSuite } from '../define-suite.ts';
import { faultsOf } from './faults.ts';

const { LOC_LEN_ERR, LOC_PROT_ERR, LOC_QP_OP_ERR, WR_FLUSH_ERR } = WcStatus;

/** The bad request fails and what stands behind it is flushed; receives go on; a modify to RTS heals. */
async function expectSqe({ a, b }: { a: Side; b: Side }, bad: SendWrInit, status: WcStatus): Promise<void> {
  const [there, back] = [ahTo(a, b), ahTo(b, a)];
  const memory = snapshot(b.bytes, 'memory there');
  a.qp.postRecv({ wrId: 101, sgList: [a.sge(0, GRH_BYTES)] });
  a.qp.postSend([{ ...bad, wrId: 2 }, datagram(3, [], there, b.qp)]);
  await expectCompletions(a.sendCq, { wrId: 2, status, qp: a.qp }, { wrId: 3, status: WR_FLUSH_ERR, qp: a.qp });
  expect(a.qp.query().attr.qpState, 'state').to.equal(QpState.SQE);
  memory.expectUnchanged();
  b.qp.postSend(datagram(4, [], back, a.qp));
  await expectCompletions(a.recvCq, { wrId: 101, byteLen: GRH_BYTES });
  a.qp.modify({ qpState: QpState.RTS });
  b.qp.postRecv({ wrId: 201, sgList: [b.sge(0, GRH_BYTES)] });
  a.qp.postSend(datagram(5, [], there, b.qp));
  await expectCompletions(a.sendCq, { wrId: 5 });
  await expectCompletions(b.recvCq, { wrId: 201 });
}

export const udErrorsSuite = defineSuite('ud-errors', ['ud'], (suite) => {
  suite.provokes('a datagram without a receive is dropped', async (bench) => {
    const pair = datagramPair(bench);
    const { a, b } = pair;
    a.qp.postSend(datagram(1, [], ahTo(a, b), b.qp));
    await expectCompletions(a.sendCq, { wrId: 1 });
    await expectDropped(pair, datagram(2, [], ahTo(a, b), b.qp, { remoteQpn: 0xfffffe }));
  });

  suite.provokes('a datagram that is too long for the receive is dropped, and the receive waits on', async (bench) => {
    const pair = datagramPair(bench);
    const { a, b } = pair;
    await expectDropped(pair, datagram(1, [a.sge(0, 17)], ahTo(a, b), b.qp));
    const lone = datagramPair(bench);
    // Without room for the header nothing fits.
    lone.b.qp.postRecv({ wrId: 1, sgList: [lone.b.sge(0, GRH_BYTES - 1)] });
    lone.a.qp.postSend(datagram(1, [], ahTo(lone.a, lone.b), lone.b.qp));
    await expectCompletions(lone.a.sendCq, { wrId: 1 });
    expectNoCompletion(lone.b.recvCq);
  });

  for (const state of [QpState.RESET, QpState.INIT, QpState.ERR]) {
    suite.provokes(`a receiver in ${qpStateStr(state)} gets nothing`, async (bench) => {
      const pair = datagramPair(bench);
      const { a, b } = pair;
      const other = b.createQp({ qpType: QpType.UD });
      bringDatagramsTo(state, other);
      await expectDropped(pair, datagram(1, [], ahTo(a, b), other));
    });
  }

  suite.provokes('numbers that no UD queue pair has get nothing', async (bench) => {
    const pair = datagramPair(bench);
    const { a, b } = pair;
    const ah = ahTo(a, b);
    const gone = b.createQp({ qpType: QpType.UD });
    bringDatagramsTo(QpState.RTS, gone);
    gone.destroy();
    for (const remoteQpn of [0, 1, 0xffffff, 0x1000000 + b.qp.qpNum, 0xffffffff, gone.qpNum]) {
      await expectDropped(pair, datagram(1, [], ah, b.qp, { remoteQpn }));
      b.qp.modify({ qpState: QpState.RESET });
      bringDatagramsTo(QpState.RTS, b.qp);
    }
  });

  suite.provokes('a QP of another type gets nothing', ['rc'], async (bench) => {
    const pair = datagramPair(bench);
    const connected = bench.pair();
    connected.b.qp.postRecv({ wrId: 9, sgList: [connected.b.sge()] });
    await expectDropped(pair, datagram(1, [], ahTo(pair.a, pair.b), connected.b.qp));
    expectNoCompletion(connected.b.recvCq);
  });

  suite.provokes('a GID that no port has leads nowhere', async (bench) => {
    const pair = datagramPair(bench);
    const ah = pair.a.pd.createAh({ grh: { dgid: 'fe80::dead:beef' } });
    await expectDropped(pair, datagram(1, [], ah, pair.b.qp));
  });

  suite.provokes('a message of more than one packet ends in SQE', async (bench) => {
    const pair = datagramPair(bench);
    const { a, b } = pair;
    await expectSqe(pair, datagram(1, [a.sge(0, mtuOf(a) + 1)], ahTo(a, b), b.qp), LOC_LEN_ERR);
  });

  for (const fault of faultsOf('lkey')) {
    suite.provokes(`an lkey ${fault.title} ends in SQE`, async (bench) => {
      const pair = datagramPair(bench);
      const { key: lkey, addr, length } = fault.place(pair.a);
      const sgList = [{ addr: Number(addr), length, lkey }];
      await expectSqe(pair, datagram(1, sgList, ahTo(pair.a, pair.b), pair.b.qp), LOC_PROT_ERR);
    });
  }

  suite.provokes('writes, reads and atomics are refused at the post', async (bench) => {
    const pair = datagramPair(bench);
    const { a, b } = pair;
    const ah = ahTo(a, b);
    for (const bad of [write(1, [], b), read(1, [], b), fetchAndAdd(1, [a.sge(0, 8)], b, 0, 1n)]) {
      expectError('EINVAL', () => {
        a.qp.postSend({ ...bad, ah, remoteQpn: b.qp.qpNum });
      });
    }
    await expectDropped(pair, datagram(2, [], ah, b.qp, { remoteQpn: 0xfffffe }));
  });

  for (const opcode of [WrOpcode.RDMA_WRITE, WrOpcode.RDMA_READ, WrOpcode.ATOMIC_FETCH_AND_ADD, 13, -1]) {
    suite.provokes(`a WQE whose opcode was changed to ${opcode} ends in SQE`, ['directAccess'], async (bench) => {
      const context = bench.open();
      const tampering = new Tampering(context);
      const a = datagramSide(bench, { context });
      const b = datagramSide(bench, { device: bench.peerDevice });
      tampering.spoilNextSend(a.qp, { [SendWqe.OPCODE]: opcode });
      a.qp.postSend(datagram(1, [a.sge(0, 8)], ahTo(a, b), b.qp));
      await expectCompletions(a.sendCq, { wrId: 1, status: LOC_QP_OP_ERR });
      expect(a.qp.query().attr.qpState).to.equal(QpState.SQE);
    });
  }

  suite.provokes('a receive of memory that it may not write puts the receiver into ERR', async (bench) => {
    const { a, b } = datagramPair(bench);
    const readOnly = b.registerNew(64, 0);
    b.qp.postRecv([{ wrId: 1, sgList: [readOnly.sge(0, 64)] }, { wrId: 2 }]);
    a.qp.postSend(datagram(1, [], ahTo(a, b), b.qp));
    await expectCompletions(a.sendCq, { wrId: 1 });
    await expectCompletions(b.recvCq, { wrId: 1, status: LOC_PROT_ERR }, { wrId: 2, status: WR_FLUSH_ERR });
    expect(b.qp.query().attr.qpState).to.equal(QpState.ERR);
  });
});
