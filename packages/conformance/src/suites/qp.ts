/** Queue pairs as objects (ibv_create_qp, ibv_query_qp, ibv_destroy_qp). */
import { expect } from 'chai';
import {
  QpDataInOrderCaps,
  QpDataInOrderFlags,
  QpState,
  QpType,
  WrOpcode,
  type CompletionQueue,
  type QpInitAttr,
} from '@openverbs/verbs';
import { connect } from '../bench/connect.ts';
import { expectError } from '../bench/errors.ts';
import { defineSuite } from '../define-suite.ts';

/** Enough of everything, for tests that are about one argument. */
function initAttr(cq: CompletionQueue, cap: Partial<QpInitAttr['cap']> = {}): QpInitAttr {
  return { sendCq: cq, recvCq: cq, qpType: QpType.RC, cap: { maxSendWr: 4, maxRecvWr: 4, ...cap } };
}

export const qpSuite = defineSuite('qp', ['rc'], (suite) => {
  suite.works('has at least the capabilities that were asked for', (bench) => {
    const context = bench.open();
    const { maxQpWr, maxSge } = context.queryDevice();
    const [pd, cq] = [context.allocPd(), context.createCq({ cqe: 16 })];
    for (const asked of [
      { maxSendWr: 1, maxRecvWr: 1, maxSendSge: 1, maxRecvSge: 1 },
      { maxSendWr: 33, maxRecvWr: 5, maxSendSge: 3, maxRecvSge: 2 },
      { maxSendWr: maxQpWr, maxRecvWr: maxQpWr, maxSendSge: 1, maxRecvSge: 1 },
      { maxSendWr: 1, maxRecvWr: 1, maxSendSge: maxSge, maxRecvSge: maxSge },
    ]) {
      const qp = pd.createQp(initAttr(cq, asked));
      const { cap } = qp.query().init;
      for (const [name, least] of Object.entries(asked)) {
        expect(cap[name as keyof typeof asked], name).to.be.at.least(least);
      }
      expect(qp.cap, 'cap of the object').to.deep.equal(cap);
      qp.destroy();
    }
  });

  suite.works('begins in RESET and knows what it was made of', (bench) => {
    const context = bench.open();
    const [pd, sendCq, recvCq] = [context.allocPd(), context.createCq({ cqe: 4 }), context.createCq({ cqe: 4 })];
    const qpContext = { some: 'thing' };
    const cap = { maxSendWr: 1, maxRecvWr: 1 };
    const qp = pd.createQp({ sendCq, recvCq, qpType: QpType.RC, sqSigAll: true, qpContext, cap });
    expect(qp.query().attr.qpState).to.equal(QpState.RESET);
    expect(qp.state).to.equal(QpState.RESET);
    expect([qp.pd, qp.sendCq, qp.recvCq, qp.srq, qp.qpType, qp.sqSigAll, qp.qpContext]).to.deep.equal([
      pd,
      sendCq,
      recvCq,
      null,
      QpType.RC,
      true,
      qpContext,
    ]);
  });

  suite.works('has a 24-bit number that no other one has', (bench) => {
    const side = bench.side();
    const numbers = Array.from({ length: 50 }, () => side.createQp().qpNum);
    expect(new Set(numbers).size).to.equal(50);
    // 0 and 1 are the management QPs, 0xffffff is multicast (InfiniBand specification, 9.2.1).
    for (const qpNum of numbers) expect(qpNum).to.be.within(2, 0xfffffe);
  });

  suite.works('is created and destroyed, over and over', (bench) => {
    const side = bench.side();
    for (let round = 0; round < 500; round++) side.createQp().destroy();
  });

  suite.provokes('refuses capabilities beyond the device', (bench) => {
    const context = bench.open();
    const { maxQpWr, maxSge } = context.queryDevice();
    const [pd, cq] = [context.allocPd(), context.createCq({ cqe: 16 })];
    for (const cap of [
      { maxSendWr: maxQpWr + 1 },
      { maxRecvWr: maxQpWr + 1 },
      { maxSendSge: maxSge + 1 },
      { maxRecvSge: maxSge + 1 },
      { maxInlineData: 2 ** 30 },
    ]) {
      expectError('EINVAL', () => pd.createQp(initAttr(cq, cap)));
    }
  });

  suite.provokes('refuses capabilities that are no counts', (bench) => {
    const context = bench.open();
    const [pd, cq] = [context.allocPd(), context.createCq({ cqe: 16 })];
    for (const name of ['maxSendWr', 'maxRecvWr', 'maxSendSge', 'maxRecvSge', 'maxInlineData'] as const) {
      for (const value of [-1, 0.5, NaN, 2 ** 32]) {
        expectError('EINVAL', () => pd.createQp(initAttr(cq, { [name]: value })));
      }
    }
  });

  suite.provokes('refuses types that do not exist', (bench) => {
    const context = bench.open();
    const [pd, cq] = [context.allocPd(), context.createCq({ cqe: 16 })];
    for (const qpType of [0, 1, 99, -1, NaN]) {
      const init = { ...initAttr(cq), qpType: qpType as QpType };
      expectError(['EINVAL', 'EOPNOTSUPP'], () => pd.createQp(init));
    }
  });

  suite.provokes('refuses a CQ that was destroyed', (bench) => {
    const context = bench.open();
    const [pd, cq, gone] = [context.allocPd(), context.createCq({ cqe: 4 }), context.createCq({ cqe: 4 })];
    gone.destroy();
    expectError('EINVAL', () => pd.createQp({ ...initAttr(cq), sendCq: gone }));
    expectError('EINVAL', () => pd.createQp({ ...initAttr(cq), recvCq: gone }));
    // The refused QPs hold neither the PD nor the CQ.
    cq.destroy();
    pd.dealloc();
  });

  suite.provokes('is destroyed once, and does nothing afterwards', (bench) => {
    const { qp } = bench.side();
    qp.destroy();
    expectError('EINVAL', () => {
      qp.destroy();
    });
    expectError('EINVAL', () => qp.query());
    expectError('EINVAL', () => {
      qp.modify({ qpState: QpState.RESET });
    });
    expectError('EINVAL', () => {
      qp.postSend({ wrId: 1 });
    });
    expectError('EINVAL', () => {
      qp.postRecv({ wrId: 1 });
    });
  });

  suite.works('can be destroyed with work on it', (bench) => {
    const { a, b } = bench.pair({ connected: false });
    for (let round = 0; round < 10; round++) {
      const [here, there] = [a.createQp(), b.createQp()];
      connect(here, there);
      here.postRecv({ wrId: 1, sgList: [a.sge()] });
      // Nobody has posted a receive: this is still waiting for one when its QP goes.
      here.postSend({ wrId: 2, sgList: [a.sge(0, 8)] });
      here.destroy();
      there.destroy();
    }
  });

  suite.works('says whether data comes in order, without and with flags', (bench) => {
    const { qp } = bench.side();
    for (const opcode of [WrOpcode.SEND, WrOpcode.RDMA_WRITE, WrOpcode.RDMA_READ]) {
      const caps = qp.queryDataInOrder(opcode, QpDataInOrderFlags.RETURN_CAPS | QpDataInOrderFlags.DEVICE_ONLY);
      expect(caps & ~3, 'bits without a name').to.equal(0);
      expect(qp.queryDataInOrder(opcode, QpDataInOrderFlags.DEVICE_ONLY)).to.equal(caps & QpDataInOrderCaps.WHOLE_MSG);
      expect(qp.queryDataInOrder(opcode)).to.be.oneOf([0, 1]);
    }
  });

  suite.provokes('refuses to say it of what is no operation, or no flag', (bench) => {
    const { qp } = bench.side();
    expectError('EINVAL', () => qp.queryDataInOrder(99 as WrOpcode));
    expectError('EINVAL', () => qp.queryDataInOrder(WrOpcode.SEND, 4));
    qp.destroy();
    expectError('EINVAL', () => qp.queryDataInOrder(WrOpcode.SEND));
  });
});
