/** Doorbells, doorbell records and receive WQEs that lie. */
import { expect } from 'chai';
import { EventType, QpState, WcStatus } from '@openverbs/verbs';
import type { QpRings } from '@openverbs/verbs/driver';
import { CqDoorbellRecord, QpDoorbellRecord, RecvWqe, SgeWords } from '@openverbs/verbs/rings';
import type { Bench } from '../bench/bench.ts';
import { expectAsyncEvent } from '../bench/async-events.ts';
import { Bystander } from '../bench/bystander.ts';
import { completions, expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import { fillPattern, snapshot } from '../bench/payload.ts';
import { send } from '../bench/requests.ts';
import type { Side } from '../bench/side.ts';
import { Tampering, type Words } from '../bench/tampering.ts';
import { defineSuite } from '../define-suite.ts';
import { tamperedPair } from './hostile-wqe.ts';

const { SQ_PRODUCER, RQ_PRODUCER, STATE } = QpDoorbellRecord;
const SGE_ADDR_HI = RecvWqe.SGE + SgeWords.ADDR_HI;
const SGE_LENGTH = RecvWqe.SGE + SgeWords.LENGTH;
const SGE_LKEY = RecvWqe.SGE + SgeWords.LKEY;
const { LOC_PROT_ERR, LOC_QP_OP_ERR, LOC_LEN_ERR, REM_OP_ERR, REM_INV_REQ_ERR } = WcStatus;

/** A pair whose second side is tampered with. */
function tamperedReceiver(bench: Bench): { a: Side; b: Side; tampering: Tampering } {
  const context = bench.open(bench.peerDevice);
  const tampering = new Tampering(context);
  return { ...bench.pair({ b: { context } }), tampering };
}

/** Moves a word of a QP's doorbell record. */
function add(rings: QpRings, word: number, by: number): void {
  const at = (rings.doorbellRecordAddr >>> 2) + word;
  rings.i32[at] = (rings.i32[at] + by) | 0;
}

const spoiltReceives: readonly { title: string; words: Words; statuses: readonly number[] }[] = [
  { title: '255 SGEs', words: { [RecvWqe.SGE_COUNT]: 255 }, statuses: [LOC_QP_OP_ERR, LOC_PROT_ERR] },
  { title: '-1 SGEs', words: { [RecvWqe.SGE_COUNT]: -1 }, statuses: [LOC_QP_OP_ERR, LOC_PROT_ERR] },
  { title: '2^31 SGEs', words: { [RecvWqe.SGE_COUNT]: -2147483648 }, statuses: [LOC_QP_OP_ERR, LOC_PROT_ERR] },
  { title: 'an address above 4 GiB', words: { [SGE_ADDR_HI]: 1 }, statuses: [LOC_PROT_ERR] },
  { title: 'an address with the top bit set', words: { [SGE_ADDR_HI]: -1 }, statuses: [LOC_PROT_ERR] },
  { title: 'an lkey of all ones', words: { [SGE_LKEY]: -1 }, statuses: [LOC_PROT_ERR] },
  { title: 'a length of 2^32 - 1', words: { [SGE_LENGTH]: -1 }, statuses: [LOC_PROT_ERR, LOC_QP_OP_ERR, LOC_LEN_ERR] },
];

export const hostileRingsSuite = defineSuite('hostile-rings', ['rc', 'directAccess'], (suite) => {
  for (const { title, words, statuses } of spoiltReceives) {
    suite.provokes(`a receive with ${title}`, async (bench) => {
      const { a, b, tampering } = tamperedReceiver(bench);
      fillPattern(b.bytes, 1);
      const memory = snapshot(b.bytes, 'memory of the receiver');
      b.qp.postRecv({ wrId: 1, sgList: [b.sge(0, 8)] });
      tampering.spoilLastReceive(b.qp, words);
      a.qp.postSend(send(2, [a.sge(0, 8)]));
      await expectCompletions(b.recvCq, { wrId: 1, status: statuses as readonly WcStatus[] });
      await expectCompletions(a.sendCq, { wrId: 2, status: [REM_OP_ERR, REM_INV_REQ_ERR] });
      for (const { qp } of [a, b]) expect(qp.query().attr.qpState).to.equal(QpState.ERR);
      memory.expectUnchanged();
    });
  }

  for (const by of [-1, 1 << 20, 0x7fffffff, -2147483648]) {
    suite.provokes(`a send queue that claims ${by} entries more than it holds`, ['asyncEvents'], async (bench) => {
      const { a, b, tampering } = tamperedPair(bench);
      tampering.beforeDoorbell(a.qp, (rings) => {
        add(rings, SQ_PRODUCER, by < 0 ? by - 1 : by);
      });
      a.qp.postSend(send(1, []));
      await expectAsyncEvent(a.context, EventType.QP_FATAL, a.qp);
      expect(a.qp.query().attr.qpState).to.equal(QpState.ERR);
      expect(b.qp.query().attr.qpState, 'the peer').to.equal(QpState.RTS);
      a.qp.destroy();
    });
  }

  suite.provokes('a receive queue that claims more than it holds', async (bench) => {
    for (const by of [-1, 1 << 20, 0x7fffffff, -2147483648]) {
      const { a, b, tampering } = tamperedReceiver(bench);
      b.qp.postRecv({ wrId: 1, sgList: [b.sge(0, 8)] });
      add(tampering.rings(b.qp), RQ_PRODUCER, by < 0 ? by - 1 : by);
      a.qp.postSend(send(2, [a.sge(0, 8)]));
      if (by === -1) {
        // Less than nothing: there is no receive as far as anybody can tell, or the queue is broken.
        b.qp.modify({ qpState: QpState.ERR });
      }
      const [wc] = await completions(a.sendCq, 1);
      expect(wc?.wrId).to.equal(2);
      b.qp.destroy();
    }
  });

  suite.provokes('doorbells of QPs that do not exist, or are somebody else’s', async (bench) => {
    const { a, b, tampering } = tamperedPair(bench);
    const bystander = new Bystander(bench);
    const foreign = bench.pair();
    const { doorbell } = tampering.rings(a.qp);
    for (const qpNum of [
      0,
      1,
      -1,
      0xffffff,
      2 ** 24,
      2 ** 31,
      -(2 ** 31),
      NaN,
      foreign.a.qp.qpNum,
      foreign.b.qp.qpNum,
    ]) {
      doorbell.ringSq(qpNum);
      doorbell.ringRq(qpNum);
    }
    await bystander.verify();
    b.qp.postRecv({ wrId: 1 });
    a.qp.postSend(send(2, []));
    await expectCompletions(a.sendCq, { wrId: 2 });
    expectNoCompletion(foreign.a.sendCq);
    expect(foreign.a.qp.query().attr.qpState).to.equal(QpState.RTS);
  });

  suite.provokes('a doorbell without work', async (bench) => {
    const { a, b, tampering } = tamperedPair(bench);
    const { doorbell } = tampering.rings(a.qp);
    for (let n = 0; n < 100; n++) doorbell.ringSq(a.qp.qpNum);
    b.qp.postRecv({ wrId: 1 });
    a.qp.postSend(send(2, []));
    for (let n = 0; n < 100; n++) doorbell.ringSq(a.qp.qpNum);
    await expectCompletions(a.sendCq, { wrId: 2 });
    expectNoCompletion(a.sendCq);
  });

  suite.provokes('the state in the doorbell record is the host’s copy only', async (bench) => {
    const { a, b, tampering } = tamperedPair(bench);
    const { i32, doorbellRecordAddr } = tampering.rings(a.qp);
    b.qp.postRecv({ wrId: 1 });
    tampering.beforeDoorbell(a.qp, () => {
      i32[(doorbellRecordAddr >>> 2) + STATE] = QpState.ERR;
    });
    a.qp.postSend(send(2, []));
    await expectCompletions(a.sendCq, { wrId: 2 });
    expect(a.qp.query().attr.qpState, 'what the device says').to.equal(QpState.RTS);
  });

  suite.provokes('a CQ that claims to have consumed what is not there', async (bench) => {
    for (const by of [1, 1000, -1, -2147483648]) {
      const { a, b, tampering } = tamperedPair(bench);
      const { i32, doorbellRecordAddr } = tampering.ring(a.sendCq);
      const consumer = (doorbellRecordAddr >>> 2) + CqDoorbellRecord.CONSUMER;
      i32[consumer] = (i32[consumer] + by) | 0;
      b.qp.postRecv([{ wrId: 1 }, { wrId: 2 }]);
      a.qp.postSend([send(1, []), send(2, [])]);
      // Whatever becomes of this CQ is its owner's business; that the message arrived, or that its QP broke, ends the test.
      await new Bystander(bench).verify();
      a.qp.destroy();
    }
  });

  suite.provokes('a CQ that is armed with bits that mean nothing', ['completionEvents'], async (bench) => {
    const { a, b, tampering } = tamperedPair(bench);
    const { i32, doorbellRecordAddr } = tampering.ring(a.sendCq);
    i32[(doorbellRecordAddr >>> 2) + CqDoorbellRecord.ARM] = -1;
    b.qp.postRecv({ wrId: 1 });
    a.qp.postSend(send(2, []));
    await expectCompletions(a.sendCq, { wrId: 2 });
  });
});
