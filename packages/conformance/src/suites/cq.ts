/** Completion queues (ibv_create_cq, ibv_destroy_cq, ibv_poll_cq). */
import { expect } from 'chai';
import { WcOpcode, WorkCompletion } from '@openverbs/verbs';
import { completions, expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import { expectError } from '../bench/errors.ts';
import { send } from '../bench/requests.ts';
import { eventually } from '../bench/wait.ts';
import { defineSuite } from '../define-suite.ts';

export const cqSuite = defineSuite('cq', [], (suite) => {
  suite.works('has at least the entries that were asked for', (bench) => {
    const context = bench.open();
    const { maxCqe } = context.queryDevice();
    for (const cqe of [1, 2, 3, 100, 1000, maxCqe]) {
      const cq = context.createCq({ cqe, cqContext: cqe });
      expect(cq.cqe).to.be.at.least(cqe);
      expect(cq.cqContext).to.equal(cqe);
      expectNoCompletion(cq);
      cq.destroy();
    }
  });

  suite.works('is created and destroyed, over and over', (bench) => {
    const context = bench.open();
    for (let round = 0; round < 500; round++) context.createCq({ cqe: 64 }).destroy();
  });

  suite.provokes('refuses numbers of entries that it cannot have', (bench) => {
    const context = bench.open();
    const { maxCqe } = context.queryDevice();
    for (const cqe of [0, -1, 0.5, NaN, maxCqe + 1, 2 ** 32]) expectError('EINVAL', () => context.createCq({ cqe }));
    context.close();
  });

  suite.provokes('refuses completion vectors that the device has not', (bench) => {
    const context = bench.open();
    for (const compVector of [-1, 0.5, NaN, 2 ** 31]) {
      expectError('EINVAL', () => context.createCq({ cqe: 4, compVector }));
    }
    context.close();
  });

  suite.provokes('is destroyed once, and then polled no more', (bench) => {
    const cq = bench.open().createCq({ cqe: 4 });
    cq.destroy();
    expectError('EINVAL', () => {
      cq.destroy();
    });
    expectError('EINVAL', () => cq.poll(WorkCompletion.array(1)));
    expectError('EINVAL', () => {
      cq.reqNotify();
    });
    expectError(['EINVAL', 'EOPNOTSUPP'], () => {
      cq.resize(8);
    });
  });

  suite.provokes('is busy while a QP uses it', ['rc'], (bench) => {
    const { sendCq, recvCq, qp } = bench.side();
    for (const cq of [sendCq, recvCq]) {
      const error = expectError('EBUSY', () => {
        cq.destroy();
      });
      expect(error.details?.['children'], 'children').to.be.an('array').with.lengthOf(1);
    }
    qp.destroy();
    sendCq.destroy();
    recvCq.destroy();
  });

  suite.works('gives at most what the poll asks for, oldest first', ['rc'], async (bench) => {
    const { a, b } = bench.pair();
    for (let wrId = 0; wrId < 8; wrId++) {
      b.qp.postRecv({ wrId, sgList: [] });
      a.qp.postSend(send(wrId, []));
    }
    // All eight are in the CQ once the last receive is: wait on the other CQ, then look at this one.
    await completions(b.recvCq, 8);
    const wcs = WorkCompletion.array(8);
    expect(a.sendCq.poll(wcs, 0), 'limit 0').to.equal(0);
    let next = 0;
    await eventually('the last of 8 completions', () => {
      const polled = a.sendCq.poll(wcs, 3);
      expect(polled).to.be.at.most(3);
      for (let index = 0; index < polled; index++) expect(wcs[index]?.wrId).to.equal(next++);
      return next === 8;
    });
    expect(a.sendCq.poll(wcs), 'nothing is left').to.equal(0);
  });

  suite.works('leaves completions that it did not fill as they were', ['rc'], async (bench) => {
    const { a, b } = bench.pair();
    b.qp.postRecv({ wrId: 5, sgList: [] });
    a.qp.postSend(send(6, []));
    const wcs = WorkCompletion.array(2);
    wcs[1].wrId = 4711;
    await eventually('a completion', () => a.sendCq.poll(wcs) === 1);
    expect(wcs.map(({ wrId }) => wrId)).to.deep.equal([6, 4711]);
  });

  suite.works('serves both queues of several QPs', ['rc'], async (bench) => {
    const context = bench.open();
    const cq = context.createCq({ cqe: 64 });
    const pairs = [1, 2, 3].map(() => bench.pair({ a: { context, cq } }));
    for (const [index, { a, b }] of pairs.entries()) {
      a.qp.postRecv({ wrId: 10 + index, sgList: [a.sge(0, 8)] });
      b.qp.postSend(send(1, [b.sge(0, 8)]));
      await expectCompletions(cq, { wrId: 10 + index, opcode: WcOpcode.RECV, qp: a.qp, byteLen: 8 });
      b.qp.postRecv({ wrId: 1, sgList: [b.sge(0, 8)] });
      a.qp.postSend(send(20 + index, [a.sge(0, 8)]));
      await expectCompletions(cq, { wrId: 20 + index, opcode: WcOpcode.SEND, qp: a.qp });
    }
    expectNoCompletion(cq);
  });

  suite.works('goes round its ring many times', ['rc'], async (bench) => {
    const { a, b } = bench.pair({ sendCqe: 4, recvCqe: 4 });
    for (let wrId = 0; wrId < 200; wrId++) {
      b.qp.postRecv({ wrId, sgList: [] });
      a.qp.postSend(send(wrId, []));
      await expectCompletions(b.recvCq, { wrId, opcode: WcOpcode.RECV });
      await expectCompletions(a.sendCq, { wrId, opcode: WcOpcode.SEND });
    }
  });
});
