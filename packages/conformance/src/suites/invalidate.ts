/** Invalidating keys: LOCAL_INV, and SEND_WITH_INV by the peer (IBTA 10.6.7.2, 9.4.1.1.3). */
import { expect } from 'chai';
import { incRkey, MwType, QpState, SendFlags, WcFlags, WcOpcode, WcStatus, WrOpcode } from '@openverbs/verbs';
import type { RecvWrInit, SendWrInit } from '@openverbs/verbs';
import { expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import { bringTo, IMPATIENT } from '../bench/connect.ts';
import { expectError } from '../bench/errors.ts';
import { expectBytes, fillPattern, pattern } from '../bench/payload.ts';
import { send } from '../bench/requests.ts';
import type { Side } from '../bench/side.ts';
import { BINDABLE, bindMw, boundType1, boundType2, expectNoAccess, expectWindow, localInv } from '../bench/windows.ts';
import { defineSuite } from '../define-suite.ts';

const { MW_BIND_ERR, LOC_QP_OP_ERR, REM_ACCESS_ERR, REM_INV_REQ_ERR, REM_OP_ERR, WR_FLUSH_ERR } = WcStatus;
const { SIGNALED } = SendFlags;

/** SEND_WITH_INV, signaled. */
function sendInv(wrId: number, invalidateRkey: number, extras: Partial<SendWrInit> = {}): SendWrInit {
  return { wrId, opcode: WrOpcode.SEND_WITH_INV, sendFlags: SIGNALED, invalidateRkey, ...extras };
}

async function keyOfType1(b: Side): Promise<number> {
  return (await boundType1(b, b.registerNew(64, BINDABLE))).rkey;
}

async function keyThatIsInvalidated(b: Side): Promise<number> {
  const { rkey } = await boundType2(b, b.registerNew(64, BINDABLE));
  b.qp.postSend(localInv(1, rkey));
  await expectCompletions(b.sendCq, { wrId: 1 });
  return rkey;
}

async function keyBefore(b: Side): Promise<number> {
  const { rkey } = await boundType2(b, b.registerNew(64, BINDABLE));
  return ((rkey & ~0xff) | ((rkey - 1) & 0xff)) >>> 0;
}

async function keyOfWindowThatIsGone(b: Side): Promise<number> {
  const mw = await boundType2(b, b.registerNew(64, BINDABLE));
  mw.dealloc();
  return mw.rkey;
}

async function keyOfAnotherQp(b: Side): Promise<number> {
  const other = b.createQp();
  bringTo(QpState.RTS, other, other);
  return (await boundType2(b, b.registerNew(64, BINDABLE), {}, other)).rkey;
}

/** Keys that nobody may invalidate through the QP of this side. */
const wrongKeys: readonly { title: string; key: (side: Side) => number | Promise<number> }[] = [
  { title: '0', key: () => 0 },
  { title: 'all ones', key: () => 0xffffffff },
  { title: 'that nobody was given', key: () => 0xdeadbe05 },
  { title: 'of a region', key: (b) => b.mr.rkey },
  { title: 'of a window of type 1', key: keyOfType1 },
  { title: 'of a window that was never bound', key: (b) => b.pd.allocMw(MwType.TYPE_2).rkey },
  { title: 'of a window that is invalidated already', key: keyThatIsInvalidated },
  { title: 'that the window had before', key: keyBefore },
  { title: 'of a window that is gone', key: keyOfWindowThatIsGone },
  { title: 'of a window that another queue pair has bound', key: keyOfAnotherQp },
];

export const invalidateSuite = defineSuite(
  'invalidate',
  ['rc', 'rdmaWrite', 'rdmaRead', 'memoryWindows', 'localInvalidate'],
  (suite) => {
    suite.works('LOCAL_INV ends a window, and its region is free', async (bench) => {
      const { a, b } = bench.pair();
      const mr = b.registerNew(4096, BINDABLE);
      const mw = await boundType2(b, mr);
      await expectWindow(a, b, mw.rkey, mr.addr, mr.bytes);
      b.qp.postSend(localInv(1, mw.rkey, { sendFlags: SIGNALED | SendFlags.FENCE }));
      await expectCompletions(b.sendCq, { wrId: 1, opcode: WcOpcode.LOCAL_INV, qp: b.qp });
      await expectNoAccess(a, b, mr, mw.rkey, mr.addr);
      mr.dereg();
    });

    suite.works('LOCAL_INV that is not signaled is done when what is behind it is', async (bench) => {
      const { a, b } = bench.pair();
      const mr = b.registerNew(4096, BINDABLE);
      const mw = await boundType2(b, mr);
      a.qp.postRecv({ wrId: 9 });
      b.qp.postSend([localInv(1, mw.rkey, { sendFlags: 0 }), send(2, [])]);
      await expectCompletions(b.sendCq, { wrId: 2 });
      mr.dereg();
      expectNoCompletion(b.sendCq);
    });

    suite.works('SEND_WITH_INV ends a window of the peer, and tells which', async (bench) => {
      const { a, b } = bench.pair();
      const mr = b.registerNew(4096, BINDABLE);
      const mw = await boundType2(b, mr);
      await expectWindow(a, b, mw.rkey, mr.addr, mr.bytes);
      fillPattern(a.bytes.subarray(0, 100), 7);
      b.qp.postRecv({ wrId: 9, sgList: [b.sge(0, 100)] });
      a.qp.postSend(sendInv(1, mw.rkey, { sgList: [a.sge(0, 100)] }));
      await expectCompletions(a.sendCq, { wrId: 1, opcode: WcOpcode.SEND });
      const [wc] = await expectCompletions(b.recvCq, { wrId: 9, opcode: WcOpcode.RECV, byteLen: 100 });
      expect(wc.wcFlags & WcFlags.WITH_INV, 'WITH_INV').to.not.equal(0);
      expect(wc.wcFlags & WcFlags.WITH_IMM, 'WITH_IMM').to.equal(0);
      expect(wc.invalidatedRkey, 'invalidatedRkey').to.equal(mw.rkey);
      expectBytes(b.bytes.subarray(0, 100), pattern(7, 100), 'the message');
      mr.dereg();
      await expectNoAccess(a, b, b.mr, mw.rkey, mr.addr);
    });

    suite.works('SEND_WITH_INV in the extended form, inline, empty, and solicited', ['inlineData'], async (bench) => {
      const { a, b } = bench.pair({ cap: { maxInlineData: 16 } });
      const mr = b.registerNew(4096, BINDABLE);
      const windows = [await boundType2(b, mr), await boundType2(b, mr), await boundType2(b, mr)];
      const [first, second, third] = windows.map(({ rkey }) => rkey);
      b.qp.postRecv([1, 2, 3].map((wrId): RecvWrInit => ({ wrId, sgList: [b.sge(0, 16)] })));
      a.qp.wrStart();
      a.qp.wrFlags = SIGNALED;
      a.qp.wrId = 1;
      a.qp.wrSendInv(first);
      a.qp.wrSetInlineData(pattern(1, 11));
      a.qp.wrId = 2;
      a.qp.wrSendInv(second);
      a.qp.wrSetSgeList([]);
      a.qp.wrComplete();
      a.qp.postSend(sendInv(3, third, { inlineData: pattern(2, 3), sendFlags: SIGNALED | SendFlags.SOLICITED }));
      await expectCompletions(a.sendCq, { wrId: 1 }, { wrId: 2 }, { wrId: 3 });
      const found = await expectCompletions(
        b.recvCq,
        { wrId: 1, byteLen: 11 },
        { wrId: 2, byteLen: 0 },
        { wrId: 3, byteLen: 3 },
      );
      expect(found.map(({ invalidatedRkey }) => invalidatedRkey)).to.deep.equal([first, second, third]);
      mr.dereg();
    });

    suite.works('a window goes around: bound, told of, used, invalidated by the peer', async (bench) => {
      const { a, b } = bench.pair();
      const mr = b.registerNew(4096, BINDABLE);
      const mw = b.pd.allocMw(MwType.TYPE_2);
      for (let round = 0; round < 300; round++) {
        mw.rkey = incRkey(mw.rkey);
        b.qp.postRecv({ wrId: round });
        a.qp.postRecv({ wrId: round, sgList: [a.sge(0, 8)] });
        b.qp.postSend([bindMw(1, mw, mw.rkey, mr, {}, { sendFlags: 0 }), send(2, [b.sge(0, 8)])]);
        await expectCompletions(a.recvCq, { wrId: round });
        await expectCompletions(b.sendCq, { wrId: 2 });
        if (round % 30 === 0) await expectWindow(a, b, mw.rkey, mr.addr, mr.bytes);
        a.qp.postSend(sendInv(3, mw.rkey));
        await expectCompletions(a.sendCq, { wrId: 3 });
        await expectCompletions(b.recvCq, { wrId: round });
      }
      mr.dereg();
    });

    suite.works('SEND_WITH_INV waits for a receive, and invalidates with it', async (bench) => {
      const { a, b } = bench.pair({ connection: { minRnrTimer: 1 } });
      const mr = b.registerNew(4096, BINDABLE);
      const mw = await boundType2(b, mr);
      a.qp.postSend(sendInv(1, mw.rkey));
      expectNoCompletion(a.sendCq);
      expectError('EBUSY', () => {
        mr.dereg();
      });
      b.qp.postRecv({ wrId: 9 });
      await expectCompletions(a.sendCq, { wrId: 1 });
      mr.dereg();
    });

    for (const { title, key } of wrongKeys) {
      suite.provokes(`LOCAL_INV of a key ${title} fails`, async (bench) => {
        const { a, b } = bench.pair();
        const rkey = await key(b);
        b.qp.postSend([localInv(7, rkey), send(8, [])]);
        // Named after a bind in the verbs; the specification calls it a memory management operation error.
        const status = [MW_BIND_ERR, LOC_QP_OP_ERR];
        await expectCompletions(b.sendCq, { wrId: 7, status, qp: b.qp }, { wrId: 8, status: WR_FLUSH_ERR });
        expect(b.qp.query().attr.qpState).to.equal(QpState.ERR);
        expect(a.qp.query().attr.qpState).to.equal(QpState.RTS);
      });

      suite.provokes(`SEND_WITH_INV of a key ${title} fails, and nothing is received`, async (bench) => {
        const { a, b } = bench.pair();
        const rkey = await key(b);
        b.bytes.fill(0);
        fillPattern(a.bytes.subarray(0, 8), 1);
        b.qp.postRecv({ wrId: 9, sgList: [b.sge(0, 8)] });
        a.qp.postSend([sendInv(7, rkey, { sgList: [a.sge(0, 8)] }), send(8, [])]);
        const status = [REM_ACCESS_ERR, REM_INV_REQ_ERR, REM_OP_ERR];
        await expectCompletions(a.sendCq, { wrId: 7, status, qp: a.qp }, { wrId: 8, status: WR_FLUSH_ERR });
        await expectCompletions(b.recvCq, { wrId: 9, status: [WR_FLUSH_ERR, REM_INV_REQ_ERR] });
        for (const { qp } of [a, b]) expect(qp.query().attr.qpState, qp.label).to.equal(QpState.ERR);
      });
    }

    suite.provokes('SEND_WITH_INV without a receive invalidates nothing', async (bench) => {
      const { a, b } = bench.pair({ connection: { ...IMPATIENT, rnrRetry: 0 } });
      const mr = b.registerNew(4096, BINDABLE);
      const mw = await boundType2(b, mr);
      a.qp.postSend(sendInv(1, mw.rkey));
      await expectCompletions(a.sendCq, { wrId: 1, status: WcStatus.RNR_RETRY_EXC_ERR });
      expectError('EBUSY', () => {
        mr.dereg();
      });
    });

    suite.provokes('SEND_WITH_INV that does not fit its receive invalidates nothing', async (bench) => {
      const { a, b } = bench.pair();
      const mr = b.registerNew(4096, BINDABLE);
      const mw = await boundType2(b, mr);
      b.qp.postRecv({ wrId: 9, sgList: [b.sge(0, 4)] });
      a.qp.postSend(sendInv(1, mw.rkey, { sgList: [a.sge(0, 8)] }));
      await expectCompletions(a.sendCq, { wrId: 1, status: REM_INV_REQ_ERR });
      await expectCompletions(b.recvCq, { wrId: 9, status: WcStatus.LOC_LEN_ERR });
      expectError('EBUSY', () => {
        mr.dereg();
      });
    });
  },
);
