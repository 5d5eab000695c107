/** What outlives what: destroying objects while work of them is about, and disposal by their owners. */
import { expect } from 'chai';
import { QpState, QpType, WcStatus } from '@openverbs/verbs';
import { completions, completionsNow, expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import { connect } from '../bench/connect.ts';
import { expectError } from '../bench/errors.ts';
import { fillPattern, snapshot } from '../bench/payload.ts';
import { send, write } from '../bench/requests.ts';
import { newMemory, ACCESS_ALL } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';

export const lifetimesSuite = defineSuite('lifetimes', ['rc'], (suite) => {
  suite.works(
    'a destroyed QP takes its completions with it, and leaves those of others in their order',
    async (bench) => {
      const context = bench.open();
      const cq = context.createCq({ cqe: 128 });
      const pairs = [0, 1, 2].map(() => bench.pair({ a: { context, cq } }));
      for (let n = 0; n < 10; n++) {
        for (const [index, { a, b }] of pairs.entries()) {
          b.qp.postRecv({ wrId: 1 });
          a.qp.postSend(send(index * 100 + n, []));
          // The receive is done, so the send is about to be; the next one of the same QP waits for it.
          await expectCompletions(b.recvCq, { wrId: 1 });
        }
      }
      pairs[1]?.a.qp.destroy();
      const found = await completions(cq, 20);
      expect(found.filter(({ wrId }) => wrId < 100).map(({ wrId }) => wrId)).to.deep.equal([
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
      ]);
      const last = found.filter(({ wrId }) => wrId >= 200).map(({ wrId }) => wrId - 200);
      expect(last).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      expectNoCompletion(cq);
    },
  );

  suite.works('a new QP on the same CQ gets nothing of an old one', async (bench) => {
    const { a, b } = bench.pair({ connected: false });
    for (let wrId = 0; wrId < 100; wrId++) {
      const [here, there] = [a.createQp(), b.createQp()];
      connect(here, there);
      there.postRecv({ wrId });
      here.postSend(send(wrId, []));
      await expectCompletions(b.recvCq, { wrId, qp: there });
      // The send's completion stays where it is.
      here.destroy();
      there.destroy();
    }
    expectNoCompletion(a.sendCq);
  });

  suite.provokes('a region can go while it is being written to', ['rdmaWrite'], async (bench) => {
    for (let round = 0; round < 20; round++) {
      const { a, b } = bench.pair();
      const target = b.registerNew(8192);
      const { rkey, addr: remoteAddr } = target;
      const requests = Array.from({ length: 8 }, (_, wrId) =>
        write(wrId, [a.sge(0, 8192)], b, 0, { rkey, remoteAddr }),
      );
      a.qp.postSend(requests);
      target.dereg();
      const found = await completions(a.sendCq, 8);
      // First some that were done, then one that was refused, then the rest; and the one that was refused may be missing.
      const statuses = found.map(({ status }) => status);
      const done = statuses.filter((status) => status === WcStatus.SUCCESS).length;
      expect(
        statuses.slice(0, done).every((status) => status === WcStatus.SUCCESS),
        'order',
      ).to.equal(true);
      if (done < 8) expect(statuses[done]).to.equal(WcStatus.REM_ACCESS_ERR);
      expect(
        statuses.slice(done + 1).every((status) => status === WcStatus.WR_FLUSH_ERR),
        'flushed',
      ).to.equal(true);
      b.context[Symbol.dispose]();
    }
  });

  suite.provokes('nothing is written to memory that was deregistered', ['rdmaWrite', 'dmaBuffers'], async (bench) => {
    const { a, b } = bench.pair();
    const buffer = b.context.allocBuf(4096);
    const mr = b.pd.regMr(buffer, ACCESS_ALL);
    const { rkey, addr: remoteAddr } = mr;
    a.qp.postSend(write(1, [a.sge(0, 64)], b, 0, { rkey, remoteAddr }));
    await expectCompletions(a.sendCq, { wrId: 1 });
    mr.dereg();
    fillPattern(buffer.bytes, 1);
    const memory = snapshot(buffer.bytes, 'the buffer');
    a.qp.postSend(write(2, [a.sge(0, 64)], b, 0, { rkey, remoteAddr }));
    await expectCompletions(a.sendCq, { wrId: 2, status: WcStatus.REM_ACCESS_ERR });
    memory.expectUnchanged();
    buffer.free();
    // Its pages belong to somebody else now; the old key must not reach them either.
    const next = b.context.allocBuf(4096);
    const zeros = snapshot(next.bytes, 'whoever has the pages now');
    const other = bench.pair({ b: { context: b.context, pd: b.pd } });
    other.a.qp.postSend(write(3, [other.a.sge(0, 64)], other.b, 0, { rkey, remoteAddr }));
    await expectCompletions(other.a.sendCq, { wrId: 3, status: WcStatus.REM_ACCESS_ERR });
    zeros.expectUnchanged();
  });

  suite.works('an owner that leaves takes everything along, whatever state it is in', async (bench) => {
    for (const state of [QpState.RESET, QpState.RTS, QpState.ERR]) {
      const { a, b } = bench.pair();
      a.qp.postRecv({ wrId: 1 });
      a.qp.postSend([send(1, []), send(2, [a.sge(0, 8)])]);
      if (state !== QpState.RTS) a.qp.modify({ qpState: state });
      a.context[Symbol.dispose]();
      expect(a.qp.destroyed && a.mr.destroyed && a.pd.destroyed && a.sendCq.destroyed).to.equal(true);
      completionsNow(b.recvCq);
    }
  });

  suite.works('disposal of a part takes its children only', (bench) => {
    const { context, pd, qp, mr, sendCq, recvCq } = bench.side();
    pd[Symbol.dispose]();
    expect(
      [pd, qp, mr].every(({ destroyed }) => destroyed),
      'the PD and what is in it',
    ).to.equal(true);
    expect(
      [context, sendCq, recvCq].some(({ destroyed }) => destroyed),
      'what is not',
    ).to.equal(false);
    sendCq.destroy();
    recvCq.destroy();
  });

  suite.works('disposal of a CQ takes the QPs that use it', (bench) => {
    const { qp, sendCq, recvCq, mr } = bench.side();
    sendCq[Symbol.dispose]();
    expect([qp.destroyed, recvCq.destroyed, mr.destroyed]).to.deep.equal([true, false, false]);
  });

  suite.provokes('every strict end is refused a second time, also after a disposal', (bench) => {
    const { context, pd, qp, mr, sendCq } = bench.side();
    qp[Symbol.dispose]();
    mr[Symbol.dispose]();
    sendCq[Symbol.dispose]();
    pd[Symbol.dispose]();
    for (const again of [() => qp.destroy(), () => mr.dereg(), () => sendCq.destroy(), () => pd.dealloc()]) {
      const error = expectError('EINVAL', again);
      expect(error.message, 'message').to.contain('already');
    }
    context[Symbol.dispose]();
  });

  suite.works('contexts come and go without a trace', (bench) => {
    for (let round = 0; round < 100; round++) {
      const context = bench.open();
      const pd = context.allocPd();
      pd.regMr(newMemory(context, 64 * 1024), ACCESS_ALL);
      const cq = context.createCq({ cqe: 100 });
      pd.createQp({ sendCq: cq, recvCq: cq, qpType: QpType.RC, cap: { maxSendWr: 16, maxRecvWr: 16 } });
      context[Symbol.dispose]();
    }
  });
});
