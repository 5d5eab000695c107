/**
 * Memory windows of type 2B: bound by BIND_MW with a key of the application's choice, for the queue pair that bound it (IBTA 10.6.7.2).
 */
import { expect } from 'chai';
import { AccessFlags, incRkey, MwType, QpState, SendFlags, WcOpcode, WcStatus, WrOpcode } from '@openverbs/verbs';
import type { MemoryRegion, MwBind } from '@openverbs/verbs';
import { SendWqe } from '@openverbs/verbs/rings';
import { expectCompletions } from '../bench/completions.ts';
import { bringTo } from '../bench/connect.ts';
import { expectError } from '../bench/errors.ts';
import { send } from '../bench/requests.ts';
import { ACCESS_ALL, type Side } from '../bench/side.ts';
import {
  BINDABLE,
  bindMw,
  boundType2,
  expectBindFailed,
  expectNoAccess,
  expectNoWindow,
  expectWindow,
  localInv,
  WINDOW_ACCESS,
} from '../bench/windows.ts';
import { defineSuite } from '../define-suite.ts';
import { tamperedPair } from './hostile-wqe.ts';

const { LOCAL_WRITE, REMOTE_WRITE, REMOTE_READ, MW_BIND, ZERO_BASED } = AccessFlags;
const NEEDS = ['rc', 'rdmaWrite', 'rdmaRead', 'memoryWindows', 'localInvalidate'] as const;

/** Binds that the device refuses: what differs from a good one. */
const refused: readonly { title: string; change: (side: Side, good: MwBind) => Partial<MwBind> }[] = [
  { title: 'a region without MW_BIND', change: (b) => ({ ...whole(b.registerNew(4096, ACCESS_ALL)) }) },
  { title: 'writing without LOCAL_WRITE', change: (b) => ({ ...whole(b.registerNew(4096, REMOTE_READ | MW_BIND)) }) },
  { title: 'a range beyond the region', change: (_b, { addr }) => ({ addr: addr + 1 }) },
  { title: 'a range before the region', change: (_b, { addr }) => ({ addr: addr - 1 }) },
  { title: 'a range of 4 GiB', change: () => ({ length: 2 ** 32 }) },
  { title: 'no length', change: () => ({ length: 0 }) },
  { title: 'no region', change: () => ({ mr: null, addr: 0, length: 0 }) },
  { title: 'local access', change: (_b, { access }) => ({ access: access | LOCAL_WRITE }) },
  { title: 'access to bind', change: (_b, { access }) => ({ access: access | MW_BIND }) },
  { title: 'the key of another window', change: (b) => ({ rkey: b.pd.allocMw(MwType.TYPE_2).rkey }) },
  { title: 'a key of another index', change: (_b, { rkey }) => ({ rkey: (rkey ^ 0x100) >>> 0 }) },
  { title: 'a key of 0', change: () => ({ rkey: 0 }) },
];

function whole(mr: MemoryRegion): Pick<MwBind, 'mr' | 'addr' | 'length'> {
  return { mr, addr: mr.iova, length: mr.length };
}

export const memoryWindow2Suite = defineSuite('memory-window-2', NEEDS, (suite) => {
  suite.works('shows what it is bound to, by the chosen key, and nothing beside it', async (bench) => {
    const { a, b } = bench.pair();
    const mr = b.registerNew(4096, BINDABLE);
    const mw = await boundType2(b, mr, { offset: 101, length: 64 });
    await expectWindow(a, b, mw.rkey, mr.addr + 101, mr.bytes.subarray(101));
    await expectWindow(a, b, mw.rkey, mr.addr + 101 + 48, mr.bytes.subarray(101 + 48));
    await expectNoAccess(a, b, mr, mw.rkey, mr.addr + 101 + 57);
  });

  for (const offset of [100, 101 + 64]) {
    suite.provokes(`${offset - 101} bytes from its begin there is nothing`, async (bench) => {
      const { a, b } = bench.pair();
      const mr = b.registerNew(4096, BINDABLE);
      const mw = await boundType2(b, mr, { offset: 101, length: 64 });
      await expectNoAccess(a, b, mr, mw.rkey, mr.addr + offset);
    });
  }

  suite.works('takes every low byte as its key', async (bench) => {
    const { a, b } = bench.pair();
    const mr = b.registerNew(4096, BINDABLE);
    const mw = b.pd.allocMw(MwType.TYPE_2);
    for (const low of [0, 1, 0x7f, 0x80, 0xff]) {
      const rkey = ((mw.rkey & ~0xff) | low) >>> 0;
      b.qp.postSend(bindMw(1, mw, rkey, mr));
      await expectCompletions(b.sendCq, { wrId: 1, opcode: WcOpcode.BIND_MW });
      await expectWindow(a, b, rkey, mr.addr, mr.bytes);
      b.qp.postSend(localInv(2, rkey));
      await expectCompletions(b.sendCq, { wrId: 2, opcode: WcOpcode.LOCAL_INV });
    }
  });

  suite.works('does not work on another queue pair, of the same protection domain', async (bench) => {
    const { a, b } = bench.pair();
    const mr = b.registerNew(4096, BINDABLE);
    const mw = await boundType2(b, mr);
    await expectNoWindow(bench, b, mr, mw.rkey, mr.addr);
    await expectWindow(a, b, mw.rkey, mr.addr, mr.bytes);
  });

  suite.works('gives the access of the bind, not that of the region', async (bench) => {
    const { a, b } = bench.pair();
    const mr = b.registerNew(4096, BINDABLE);
    const mw = await boundType2(b, mr, { access: REMOTE_READ });
    await expectNoAccess(a, b, mr, mw.rkey, mr.addr);
  });

  suite.works('gives what the region itself does not give to peers', async (bench) => {
    const { a, b } = bench.pair();
    const mr = b.registerNew(4096, LOCAL_WRITE | MW_BIND);
    const mw = await boundType2(b, mr);
    await expectWindow(a, b, mw.rkey, mr.addr, mr.bytes);
    await expectNoAccess(a, b, mr, mr.rkey, mr.addr);
  });

  suite.works('counts from 0', async (bench) => {
    const { a, b } = bench.pair();
    const mr = b.registerNew(4096, BINDABLE);
    const mw = await boundType2(b, mr, { offset: 200, length: 64, access: WINDOW_ACCESS | ZERO_BASED });
    await expectWindow(a, b, mw.rkey, 0, mr.bytes.subarray(200));
    await expectWindow(a, b, mw.rkey, 48, mr.bytes.subarray(248));
    await expectNoAccess(a, b, mr, mw.rkey, mr.addr + 200);
  });

  suite.works('is invalidated and bound again, with a new key', async (bench) => {
    const { a, b } = bench.pair();
    const mr = b.registerNew(4096, BINDABLE);
    const mw = b.pd.allocMw(MwType.TYPE_2);
    let { rkey } = mw;
    for (let round = 0; round < 300; round++) {
      const old = rkey;
      rkey = incRkey(rkey);
      const flags = { sendFlags: 0 };
      // One post: bound, invalidated, bound to another place, in the order of the queue.
      b.qp.postSend([
        bindMw(1, mw, old, mr, {}, flags),
        localInv(2, old, flags),
        bindMw(3, mw, rkey, mr, { offset: 8 }),
      ]);
      await expectCompletions(b.sendCq, { wrId: 3, opcode: WcOpcode.BIND_MW });
      if (round % 50 === 0) await expectWindow(a, b, rkey, mr.addr + 8, mr.bytes.subarray(8));
      b.qp.postSend(localInv(4, rkey));
      await expectCompletions(b.sendCq, { wrId: 4 });
    }
    mr.dereg();
  });

  suite.works('is in force for what is posted behind it, with a fence and without', async (bench) => {
    const { a, b } = bench.pair();
    const mr = b.registerNew(4096, BINDABLE);
    for (const sendFlags of [0, SendFlags.FENCE]) {
      const mw = b.pd.allocMw(MwType.TYPE_2);
      const rkey = incRkey(mw.rkey);
      a.qp.postRecv({ wrId: 9 });
      b.qp.postSend([bindMw(1, mw, rkey, mr, {}, { sendFlags }), send(2, [], { sendFlags })]);
      await expectCompletions(a.recvCq, { wrId: 9 });
      await expectWindow(a, b, rkey, mr.addr, mr.bytes);
    }
  });

  suite.works('is bound in the extended form', async (bench) => {
    const { a, b } = bench.pair();
    const mr = b.registerNew(4096, BINDABLE);
    const mw = b.pd.allocMw(MwType.TYPE_2);
    const rkey = incRkey(mw.rkey);
    a.qp.postRecv({ wrId: 9, sgList: [a.sge(0, 8)] });
    b.qp.wrStart();
    b.qp.wrFlags = SendFlags.SIGNALED;
    b.qp.wrId = 1;
    b.qp.wrBindMw(mw, rkey, { mr, addr: mr.iova + 16, length: 32, access: REMOTE_WRITE | REMOTE_READ });
    b.qp.wrId = 2;
    b.qp.wrSend();
    b.qp.wrSetSge(b.mr.lkey, b.mr.addr, 8);
    b.qp.wrComplete();
    await expectCompletions(b.sendCq, { wrId: 1, opcode: WcOpcode.BIND_MW }, { wrId: 2, opcode: WcOpcode.SEND });
    await expectCompletions(a.recvCq, { wrId: 9, byteLen: 8 });
    await expectWindow(a, b, rkey, mr.addr + 16, mr.bytes.subarray(16));
    b.qp.wrStart();
    b.qp.wrId = 3;
    b.qp.wrLocalInv(rkey);
    b.qp.wrComplete();
    await expectCompletions(b.sendCq, { wrId: 3, opcode: WcOpcode.LOCAL_INV });
    mr.dereg();
  });

  suite.works('of many windows each shows its own', async (bench) => {
    const { a, b } = bench.pair();
    const mr = b.registerNew(4096, BINDABLE);
    const windows = [];
    for (let n = 0; n < 16; n++) windows.push(await boundType2(b, mr, { offset: n * 16, length: 16 }));
    expect(new Set(windows.map(({ rkey }) => rkey)).size, 'keys').to.equal(16);
    for (const [n, { rkey }] of windows.entries()) {
      await expectWindow(a, b, rkey, mr.addr + n * 16, mr.bytes.subarray(n * 16));
    }
    expectError('EBUSY', () => {
      mr.dereg();
    });
    for (const mw of windows) mw.dealloc();
    mr.dereg();
  });

  suite.works('outlives its queue pair, of no use, until it is deallocated', async (bench) => {
    const { b } = bench.pair();
    const mr = b.registerNew(4096, BINDABLE);
    const mw = await boundType2(b, mr);
    b.qp.destroy();
    await expectNoWindow(bench, b, mr, mw.rkey, mr.addr);
    expectError('EBUSY', () => {
      mr.dereg();
    });
    mw.dealloc();
    mr.dereg();
  });

  for (const { title, change } of refused) {
    suite.provokes(`a bind is refused: ${title}`, async (bench) => {
      const { a, b } = bench.pair();
      const mr = b.registerNew(4096, BINDABLE);
      const mw = b.pd.allocMw(MwType.TYPE_2);
      const good: MwBind = { mw, rkey: incRkey(mw.rkey), ...whole(mr), access: WINDOW_ACCESS };
      const bad = { ...good, ...change(b, good) };
      b.qp.postSend([{ wrId: 1, opcode: WrOpcode.BIND_MW, bindMw: bad }, send(2, [])]);
      await expectBindFailed(b, a);
      mr.dereg();
    });
  }

  suite.provokes('a window or a region of another protection domain is refused at the post', (bench) => {
    const { b } = bench.pair();
    const mr = b.registerNew(4096, BINDABLE);
    const foreign = b.context.allocPd();
    const region = b.registerNew(4096, BINDABLE, foreign);
    for (const [pd, bound] of [[foreign, mr] as const, [b.pd, region] as const]) {
      const mw = pd.allocMw(MwType.TYPE_2);
      expectError('EINVAL', () => {
        b.qp.postSend(bindMw(1, mw, incRkey(mw.rkey), bound));
      });
      b.qp.wrStart();
      b.qp.wrBindMw(mw, incRkey(mw.rkey), { mr: bound, access: REMOTE_READ });
      expectError('EINVAL', () => {
        b.qp.wrComplete();
      });
    }
    expect(b.qp.query().attr.qpState).to.equal(QpState.RTS);
  });

  suite.provokes('keys of another protection domain are refused by the device', ['directAccess'], async (bench) => {
    for (const part of ['window', 'region'] as const) {
      const { a: b, tampering } = tamperedPair(bench);
      const foreign = b.context.allocPd();
      const mr = b.registerNew(4096, BINDABLE);
      const [mw, other] = [b.pd, foreign].map((pd) => pd.allocMw(MwType.TYPE_2));
      const region = b.registerNew(4096, BINDABLE, foreign);
      tampering.spoilNextSend(
        b.qp,
        part === 'window'
          ? { [SendWqe.BIND_MW]: other.handle, [SendWqe.BIND_RKEY]: incRkey(other.rkey) | 0 }
          : { [SendWqe.BIND_LKEY]: region.lkey | 0, [SendWqe.BIND_ADDR_LO]: region.iova | 0 },
      );
      b.qp.postSend(bindMw(1, mw, incRkey(mw.rkey), mr));
      await expectCompletions(b.sendCq, { wrId: 1, status: WcStatus.MW_BIND_ERR });
    }
  });

  suite.provokes('is not bound while it is', async (bench) => {
    const { a, b } = bench.pair();
    const mr = b.registerNew(4096, BINDABLE);
    const mw = await boundType2(b, mr);
    await expectWindow(a, b, mw.rkey, mr.addr, mr.bytes);
    b.qp.postSend(bindMw(1, mw, incRkey(mw.rkey), mr));
    await expectCompletions(b.sendCq, { wrId: 1, status: WcStatus.MW_BIND_ERR });
    const error = expectError('EBUSY', () => {
      mr.dereg();
    });
    expect(error.hint).to.not.equal('');
  });

  suite.provokes('a zero-based region has no windows', ['zeroBased'], async (bench) => {
    const { b } = bench.pair();
    const mr = b.registerNew(4096, BINDABLE | ZERO_BASED);
    const mw = b.pd.allocMw(MwType.TYPE_2);
    b.qp.postSend(bindMw(1, mw, incRkey(mw.rkey), mr));
    await expectCompletions(b.sendCq, { wrId: 1, status: WcStatus.MW_BIND_ERR });
  });

  suite.provokes('the null region has no windows', ['nullMr'], async (bench) => {
    const { b } = bench.pair();
    const mw = b.pd.allocMw(MwType.TYPE_2);
    b.qp.postSend(bindMw(1, mw, incRkey(mw.rkey), b.pd.allocNullMr(), { length: 64 }));
    await expectCompletions(b.sendCq, { wrId: 1, status: WcStatus.MW_BIND_ERR });
  });

  suite.provokes('is not bound by ibv_bind_mw, nor when it is gone, nor with SGEs', (bench) => {
    const { b } = bench.pair();
    const mr = b.registerNew(4096, BINDABLE);
    const mw = b.pd.allocMw(MwType.TYPE_2);
    expectError('EINVAL', () => {
      b.qp.bindMw(mw, { mr });
    });
    const good = bindMw(1, mw, incRkey(mw.rkey), mr);
    for (const bad of [{ bindMw: null }, { sgList: [b.sge(0, 8)] }, { inlineData: new Uint8Array(4) }]) {
      expectError('EINVAL', () => {
        b.qp.postSend({ ...good, ...bad });
      });
    }
    b.qp.wrStart();
    b.qp.wrBindMw(mw, incRkey(mw.rkey), { mr });
    b.qp.wrSetSge(b.mr.lkey, b.mr.addr, 8);
    expectError('EINVAL', () => {
      b.qp.wrComplete();
    });
    mw.dealloc();
    expectError('EINVAL', () => {
      b.qp.postSend(good);
    });
    b.qp.wrStart();
    b.qp.wrBindMw(mw, 1, { mr });
    expectError('EINVAL', () => {
      b.qp.wrComplete();
    });
    expect(b.qp.query().attr.qpState).to.equal(QpState.RTS);
    mr.dereg();
  });

  suite.provokes('a bind that waits in a queue in error is flushed', async (bench) => {
    const { b } = bench.pair();
    const mr = b.registerNew(4096, BINDABLE);
    const mw = b.pd.allocMw(MwType.TYPE_2);
    b.qp.modify({ qpState: QpState.ERR });
    b.qp.postSend([bindMw(1, mw, incRkey(mw.rkey), mr), localInv(2, mw.rkey)]);
    const { WR_FLUSH_ERR } = WcStatus;
    await expectCompletions(b.sendCq, { wrId: 1, status: WR_FLUSH_ERR }, { wrId: 2, status: WR_FLUSH_ERR });
    mr.dereg();
  });

  suite.works('on a queue pair that talks to itself', async (bench) => {
    const b = bench.side();
    bringTo(QpState.RTS, b.qp, b.qp);
    const mr = b.registerNew(4096, BINDABLE);
    const mw = await boundType2(b, mr);
    await expectWindow(b, b, mw.rkey, mr.addr, mr.bytes);
  });
});
