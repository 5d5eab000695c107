/** Shared receive queues (ibv_create_srq, ibv_post_srq_recv, ibv_destroy_srq; IBTA volume 1, 10.2.9). */
import { expect } from 'chai';
import { QpState, RecvWr, SendFlags, WcOpcode, WcStatus } from '@openverbs/verbs';
import { completions, completionsNow, expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import { connect } from '../bench/connect.ts';
import { expectError } from '../bench/errors.ts';
import { expectBytes, fillPattern, pattern } from '../bench/payload.ts';
import { Prng } from '../bench/prng.ts';
import { send, writeImm } from '../bench/requests.ts';
import { share } from '../bench/sharing.ts';
import { defineSuite } from '../define-suite.ts';

/** RNR timer code 1 is 10 us. */
const NO_RETRY = { rnrRetry: 0, minRnrTimer: 1 };
const { REM_OP_ERR, REM_INV_REQ_ERR } = WcStatus;

export const srqSuite = defineSuite('srq', ['rc', 'srq'], (suite) => {
  suite.works('has at least what was asked for', (bench) => {
    const pd = bench.open().allocPd();
    const srq = pd.createSrq({ attr: { maxWr: 5, maxSge: 3 }, srqContext: bench });
    expect([srq.pd, srq.context, srq.srqContext]).to.deep.equal([pd, pd.context, bench]);
    expect(srq.maxWr, 'maxWr').to.be.at.least(5);
    expect(srq.maxSge, 'maxSge').to.be.at.least(3);
    const { maxWr, maxSge } = srq.query();
    expect({ maxWr, maxSge }).to.deep.equal({ maxWr: srq.maxWr, maxSge: srq.maxSge });
    const { maxSrqWr, maxSrqSge } = pd.context.queryDevice();
    pd.createSrq({ attr: { maxWr: maxSrqWr } }).destroy();
    pd.createSrq({ attr: { maxWr: 1, maxSge: maxSrqSge } }).destroy();
    srq.destroy();
    pd.dealloc();
  });

  suite.provokes('attributes that are out of range', (bench) => {
    const pd = bench.open().allocPd();
    const { maxSrqWr, maxSrqSge } = pd.context.queryDevice();
    for (const attr of [
      { maxWr: 0 },
      { maxWr: -1 },
      { maxWr: 1.5 },
      { maxWr: NaN },
      { maxWr: maxSrqWr + 1 },
      { maxWr: 1, maxSge: maxSrqSge + 1 },
      { maxWr: 1, maxSge: -1 },
      { maxWr: 4, srqLimit: -1 },
      { maxWr: 4, srqLimit: 5 },
    ]) {
      expectError('EINVAL', () => pd.createSrq({ attr }));
    }
    pd.dealloc();
  });

  suite.works('whichever QP a message comes to takes the next receive', async (bench) => {
    const { srq, pairs } = share(bench, { count: 3 });
    const [{ b: owner }] = pairs;
    for (let wrId = 0; wrId < 6; wrId++) srq.postRecv({ wrId, sgList: [owner.sge(wrId * 100, 100)] });
    for (const [wrId, at] of [2, 0, 1, 1, 0, 2].entries()) {
      const { a, b } = pairs[at];
      fillPattern(a.bytes.subarray(0, 90), wrId);
      a.qp.postSend(send(10 + wrId, [a.sge(0, 90)]));
      await expectCompletions(b.recvCq, { wrId, opcode: WcOpcode.RECV, byteLen: 90, qp: b.qp });
      await expectCompletions(a.sendCq, { wrId: 10 + wrId });
      expectBytes(owner.bytes.subarray(wrId * 100, wrId * 100 + 90), pattern(wrId, 90), `message ${wrId}`);
    }
  });

  suite.works('a write with immediate data takes a receive', ['rdmaWrite'], async (bench) => {
    const { srq, pairs } = share(bench);
    const { a, b } = pairs[1];
    srq.postRecv(new RecvWr({ wrId: 1 }));
    a.qp.postSend(writeImm(2, [a.sge(0, 8)], b, 0, 77));
    await expectCompletions(b.recvCq, { wrId: 1, opcode: WcOpcode.RECV_RDMA_WITH_IMM, immData: 77, qp: b.qp });
    await expectCompletions(a.sendCq, { wrId: 2 });
  });

  suite.works('receives complete in any order, and each slot is used again', async (bench) => {
    const { srq, pairs } = share(bench, { attr: { maxWr: 7 }, count: 3 });
    const random = new Prng(bench.seed);
    const posted = new Set<number>();
    for (let wrId = 0, round = 0; round < 30; round++) {
      while (posted.size < 7) {
        srq.postRecv({ wrId });
        posted.add(wrId++);
      }
      const messages = 1 + random.next(7);
      const counts = [0, 0, 0];
      for (let n = 0; n < messages; n++) {
        const at = random.next(3);
        counts[at]++;
        pairs[at].a.qp.postSend({ wrId: n, sendFlags: SendFlags.SIGNALED });
        await completions(pairs[at].a.sendCq, 1);
      }
      // The QPs' completions in another order than they came.
      for (const at of [2, 0, 1]) {
        for (const wc of await completions(pairs[at].b.recvCq, counts[at])) {
          expect(wc.status).to.equal(WcStatus.SUCCESS);
          expect(wc.qpNum).to.equal(pairs[at].b.qp.qpNum);
          expect(posted.delete(wc.wrId), `receive ${wc.wrId} completes once`).to.equal(true);
        }
      }
    }
  });

  suite.works('a receive takes its place until its completion was polled', ['directAccess'], async (bench) => {
    const { srq, pairs } = share(bench, { attr: { maxWr: 2 } });
    const { a, b } = pairs[0];
    srq.postRecv([{ wrId: 1 }, { wrId: 2 }]);
    a.qp.postSend(send(3, []));
    await expectCompletions(a.sendCq, { wrId: 3 });
    expectError('ENOMEM', () => {
      srq.postRecv({ wrId: 4 });
    });
    await expectCompletions(b.recvCq, { wrId: 1 });
    srq.postRecv({ wrId: 4 });
  });

  suite.provokes('posts that it can’t take', (bench) => {
    const { srq, pairs } = share(bench);
    const { b } = pairs[0];
    const tooMany = Array.from({ length: srq.maxSge + 1 }, () => b.sge(0, 1));
    const bad = expectError('EINVAL', () => {
      srq.postRecv([{ wrId: 1 }, { wrId: 2, sgList: tooMany }, { wrId: 3 }]);
    });
    expect(bad.details?.['badWrIndex']).to.equal(1);
    const full = expectError('ENOMEM', () => {
      srq.postRecv(Array.from({ length: srq.maxWr + 1 }, (_, wrId) => ({ wrId })));
    });
    expect(full.details?.['badWrIndex'], 'the first one was posted before').to.equal(srq.maxWr - 1);
  });

  suite.provokes('a receive that is posted to a QP which has an SRQ', (bench) => {
    const { pairs } = share(bench);
    const { qp } = pairs[0].b;
    expectError('EINVAL', () => {
      qp.postRecv({ wrId: 1 });
    });
    expectError('EINVAL', () => {
      qp.postRecv(new RecvWr({ wrId: 1 }));
    });
    expect(qp.query().init.srq, 'srq of the query').to.equal(qp.srq);
  });

  suite.provokes('its end while it is used, and a second end', (bench) => {
    const { srq, pd, pairs } = share(bench);
    const error = expectError('EBUSY', () => {
      srq.destroy();
    });
    expect(error.message).to.contain(pairs[0].b.qp.label);
    for (const { b } of pairs) b.qp.destroy();
    expectError('EBUSY', () => {
      pd.dealloc();
    });
    srq.destroy();
    for (const use of [
      () => srq.destroy(),
      () => srq.query(),
      () => srq.modify({ srqLimit: 1 }),
      () => srq.postRecv({}),
      () => srq.postRecv(new RecvWr()),
      () => pairs[0].b.createQp({ srq }),
    ]) {
      expectError('EINVAL', use);
    }
  });

  suite.provokes('an SRQ of another context', (bench) => {
    const { srq } = share(bench, { count: 0 });
    const side = bench.side({ device: bench.peerDevice });
    expectError('EINVAL', () => side.createQp({ srq }));
    srq.destroy();
  });

  suite.provokes('the keys of its receives are those of its own protection domain', async (bench) => {
    const { srq, pd, pairs, context } = share(bench, { count: 1 });
    const [{ b: other }] = pairs;
    const { a, b } = bench.pair({ connected: false, b: { context, srq } });
    expect(b.pd, 'the QP is in another PD').to.not.equal(pd);
    connect(a.qp, b.qp);
    srq.postRecv([
      { wrId: 1, sgList: [other.sge(0, 8)] },
      { wrId: 2, sgList: [b.sge(0, 8)] },
    ]);
    fillPattern(a.bytes.subarray(0, 8), 3);
    a.qp.postSend([send(3, [a.sge(0, 8)]), send(4, [a.sge(0, 8)])]);
    await expectCompletions(b.recvCq, { wrId: 1 }, { wrId: 2, status: WcStatus.LOC_PROT_ERR });
    expectBytes(other.bytes.subarray(0, 8), pattern(3, 8), 'message');
    await expectCompletions(a.sendCq, { wrId: 3 }, { wrId: 4, status: REM_OP_ERR });
  });

  suite.provokes('a message that finds it empty, and no retries', async (bench) => {
    const { srq, pairs } = share(bench, { connection: NO_RETRY });
    const [{ a, b }, other] = pairs;
    a.qp.postSend(send(1, []));
    await expectCompletions(a.sendCq, { wrId: 1, status: WcStatus.RNR_RETRY_EXC_ERR });
    expect(b.qp.query().attr.qpState, 'the receiver').to.equal(QpState.RTS);
    expectNoCompletion(b.recvCq);
    srq.postRecv({ wrId: 2 });
    other.a.qp.postSend(send(3, []));
    await expectCompletions(other.b.recvCq, { wrId: 2, qp: other.b.qp });
  });

  suite.works('messages that find it empty wait for a receive', async (bench) => {
    const { srq, pairs } = share(bench, { connection: { rnrRetry: 7, minRnrTimer: 1 } });
    for (const { a } of pairs) a.qp.postSend(send(1, []));
    srq.postRecv({ wrId: 11 });
    srq.postRecv({ wrId: 12 });
    const wrIds: number[] = [];
    for (const { a, b } of pairs) {
      await expectCompletions(a.sendCq, { wrId: 1 });
      wrIds.push(...(await completions(b.recvCq, 1)).map((wc) => wc.wrId));
    }
    expect(wrIds).to.have.members([11, 12]);
  });

  suite.provokes('a receive that is too small ends one QP, not the SRQ', async (bench) => {
    const { srq, pairs } = share(bench);
    const [{ a, b }, other] = pairs;
    srq.postRecv([{ wrId: 1, sgList: [b.sge(0, 4)] }, { wrId: 2 }]);
    a.qp.postSend(send(3, [a.sge(0, 8)]));
    await expectCompletions(b.recvCq, { wrId: 1, status: WcStatus.LOC_LEN_ERR, qp: b.qp });
    await expectCompletions(a.sendCq, { wrId: 3, status: [REM_INV_REQ_ERR, REM_OP_ERR] });
    expect(b.qp.query().attr.qpState).to.equal(QpState.ERR);
    other.a.qp.postSend(send(4, []));
    await expectCompletions(other.b.recvCq, { wrId: 2, qp: other.b.qp });
    await expectCompletions(other.a.sendCq, { wrId: 4 });
  });

  suite.provokes('a QP in error leaves the receives to the others', async (bench) => {
    const { srq, pairs } = share(bench);
    const [{ b }, other] = pairs;
    srq.postRecv([{ wrId: 1 }, { wrId: 2 }]);
    b.qp.modify({ qpState: QpState.ERR });
    expectNoCompletion(b.recvCq);
    for (const wrId of [1, 2]) {
      other.a.qp.postSend(send(wrId, []));
      await expectCompletions(other.b.recvCq, { wrId, qp: other.b.qp });
    }
  });

  suite.works('a QP that ends or is reset gives back what was not polled', async (bench) => {
    const { srq, pairs } = share(bench, { attr: { maxWr: 4 } });
    const [first, second] = pairs;
    srq.postRecv([{ wrId: 1 }, { wrId: 2 }, { wrId: 3 }, { wrId: 4 }]);
    for (const { a } of [first, second, first, second]) {
      a.qp.postSend(send(0, []));
      await expectCompletions(a.sendCq, { wrId: 0 });
    }
    first.b.qp.destroy();
    second.b.qp.modify({ qpState: QpState.RESET });
    expect(completionsNow(first.b.recvCq), 'of a QP that is gone').to.deep.equal([]);
    expect(completionsNow(second.b.recvCq), 'of a QP that was reset').to.deep.equal([]);
    srq.postRecv([{ wrId: 5 }, { wrId: 6 }, { wrId: 7 }, { wrId: 8 }]);
    second.a.qp.modify({ qpState: QpState.RESET });
    connect(second.a.qp, second.b.qp);
    second.a.qp.postSend(send(9, []));
    const [wc] = await completions(second.b.recvCq, 1);
    expect([5, 6, 7, 8]).to.include(wc.wrId);
  });
});
