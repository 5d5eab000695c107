/** What does not fit a message of the device channel: the pages of large regions, and the completions of large queues. */
import { expect } from 'chai';
import { AccessFlags, connectPair, openVerbs, QpType, SendFlags, WcStatus, WorkCompletion, WrOpcode } from 'openverbs';
import type { CompletionQueue, Context, ProtectionDomain, QueuePair } from 'openverbs';

const GIB = 2 ** 30;
const PAGE_BYTES = 4096;
const CQE = 65536;
const SENDS_A_QP = 16384;
const SENDS_A_POST = 512;

/** A guest with more memory than usual, for a test. */
function inGuest(mode: string, dom0: 'inline' | 'thread', test: (context: Context) => void): void {
  using verbs = openVerbs({
    provider: `xen:${mode}`,
    xen: { placement: dom0, guests: [{ memoryBytes: 1.5 * GIB }] },
    emulated: { placement: 'inline' },
  });
  test(verbs.device().open());
}

/** A QP that is connected to itself. */
function selfConnected(pd: ProtectionDomain, cq: CompletionQueue, maxSendWr: number): QueuePair {
  const qp = pd.createQp({ sendCq: cq, recvCq: cq, qpType: QpType.RC, cap: { maxSendWr, maxRecvWr: 1 } });
  connectPair(qp, qp);
  return qp;
}

function pollOne(cq: CompletionQueue): WorkCompletion {
  const wcs = WorkCompletion.array(1);
  while (cq.poll(wcs) === 0);
  return wcs[0];
}

/** Registers a GiB, and moves bytes between its first page and its last one. */
function registersOneGib(context: Context): void {
  const pd = context.allocPd();
  const cq = context.createCq({ cqe: 16 });
  const qp = selfConnected(pd, cq, 4);
  const access = AccessFlags.LOCAL_WRITE | AccessFlags.REMOTE_WRITE;
  const buffer = context.allocBuf(GIB);
  for (let round = 1; round <= 2; round++) {
    const mr = pd.regMr(buffer, access);
    buffer.bytes.fill(round, 0, PAGE_BYTES);
    qp.postSend({
      opcode: WrOpcode.RDMA_WRITE,
      sendFlags: SendFlags.SIGNALED,
      sgList: [mr.sge(0, PAGE_BYTES)],
      rkey: mr.rkey,
      remoteAddr: mr.addr + GIB - PAGE_BYTES,
    });
    expect(pollOne(cq).status).to.equal(WcStatus.SUCCESS);
    expect(buffer.bytes.subarray(GIB - PAGE_BYTES).every((byte) => byte === round)).to.equal(true);
    expect(buffer.bytes[GIB - PAGE_BYTES - 1]).to.equal(0);
    mr.dereg();
  }
  qp.destroy();
  buffer.free();
  // All of the guest's memory is there again.
  context.allocBuf(GIB).free();
}

/** Fills a queue of 64 Ki completions to the last entry, and polls them all, in order of each QP. */
function fillsLargeCq(context: Context): void {
  const pd = context.allocPd();
  const cq = context.createCq({ cqe: CQE });
  expect(cq.cqe).to.be.at.least(CQE);
  const qps = Array.from({ length: CQE / SENDS_A_QP }, () => selfConnected(pd, cq, SENDS_A_QP));
  for (const qp of qps) {
    for (let first = 0; first < SENDS_A_QP; first += SENDS_A_POST) {
      const ids = Array.from({ length: SENDS_A_POST }, (_, n) => first + n);
      qp.postSend(
        ids.map((wrId) => ({ wrId, opcode: WrOpcode.RDMA_WRITE, sendFlags: SendFlags.SIGNALED, sgList: [] })),
      );
    }
  }
  const next = new Map(qps.map(({ qpNum }) => [qpNum, 0]));
  const wcs = WorkCompletion.array(1000);
  for (let polled = 0; polled < CQE;) {
    const count = cq.poll(wcs);
    for (const { qpNum, wrId, status } of wcs.slice(0, count)) {
      expect([status, Number(wrId)]).to.deep.equal([WcStatus.SUCCESS, next.get(qpNum)]);
      next.set(qpNum, Number(wrId) + 1);
    }
    polled += count;
  }
  expect([...next.values()]).to.deep.equal(qps.map(() => SENDS_A_QP));
  expect(cq.poll(wcs)).to.equal(0);
}

describe('large things in a guest', function () {
  this.timeout(120_000);

  for (const mode of ['basic', 'bypass'] as const) {
    for (const dom0 of ['inline', 'thread'] as const) {
      it(`xen:${mode}, device domain ${dom0}: a region of 1 GiB`, () => {
        inGuest(mode, dom0, registersOneGib);
      });

      it(`xen:${mode}, device domain ${dom0}: a completion queue of 64 Ki entries, full`, () => {
        inGuest(mode, dom0, fillsLargeCq);
      });
    }
  }
});
