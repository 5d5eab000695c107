/** Q_Keys: a datagram names that of the QP which it is for (IBTA 10.2.5, 9.6.1.4); what does not is dropped and counted. */
import { expect } from 'chai';
import { QpState } from '@openverbs/verbs';
import { expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import {
  GRH_BYTES,
  ahTo,
  bringDatagramsTo,
  datagram,
  datagramPair,
  datagramSide,
  expectDropped,
} from '../bench/datagrams.ts';
import { expectError } from '../bench/errors.ts';
import type { Side } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';

function violations({ context }: Side): number {
  return context.queryPort(1).qkeyViolCntr;
}

/** Sends with a Q_Key and expects that it arrives. */
async function expectTaken({ a, b }: { a: Side; b: Side }, remoteQkey: number): Promise<void> {
  b.qp.postRecv({ wrId: 1, sgList: [b.sge(0, 64)] });
  a.qp.postSend(datagram(1, [], ahTo(a, b), b.qp, { remoteQkey }));
  await expectCompletions(b.recvCq, { wrId: 1, byteLen: GRH_BYTES });
  await expectCompletions(a.sendCq, { wrId: 1 });
}

export const qkeySuite = defineSuite('qkey', ['ud'], (suite) => {
  suite.works('the receiver’s Q_Key is taken, whatever the sender’s is', async (bench) => {
    for (const qkey of [0, 1, 0x11111111, 0x7fffffff]) {
      const a = datagramSide(bench, {}, { qkey: 5 });
      const b = datagramSide(bench, { device: bench.peerDevice }, { qkey });
      await expectTaken({ a, b }, qkey);
      expect(b.qp.query().attr.qkey).to.equal(qkey);
    }
  });

  suite.provokes('another one is dropped, and counted at the port of the receiver', async (bench) => {
    const { a, b } = datagramPair(bench);
    for (const remoteQkey of [0, 0x11111110, 0x11111112, 0x01111111, 0x7fffffff]) {
      const before = violations(b);
      await expectDropped({ a, b }, datagram(1, [], ahTo(a, b), b.qp, { remoteQkey }));
      expect(violations(b) - before, 'violations').to.equal(1);
      b.qp.modify({ qpState: QpState.RESET });
      bringDatagramsTo(QpState.RTS, b.qp);
    }
  });

  suite.works('one with the top bit set stands for the sender’s own', async (bench) => {
    for (const remoteQkey of [0x80000000, 0x91111111, 0xffffffff]) {
      const a = datagramSide(bench, {}, { qkey: 0x2222 });
      const b = datagramSide(bench, { device: bench.peerDevice }, { qkey: 0x2222 });
      await expectTaken({ a, b }, remoteQkey);
    }
  });

  suite.works('so one with the top bit set can only be used by those who have it', async (bench) => {
    const a = datagramSide(bench, {}, { qkey: 0x80010000 });
    const b = datagramSide(bench, { device: bench.peerDevice }, { qkey: 0x80010000 });
    await expectTaken({ a, b }, 0x80010000);
    const before = violations(b);
    const stranger = datagramSide(bench, {}, { qkey: 0x10000 });
    b.qp.postRecv({ wrId: 1, sgList: [b.sge(0, 64)] });
    stranger.qp.postSend(datagram(1, [], ahTo(stranger, b), b.qp, { remoteQkey: 0x80010000 }));
    await expectCompletions(stranger.sendCq, { wrId: 1 });
    expectNoCompletion(b.recvCq);
    expect(violations(b) - before, 'violations').to.equal(1);
  });

  suite.works('changes with a modify in RTS', async (bench) => {
    const pair = datagramPair(bench);
    pair.b.qp.modify({ qkey: 0x3333 });
    expect(pair.b.qp.query().attr.qkey).to.equal(0x3333);
    await expectTaken(pair, 0x3333);
  });

  suite.provokes('is needed on the way to INIT, and has 32 bits', (bench) => {
    const { qp } = bench.side({ qpType: 4 });
    expectError('EINVAL', () => {
      qp.modify({ qpState: QpState.INIT, pkeyIndex: 0, portNum: 1 });
    });
    for (const qkey of [-1, 0.5, 2 ** 32, NaN]) {
      expectError('EINVAL', () => {
        qp.modify({ qpState: QpState.INIT, pkeyIndex: 0, portNum: 1, qkey });
      });
    }
    expect(qp.query().attr.qpState).to.equal(QpState.RESET);
  });
});
