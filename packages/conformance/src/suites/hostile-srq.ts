/** Rings of shared receive queues that lie. What is wrong with an SRQ is the trouble of its own QPs, and of nobody else. */
import { expect } from 'chai';
import { EventType, QpState, WcStatus } from '@openverbs/verbs';
import type { SrqRings } from '@openverbs/verbs/driver';
import { RecvWqe, SgeWords, SrqDoorbellRecord } from '@openverbs/verbs/rings';
import { nextAsyncEvent } from '../bench/async-events.ts';
import type { Bench } from '../bench/bench.ts';
import { completions, expectCompletions } from '../bench/completions.ts';
import { fillPattern, snapshot } from '../bench/payload.ts';
import { send } from '../bench/requests.ts';
import { share, type Sharing } from '../bench/sharing.ts';
import { Tampering, type Words } from '../bench/tampering.ts';
import { defineSuite } from '../define-suite.ts';

const { LOC_PROT_ERR, LOC_QP_OP_ERR, LOC_LEN_ERR, REM_OP_ERR, REM_INV_REQ_ERR } = WcStatus;
const SGE_ADDR_HI = RecvWqe.SGE + SgeWords.ADDR_HI;
const SGE_LENGTH = RecvWqe.SGE + SgeWords.LENGTH;
const SGE_LKEY = RecvWqe.SGE + SgeWords.LKEY;

/** A shared receive queue whose rings are known. */
function tampered(bench: Bench): Sharing & { rings: SrqRings; producer: number } {
  const context = bench.open(bench.peerDevice);
  const tampering = new Tampering(context);
  const sharing = share(bench, { context });
  const rings = tampering.sharedRing(sharing.srq);
  return { ...sharing, rings, producer: (rings.doorbellRecordAddr >>> 2) + SrqDoorbellRecord.PRODUCER };
}

/** Sends a message to each QP; all fail, and the SRQ's owner is told why. */
async function expectBroken({ context, srq, pairs }: Sharing): Promise<void> {
  for (const { a, b } of pairs) {
    a.qp.postSend(send(7, []));
    await expectCompletions(a.sendCq, { wrId: 7, status: REM_OP_ERR });
    expect(b.qp.query().attr.qpState, 'state of the receiver').to.equal(QpState.ERR);
  }
  const types: EventType[] = [];
  for (let n = 0; n < 1 + 2 * pairs.length; n++) {
    const event = await nextAsyncEvent(context);
    if (event.type === EventType.SRQ_ERR) expect(event.srq).to.equal(srq);
    types.push(event.type);
    context.ackAsyncEvent(event);
  }
  const ofEach = pairs.flatMap(() => [EventType.QP_FATAL, EventType.QP_LAST_WQE_REACHED]);
  expect(types).to.have.members([EventType.SRQ_ERR, ...ofEach]);
}

const spoilt: readonly { title: string; words: Words; statuses: readonly WcStatus[] }[] = [
  { title: '255 SGEs', words: { [RecvWqe.SGE_COUNT]: 255 }, statuses: [LOC_QP_OP_ERR, LOC_PROT_ERR] },
  { title: '-1 SGEs', words: { [RecvWqe.SGE_COUNT]: -1 }, statuses: [LOC_QP_OP_ERR, LOC_PROT_ERR] },
  { title: 'an address above 4 GiB', words: { [SGE_ADDR_HI]: 1 }, statuses: [LOC_PROT_ERR] },
  { title: 'an lkey of all ones', words: { [SGE_LKEY]: -1 }, statuses: [LOC_PROT_ERR] },
  { title: 'a length of 2^32 - 1', words: { [SGE_LENGTH]: -1 }, statuses: [LOC_PROT_ERR, LOC_QP_OP_ERR, LOC_LEN_ERR] },
];

export const hostileSrqSuite = defineSuite('hostile-srq', ['rc', 'srq', 'directAccess', 'asyncEvents'], (suite) => {
  for (const by of [-2, 1 << 20, 0x7fffffff, -2147483648]) {
    suite.provokes(`a producer that claims ${by} entries more than there are`, async (bench) => {
      const sharing = tampered(bench);
      sharing.srq.postRecv({ wrId: 1 });
      sharing.rings.i32[sharing.producer] += by;
      await expectBroken(sharing);
    });
  }

  for (const slot of [8, -1, 1 << 16, 0x7fffffff, -2147483648]) {
    suite.provokes(`an entry that names the slot ${slot} of 8`, async (bench) => {
      const sharing = tampered(bench);
      sharing.srq.postRecv({ wrId: 1 });
      sharing.rings.i32[sharing.rings.ringAddr >>> 2] = slot;
      await expectBroken(sharing);
    });
  }

  suite.provokes('entries that all name one slot', async (bench) => {
    const { srq, rings, pairs } = tampered(bench);
    const [{ a, b }] = pairs;
    fillPattern(b.bytes, 1);
    const memory = snapshot(b.bytes.subarray(8), 'memory that no receive names');
    srq.postRecv(Array.from({ length: 8 }, (_, wrId) => ({ wrId, sgList: [b.sge(0, 8)] })));
    for (let n = 0; n < 8; n++) rings.i32[(rings.ringAddr >>> 2) + n] = 5;
    for (let n = 0; n < 8; n++) a.qp.postSend(send(n, [a.sge(0, 8)]));
    await completions(a.sendCq, 8);
    const [first] = await completions(b.recvCq, 8);
    expect(first.wrId).to.equal(5);
    memory.expectUnchanged();
  });

  suite.provokes('an SRQ that broke ends as any other', async (bench) => {
    const sharing = tampered(bench);
    const { srq, rings, pairs, pd } = sharing;
    srq.postRecv({ wrId: 1 });
    rings.i32[rings.ringAddr >>> 2] = -1;
    await expectBroken(sharing);
    srq.postRecv({ wrId: 2 });
    for (const { b } of pairs) b.qp.destroy();
    srq.destroy();
    pd.createSrq({ attr: { maxWr: 8 } }).destroy();
  });

  for (const { title, words, statuses } of spoilt) {
    suite.provokes(`a receive with ${title}`, async (bench) => {
      const { srq, rings, pairs } = tampered(bench);
      const [{ a, b }, other] = pairs;
      fillPattern(b.bytes, 1);
      const memory = snapshot(b.bytes, 'memory of the receiver');
      srq.postRecv([{ wrId: 1, sgList: [b.sge(0, 8)] }, { wrId: 2 }]);
      const wqe = (rings.wqeAddr >>> 2) + (rings.i32[rings.ringAddr >>> 2] << (rings.wqeLog2Bytes - 2));
      for (const [word, value] of Object.entries(words)) rings.i32[wqe + Number(word)] = value;
      a.qp.postSend(send(3, [a.sge(0, 8)]));
      await expectCompletions(b.recvCq, { wrId: 1, status: statuses, qp: b.qp });
      await expectCompletions(a.sendCq, { wrId: 3, status: [REM_OP_ERR, REM_INV_REQ_ERR] });
      memory.expectUnchanged();
      other.a.qp.postSend(send(4, []));
      await expectCompletions(other.b.recvCq, { wrId: 2, qp: other.b.qp });
    });
  }
});
