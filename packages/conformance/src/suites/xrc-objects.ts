/** The objects of extended reliable connections: domains, openings of queue pairs, SRQs (ibv_open_xrcd, ibv_open_qp, ibv_create_srq_ex). */
import { closeSync, openSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { EventType, QpState, QpType, SrqType, WcStatus } from '@openverbs/verbs';
import { nextAsyncEvent } from '../bench/async-events.ts';
import { expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import { expectError } from '../bench/errors.ts';
import { connectExtended, createSender, extend, receiver } from '../bench/extended.ts';
import { send, write } from '../bench/requests.ts';
import { defineSuite } from '../define-suite.ts';

const CREATE = 0o100;
const EXCLUSIVE = 0o200;

/** Runs `use` with an open file that nobody else has. */
async function withFile(use: (fd: number) => void | Promise<void>): Promise<void> {
  const path = join(tmpdir(), `xrcd-${process.pid}-${process.hrtime.bigint()}`);
  const fd = openSync(path, 'w');
  try {
    await use(fd);
  } finally {
    closeSync(fd);
    unlinkSync(path);
  }
}

export const xrcObjectsSuite = defineSuite('xrc-objects', ['rc', 'srq', 'xrc'], (suite) => {
  suite.works('a domain of an inode is one for all who open it', async (bench) => {
    await withFile(async (fd) => {
      const contexts = [bench.open(bench.peerDevice), bench.open(bench.peerDevice)];
      expectError('EAGAIN', () => contexts[0].openXrcd({ fd, oflags: 0 }));
      const xrcd = contexts[0].openXrcd({ fd, oflags: CREATE | EXCLUSIVE });
      expectError('EINVAL', () => contexts[1].openXrcd({ fd, oflags: CREATE | EXCLUSIVE }));
      const same = contexts[1].openXrcd({ fd, oflags: 0 });
      const [sender, target] = [bench.side(), xrcd.createQp()];
      const qp = createSender(sender);
      connectExtended(qp, target);
      const { srq, cq } = receiver(same);
      srq.postRecv({ wrId: 1 });
      qp.postSend(send(2, [], { remoteSrqn: srq.srqNum }));
      await expectCompletions(cq, { wrId: 1, qp: target });
      await expectCompletions(sender.sendCq, { wrId: 2 });
    });
  });

  suite.works('a queue pair that is opened lives until the last one ends it', async (bench) => {
    await withFile(async (fd) => {
      const contexts = [bench.open(bench.peerDevice), bench.open(bench.peerDevice)];
      const [xrcd, same] = contexts.map((context) => context.openXrcd({ fd, oflags: CREATE }));
      const target = xrcd.createQp();
      const { qpNum } = target;
      const sender = bench.side();
      const qp = createSender(sender);
      connectExtended(qp, target);
      const qpContext = { mine: true };
      const opened = [xrcd.openQp({ qpNum }), same.openQp({ qpNum, qpType: QpType.XRC_RECV, qpContext })];
      expect(opened.map((each) => [each.qpNum, each.state])).to.deep.equal(opened.map(() => [qpNum, target.state]));
      expect([opened[1].qpContext, opened[1].xrcd, opened[1].pd]).to.deep.equal([qpContext, same, null]);
      expect(opened[1].query().attr.destQpNum).to.equal(qp.qpNum);
      const { srq, cq } = receiver(same);
      srq.postRecv([{ wrId: 1 }, { wrId: 2 }]);
      target.destroy();
      qp.postSend(send(3, [], { remoteSrqn: srq.srqNum }));
      await expectCompletions(sender.sendCq, { wrId: 3 });
      opened[0].destroy();
      xrcd.close();
      qp.postSend(send(4, [], { remoteSrqn: srq.srqNum }));
      await expectCompletions(cq, { wrId: 1, qp: opened[1] }, { wrId: 2 });
      await expectCompletions(sender.sendCq, { wrId: 4 });
      opened[1].modify({ qpState: QpState.ERR });
      expect(opened[1].state).to.equal(QpState.ERR);
      expectError('EBUSY', () => {
        same.close();
      });
      opened[1].destroy();
      expectError('EINVAL', () => same.openQp({ qpNum }));
    });
  });

  suite.works('all who have a queue pair open see its state, and hear of it', ['asyncEvents'], async (bench) => {
    const { sender, qp, xrcd, target, receivers } = extend(bench, { count: 2 });
    const { srq, cq, context } = receivers[0];
    target.toRts();
    const opened = xrcd.openQp({ qpNum: target.qpNum });
    qp.postSend(write(2, [sender.sge(0, 4)], receivers[1].side, 0, { remoteSrqn: srq.srqNum }));
    await expectCompletions(sender.sendCq, { wrId: 2, status: WcStatus.REM_ACCESS_ERR });
    for (const { attr } of [opened.query(), target.query()]) expect(attr.qpState).to.equal(QpState.ERR);
    const events = [await nextAsyncEvent(context), await nextAsyncEvent(context)];
    expect(events.map(({ type }) => type)).to.deep.equal([EventType.QP_ACCESS_ERR, EventType.QP_ACCESS_ERR]);
    expect(events.map((event) => event.qp)).to.have.members([target, opened]);
    for (const event of events) context.ackAsyncEvent(event);
    expectNoCompletion(cq);
  });

  suite.provokes('queue pairs that can’t be opened', (bench) => {
    const { xrcd, target, qp, receivers } = extend(bench);
    const { qpNum } = target;
    const other = receivers[0].context.openXrcd();
    const side = bench.side({ device: bench.peerDevice });
    const ended = xrcd.createQp();
    ended.destroy();
    for (const number of [side.qp.qpNum, ended.qpNum, 0, -1, 1.5, 0x1000000, 0xffffff])
      expectError('EINVAL', () => xrcd.openQp({ qpNum: number }));
    expectError('EINVAL', () => other.openQp({ qpNum }));
    expectError('EINVAL', () => xrcd.openQp({ qpNum, qpType: QpType.RC }));
    expectError('EINVAL', () => xrcd.openQp({ qpNum, qpn: qpNum } as never));
    const opened = xrcd.openQp({ qpNum });
    for (const post of [() => opened.postRecv({}), () => opened.postSend({ remoteSrqn: 1 })])
      expectError('EINVAL', post);
    opened.destroy();
    for (const use of [
      () => {
        opened.destroy();
      },
      () => opened.query(),
    ])
      expectError('EINVAL', use);
    expect(target.query().attr.destQpNum).to.equal(qp.qpNum);
    other.close();
    expectError('EINVAL', () => other.openQp({ qpNum }));
  });

  suite.provokes('attributes of a domain that are wrong', (bench) => {
    const context = bench.open();
    for (const init of [
      { fd: -2 },
      { fd: 1.5 },
      { fd: 1_000_000 },
      { oflags: -1 },
      { oflags: 1 << 20 },
      { oflags: 0 },
    ]) {
      expectError(['EINVAL', 'EAGAIN'], () => context.openXrcd(init));
    }
    context.close();
  });

  suite.provokes('a domain that is in use, and a second close', (bench) => {
    const { xrcd, target, receivers } = extend(bench);
    const { srq, cq } = receivers[0];
    for (const [use, end] of [
      [xrcd, () => target.destroy()],
      [xrcd, () => srq.destroy()],
    ] as const) {
      expectError('EBUSY', () => {
        use.close();
      });
      if (!srq.destroyed)
        expectError('EBUSY', () => {
          cq.destroy();
        });
      end();
    }
    cq.destroy();
    xrcd.close();
    expectError('EINVAL', () => {
      xrcd.close();
    });
    expectError('EINVAL', () => xrcd.createQp());
  });

  suite.provokes('what an XRC SRQ must have, and a basic one must not', (bench) => {
    const { xrcd, receivers } = extend(bench);
    const { pd, cq, srq, context } = receivers[0];
    const foreign = extend(bench);
    const attr = { maxWr: 4 };
    const XRC = { attr, srqType: SrqType.XRC };
    for (const init of [
      { ...XRC },
      { ...XRC, xrcd },
      { ...XRC, cq },
      { ...XRC, cq, xrcd: foreign.xrcd },
      { ...XRC, xrcd, cq: foreign.receivers[0].cq },
      { attr, cq },
      { attr, xrcd },
      { attr, xrcd, cq },
      { attr, srqType: 9 as SrqType },
    ]) {
      expectError('EINVAL', () => pd.createSrq(init));
    }
    expectError('EOPNOTSUPP', () => pd.createSrq({ attr, srqType: SrqType.TM, xrcd, cq }));
    expect([srq.srqType, srq.xrcd, srq.cq]).to.deep.equal([SrqType.XRC, xrcd, cq]);
    expect(srq.srqNum).to.be.within(1, 0xffffff);
    context.openXrcd().close();
  });

  suite.provokes('queue pairs that are none', (bench) => {
    const { sender, qp, target, receivers } = extend(bench);
    const { pd, sendCq, recvCq } = sender;
    const cap = { maxSendWr: 1 };
    for (const init of [
      { qpType: QpType.XRC_RECV, sendCq, recvCq, cap },
      { qpType: QpType.RC, sendCq, cap },
    ]) {
      expectError('EINVAL', () => pd.createQp(init));
    }
    const { side, srq } = receivers[0];
    expectError('EINVAL', () => side.createQp({ srq }));
    for (const post of [() => qp.postRecv({}), () => target.postRecv({}), () => target.postSend({ remoteSrqn: 1 })]) {
      expectError('EINVAL', post);
    }
    expect([target.pd, target.sendCq, target.recvCq, target.srq, qp.recvCq]).to.deep.equal([
      null,
      null,
      null,
      null,
      null,
    ]);
    expect([target.qpType, qp.qpType]).to.deep.equal([QpType.XRC_RECV, QpType.XRC_SEND]);
  });
});
