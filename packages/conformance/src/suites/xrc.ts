/** Messages of extended reliable connections (IBTA volume 1, annex A14): what each does to the SRQ that it names. */
import { expect } from 'chai';
import {
  AccessFlags,
  EventType,
  PlacementType,
  QpState,
  SelectivityLevel,
  SendFlags,
  WcOpcode,
  WcStatus,
} from '@openverbs/verbs';
import { expectAsyncEvent } from '../bench/async-events.ts';
import { expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import { connectExtended, createSender, extend, receiver } from '../bench/extended.ts';
import { expectBytes, fillPattern, pattern, snapshot } from '../bench/payload.ts';
import { atomicWrite, fetchAndAdd, flush, read, send, write, writeImm } from '../bench/requests.ts';
import { ACCESS_ALL } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';

const { REM_INV_REQ_ERR, REM_ACCESS_ERR, RNR_RETRY_EXC_ERR, RETRY_EXC_ERR } = WcStatus;
const FLUSHABLE = ACCESS_ALL | AccessFlags.FLUSH_GLOBAL;
const IMPATIENT = { timeout: 8, retryCnt: 1 };

export const xrcSuite = defineSuite('xrc', ['rc', 'srq', 'xrc'], (suite) => {
  suite.works('each message goes to the SRQ that it names, and completes in that one’s CQ', async (bench) => {
    const { sender, qp, target, receivers } = extend(bench, { count: 3 });
    for (const [at, { srq, side }] of receivers.entries()) {
      srq.postRecv({ wrId: at, sgList: [side.sge(0, 64)] });
      srq.postRecv({ wrId: 10 + at, sgList: [side.sge(64, 64)] });
    }
    for (const [n, at] of [2, 0, 1, 1, 2, 0].entries()) {
      const { srq, cq, side } = receivers[at];
      fillPattern(sender.bytes.subarray(0, 50), n);
      qp.postSend(send(n, [sender.sge(0, 50)], { remoteSrqn: srq.srqNum }));
      const second = n > 2;
      await expectCompletions(cq, { wrId: second ? 10 + at : at, opcode: WcOpcode.RECV, byteLen: 50, qp: target });
      await expectCompletions(sender.sendCq, { wrId: n });
      const from = second ? 64 : 0;
      expectBytes(side.bytes.subarray(from, from + 50), pattern(n, 50), `message ${n}`);
    }
    for (const { cq } of receivers) expectNoCompletion(cq);
  });

  suite.works('writes, reads and atomics', ['rdmaWrite', 'rdmaRead', 'atomics'], async (bench) => {
    const { sender, qp, receivers } = extend(bench);
    const [{ srq, cq, side }] = receivers;
    const remoteSrqn = srq.srqNum;
    fillPattern(sender.bytes.subarray(0, 256), 1);
    srq.postRecv({ wrId: 9 });
    qp.postSend([
      write(1, [sender.sge(0, 100)], side, 0, { remoteSrqn }),
      { ...writeImm(2, [sender.sge(100, 28)], side, 100, 77), remoteSrqn },
      read(3, [sender.sge(512, 128)], side, 0, { remoteSrqn }),
      fetchAndAdd(4, [sender.sge(1024, 8)], side, 2048, 5n, { remoteSrqn }),
    ]);
    await expectCompletions(sender.sendCq, { wrId: 1 }, { wrId: 2 }, { wrId: 3 }, { wrId: 4 });
    await expectCompletions(cq, { wrId: 9, opcode: WcOpcode.RECV_RDMA_WITH_IMM, immData: 77 });
    expectBytes(sender.bytes.subarray(512, 640), pattern(1, 128), 'what was written, read back');
    expect(side.bytes[2048], 'the sum').to.equal(5);
  });

  suite.works('atomic writes and flushes', ['atomicWrite', 'flush'], async (bench) => {
    const { sender, qp, receivers } = extend(bench, { count: 2, access: FLUSHABLE });
    for (const { srq, side } of receivers) {
      const mr = side.registerNew(64, FLUSHABLE);
      const place = { rkey: mr.rkey, remoteAddr: mr.addr + 8, remoteSrqn: srq.srqNum };
      qp.postSend([atomicWrite(1, pattern(1, 8), side, 0, place), flush(2, side, 0, 8, place)]);
      const [written, flushed] = [WcOpcode.ATOMIC_WRITE, WcOpcode.FLUSH];
      await expectCompletions(sender.sendCq, { wrId: 1, opcode: written }, { wrId: 2, opcode: flushed });
      qp.wrStart();
      qp.wrFlags = SendFlags.SIGNALED;
      qp.wrId = 3;
      qp.wrAtomicWrite(mr.rkey, mr.addr + 16, pattern(2, 8));
      qp.wrSetXrcSrqn(srq.srqNum);
      qp.wrId = 4;
      qp.wrFlush(mr.rkey, mr.addr, 64, PlacementType.GLOBAL, SelectivityLevel.RANGE);
      qp.wrSetXrcSrqn(srq.srqNum);
      qp.wrComplete();
      await expectCompletions(sender.sendCq, { wrId: 3, opcode: written }, { wrId: 4, opcode: flushed });
      const expected = new Uint8Array(64);
      expected.set(pattern(1, 8), 8);
      expected.set(pattern(2, 8), 16);
      expectBytes(mr.bytes, expected, 'there');
    }
    for (const { cq } of receivers) expectNoCompletion(cq);
  });

  suite.provokes('an atomic write or a flush by a key of another PD', ['atomicWrite', 'flush'], async (bench) => {
    for (const request of [atomicWrite, flush]) {
      const { sender, qp, target, receivers } = extend(bench, { count: 2, access: FLUSHABLE });
      const { rkey, addr: remoteAddr, bytes } = receivers[1].side.registerNew(64, FLUSHABLE);
      const memory = snapshot(bytes, 'memory of the other receiver');
      const place = { rkey, remoteAddr, remoteSrqn: receivers[0].srq.srqNum };
      const { side } = receivers[1];
      qp.postSend(request === flush ? flush(1, side, 0, 8, place) : atomicWrite(1, pattern(1, 8), side, 0, place));
      await expectCompletions(sender.sendCq, { wrId: 1, status: REM_ACCESS_ERR });
      expect(target.query().attr.qpState).to.equal(QpState.ERR);
      memory.expectUnchanged();
    }
  });

  suite.provokes('a flush that the target does not allow', ['flush'], async (bench) => {
    const { sender, qp, target, receivers } = extend(bench);
    const [{ srq, side }] = receivers;
    const { rkey, addr: remoteAddr } = side.registerNew(64, FLUSHABLE);
    qp.postSend(flush(1, side, 0, 8, { rkey, remoteAddr, remoteSrqn: srq.srqNum }));
    await expectCompletions(sender.sendCq, { wrId: 1, status: REM_INV_REQ_ERR });
    expect(target.query().attr.qpState).to.equal(QpState.ERR);
  });

  suite.provokes('a key of another PD than that of the SRQ that is named', ['rdmaWrite'], async (bench) => {
    const { sender, qp, target, receivers } = extend(bench, { count: 2 });
    const memory = snapshot(receivers[1].side.bytes, 'memory of the other receiver');
    const remoteSrqn = receivers[0].srq.srqNum;
    qp.postSend(write(1, [sender.sge(0, 8)], receivers[1].side, 0, { remoteSrqn }));
    await expectCompletions(sender.sendCq, { wrId: 1, status: REM_ACCESS_ERR });
    expect(target.query().attr.qpState).to.equal(QpState.ERR);
    memory.expectUnchanged();
  });

  suite.provokes('an SRQ that is not one of the domain', async (bench) => {
    const other = extend(bench);
    const basic = bench.side({ device: bench.peerDevice }).pd.createSrq({ attr: { maxWr: 4 } });
    const ended = receiver(other.xrcd).srq;
    ended.destroy();
    const numbers = [other.receivers[0].srq.srqNum, basic.srqNum, ended.srqNum, 0, -1, 0xffffff];
    for (const remoteSrqn of numbers) {
      const { sender, qp, target, receivers } = extend(bench);
      other.receivers[0].srq.postRecv({ wrId: 1 });
      receivers[0].srq.postRecv({ wrId: 1 });
      qp.postSend({ wrId: 2, sendFlags: 2, remoteSrqn: remoteSrqn & 0xffffff });
      await expectCompletions(sender.sendCq, { wrId: 2, status: REM_INV_REQ_ERR });
      expect(target.query().attr.qpState).to.equal(QpState.ERR);
      for (const { cq } of [...receivers, ...other.receivers]) expectNoCompletion(cq);
    }
  });

  suite.provokes('a message that finds its SRQ empty, and no retries', async (bench) => {
    const { sender, qp, receivers } = extend(bench, { count: 2, attr: { rnrRetry: 0 } });
    receivers[1].srq.postRecv({ wrId: 1 });
    qp.postSend(send(2, [], { remoteSrqn: receivers[0].srq.srqNum }));
    await expectCompletions(sender.sendCq, { wrId: 2, status: RNR_RETRY_EXC_ERR });
    expectNoCompletion(receivers[1].cq);
  });

  suite.works('a message waits for its SRQ', async (bench) => {
    const { sender, qp, receivers } = extend(bench, { count: 2 });
    const [first, second] = receivers;
    second.srq.postRecv({ wrId: 2 });
    qp.postSend([send(1, [], { remoteSrqn: first.srq.srqNum }), send(2, [], { remoteSrqn: second.srq.srqNum })]);
    expectNoCompletion(second.cq);
    first.srq.postRecv({ wrId: 1 });
    await expectCompletions(first.cq, { wrId: 1 });
    await expectCompletions(second.cq, { wrId: 2 });
    await expectCompletions(sender.sendCq, { wrId: 1 }, { wrId: 2 });
  });

  suite.works('the extended form names the SRQ as well', async (bench) => {
    const { sender, qp, receivers } = extend(bench);
    receivers[0].srq.postRecv({ wrId: 1 });
    qp.wrStart();
    qp.wrId = 2;
    qp.wrFlags = 2;
    qp.wrSend();
    qp.wrSetXrcSrqn(receivers[0].srq.srqNum);
    qp.wrComplete();
    await expectCompletions(receivers[0].cq, { wrId: 1 });
    await expectCompletions(sender.sendCq, { wrId: 2 });
  });

  suite.provokes('a connection of RC and XRC halves', async (bench) => {
    const { xrcd, receivers } = extend(bench);
    receivers[0].srq.postRecv({ wrId: 1 });
    const a = bench.side();
    const target = xrcd.createQp();
    target.toInit();
    target.toRtr(a.qp.endpoint());
    a.qp.toInit();
    a.qp.toRtr(target.endpoint());
    a.qp.toRts(undefined, IMPATIENT);
    a.qp.postSend(send(1, []));
    await expectCompletions(a.sendCq, { wrId: 1, status: RETRY_EXC_ERR });
    const { sender, qp } = extend(bench);
    const b = bench.side({ device: bench.peerDevice });
    b.qp.toInit();
    qp.modify({ qpState: QpState.RESET });
    qp.toInit();
    b.qp.toRtr(qp.endpoint());
    qp.toRtr(b.qp.endpoint());
    qp.toRts(undefined, IMPATIENT);
    b.qp.postRecv({ wrId: 1 });
    qp.postSend(send(2, [], { remoteSrqn: receivers[0].srq.srqNum }));
    await expectCompletions(sender.sendCq, { wrId: 2, status: RETRY_EXC_ERR });
    for (const cq of [receivers[0].cq, b.recvCq]) expectNoCompletion(cq);
  });

  suite.works('receives outlive the QP that took them, and end with their SRQ', async (bench) => {
    const { sender, qp, target, receivers } = extend(bench);
    const { srq, cq } = receivers[0];
    srq.postRecv([{ wrId: 1 }, { wrId: 2 }]);
    const { qpNum } = target;
    for (const wrId of [3, 4]) qp.postSend(send(wrId, [], { remoteSrqn: srq.srqNum }));
    await expectCompletions(sender.sendCq, { wrId: 3 }, { wrId: 4 });
    target.destroy();
    const [wc] = await expectCompletions(cq, { wrId: 1 });
    expect(wc.qpNum).to.equal(qpNum);
    srq.destroy();
    expectNoCompletion(cq);
  });

  suite.works('the limit of an XRC SRQ', ['asyncEvents'], async (bench) => {
    const { sender, qp, target, receivers } = extend(bench);
    const { srq, context } = receivers[0];
    target.toRts(); // or the first message raises COMM_EST
    srq.postRecv([{ wrId: 1 }, { wrId: 2 }]);
    srq.modify({ srqLimit: 2 });
    qp.postSend(send(3, [], { remoteSrqn: srq.srqNum }));
    await expectCompletions(sender.sendCq, { wrId: 3 });
    await expectAsyncEvent(context, EventType.SRQ_LIMIT_REACHED, srq);
  });

  suite.provokes('a receive that is too small ends the connection, and no SRQ', async (bench) => {
    const { sender, qp, xrcd, target, receivers } = extend(bench);
    const { srq, cq, side } = receivers[0];
    srq.postRecv([{ wrId: 1, sgList: [side.sge(0, 4)] }, { wrId: 2 }]);
    qp.postSend(send(3, [sender.sge(0, 8)], { remoteSrqn: srq.srqNum }));
    await expectCompletions(cq, { wrId: 1, status: WcStatus.LOC_LEN_ERR, qp: target });
    await expectCompletions(sender.sendCq, { wrId: 3, status: REM_INV_REQ_ERR });
    const again = createSender(sender);
    connectExtended(again, xrcd.createQp());
    again.postSend(send(4, [], { remoteSrqn: srq.srqNum }));
    await expectCompletions(cq, { wrId: 2 });
  });
});
