/** Memory windows of type 1: bound by ibv_bind_mw, for every queue pair of the protection domain (IBTA 10.6.7.2). */
import { expect } from 'chai';
import { AccessFlags, MwType, QpState, SendFlags, WcOpcode, WcStatus, WrOpcode } from '@openverbs/verbs';
import type { MwBindInit, MwType as Type } from '@openverbs/verbs';
import { expectCompletions } from '../bench/completions.ts';
import { connect } from '../bench/connect.ts';
import { expectError } from '../bench/errors.ts';
import { fetchAndAdd, read, send, write } from '../bench/requests.ts';
import { ACCESS_ALL, type Side } from '../bench/side.ts';
import {
  BINDABLE,
  boundType1,
  expectBindFailed,
  expectNoAccess,
  expectNoWindow,
  expectWindow,
} from '../bench/windows.ts';
import { defineSuite } from '../define-suite.ts';

const { LOCAL_WRITE, REMOTE_WRITE, REMOTE_READ, REMOTE_ATOMIC, MW_BIND, ZERO_BASED } = AccessFlags;
const { SIGNALED } = SendFlags;

/** Binds that the device refuses. */
const refused: readonly { title: string; bind: (side: Side) => MwBindInit }[] = [
  { title: 'a region without MW_BIND', bind: (b) => ({ mr: b.registerNew(4096, ACCESS_ALL), access: REMOTE_READ }) },
  {
    title: 'writing through a region without LOCAL_WRITE',
    bind: (b) => ({ mr: b.registerNew(4096, REMOTE_READ | MW_BIND), access: REMOTE_WRITE }),
  },
  {
    title: 'atomics through a region without LOCAL_WRITE',
    bind: (b) => ({ mr: b.registerNew(4096, REMOTE_READ | MW_BIND), access: REMOTE_ATOMIC }),
  },
  {
    title: 'a range that begins before the region',
    bind: (b) => beside(b, -1, 16),
  },
  { title: 'a range that ends beyond the region', bind: (b) => beside(b, 4096 - 15, 16) },
  { title: 'a range 4 GiB away', bind: (b) => beside(b, 2 ** 32, 16) },
  { title: 'a range of 4 GiB', bind: (b) => beside(b, 0, 2 ** 32) },
  { title: 'a range of 2^53 - 1', bind: (b) => beside(b, 0, Number.MAX_SAFE_INTEGER) },
  { title: 'zero-based access', bind: (b) => ({ ...beside(b, 0, 16), access: REMOTE_READ | ZERO_BASED }) },
  { title: 'local access', bind: (b) => ({ ...beside(b, 0, 16), access: REMOTE_READ | LOCAL_WRITE }) },
  { title: 'access that means nothing', bind: (b) => ({ ...beside(b, 0, 16), access: 2 ** 31 }) },
];

function beside(b: Side, offset: number, length: number): MwBindInit {
  const mr = b.registerNew(4096, BINDABLE);
  return { mr, addr: mr.iova + offset, length, access: REMOTE_READ };
}

export const memoryWindow1Suite = defineSuite(
  'memory-window-1',
  ['rc', 'rdmaWrite', 'rdmaRead', 'memoryWindows'],
  (suite) => {
    suite.works('shows what it is bound to, and nothing beside it', async (bench) => {
      const { a, b } = bench.pair();
      const mr = b.registerNew(4096, BINDABLE);
      const mw = await boundType1(b, mr, { offset: 101, length: 64 });
      await expectWindow(a, b, mw.rkey, mr.addr + 101, mr.bytes.subarray(101));
      await expectWindow(a, b, mw.rkey, mr.addr + 101 + 48, mr.bytes.subarray(101 + 48));
      for (const offset of [100, 101 + 57, 101 + 64, 0]) await expectNoWindow(bench, b, mr, mw.rkey, mr.addr + offset);
    });

    suite.works('works on every queue pair of its protection domain, and on no other', async (bench) => {
      const { a, b } = bench.pair();
      const mr = b.registerNew(4096, BINDABLE);
      const mw = await boundType1(b, mr);
      const far = bench.side();
      connect(far.qp, b.createQp());
      await expectWindow(far, b, mw.rkey, mr.addr, mr.bytes);
      await expectWindow(a, b, mw.rkey, mr.addr, mr.bytes);
      const stranger = bench.side();
      connect(stranger.qp, b.createQp({}, b.context.allocPd()));
      await expectNoAccess(stranger, b, mr, mw.rkey, mr.addr);
    });

    for (const [name, access] of Object.entries({ REMOTE_WRITE, REMOTE_READ, REMOTE_ATOMIC })) {
      suite.works(`gives ${name} alone`, ['atomics'], async (bench) => {
        const requests = { REMOTE_WRITE: write, REMOTE_READ: read, REMOTE_ATOMIC: null } as const;
        for (const [other, request] of Object.entries(requests)) {
          const { a, b } = bench.pair();
          const mr = b.registerNew(4096, BINDABLE);
          const mw = await boundType1(b, mr, { access });
          const place = { rkey: mw.rkey, remoteAddr: mr.addr };
          const sgList = [a.sge(0, 8)];
          a.qp.postSend(request === null ? fetchAndAdd(1, sgList, b, 0, 1n, place) : request(1, sgList, b, 0, place));
          const status = other === name ? WcStatus.SUCCESS : WcStatus.REM_ACCESS_ERR;
          await expectCompletions(a.sendCq, { wrId: 1, status });
        }
      });
    }

    suite.works('gets a new key with each bind, and the old one is of no use', async (bench) => {
      const { a, b } = bench.pair();
      const mr = b.registerNew(4096, BINDABLE);
      const mw = await boundType1(b, mr);
      const first = mw.rkey;
      b.qp.bindMw(mw, {
        wrId: 1,
        sendFlags: SIGNALED,
        mr,
        addr: mr.addr + 64,
        length: 64,
        access: REMOTE_WRITE | REMOTE_READ,
      });
      expect(mw.rkey, 'the new key').to.not.equal(first);
      expect(mw.rkey >>> 8, 'the upper bits').to.equal(first >>> 8);
      await expectCompletions(b.sendCq, { wrId: 1, opcode: WcOpcode.BIND_MW });
      await expectWindow(a, b, mw.rkey, mr.addr + 64, mr.bytes.subarray(64));
      await expectNoWindow(bench, b, mr, first, mr.addr + 64);
      await expectNoWindow(bench, b, mr, mw.rkey, mr.addr);
    });

    suite.works('goes from one region to another', async (bench) => {
      const { a, b } = bench.pair();
      const [first, second] = [b.registerNew(4096, BINDABLE), b.registerNew(4096, BINDABLE)];
      const mw = await boundType1(b, first);
      expectError('EBUSY', () => {
        first.dereg();
      });
      b.qp.bindMw(mw, { wrId: 1, sendFlags: SIGNALED, mr: second, access: REMOTE_WRITE | REMOTE_READ });
      await expectCompletions(b.sendCq, { wrId: 1 });
      first.dereg();
      await expectWindow(a, b, mw.rkey, second.addr, second.bytes);
      expectError('EBUSY', () => {
        second.dereg();
      });
    });

    suite.works('is bound to nothing by a bind without length', async (bench) => {
      const { b } = bench.pair();
      const mr = b.registerNew(4096, BINDABLE);
      for (const nothing of [{ mr: null }, { mr, length: 0 }]) {
        const mw = await boundType1(b, mr);
        const bound = mw.rkey;
        b.qp.bindMw(mw, { wrId: 1, sendFlags: SIGNALED, ...nothing });
        await expectCompletions(b.sendCq, { wrId: 1, opcode: WcOpcode.BIND_MW });
        for (const rkey of [bound, mw.rkey]) await expectNoWindow(bench, b, mr, rkey, mr.addr);
        mw.dealloc();
      }
      mr.dereg();
    });

    suite.works('is bound more often than a key has low bytes', async (bench) => {
      const { a, b } = bench.pair();
      const mr = b.registerNew(4096, BINDABLE);
      const mw = b.pd.allocMw(MwType.TYPE_1);
      const keys = new Set<number>();
      for (let round = 0; round < 300; round++) {
        b.qp.bindMw(mw, { wrId: round, sendFlags: SIGNALED, mr, access: REMOTE_WRITE | REMOTE_READ });
        await expectCompletions(b.sendCq, { wrId: round });
        keys.add(mw.rkey);
      }
      expect(keys.size).to.equal(256);
      await expectWindow(a, b, mw.rkey, mr.addr, mr.bytes);
    });

    suite.works('is in force for what is posted behind it', async (bench) => {
      const { a, b } = bench.pair();
      const mr = b.registerNew(4096, BINDABLE);
      const mw = b.pd.allocMw(MwType.TYPE_1);
      // The bind is not signaled: that the message came says that it is done.
      a.qp.postRecv({ wrId: 9 });
      b.qp.bindMw(mw, { mr, access: REMOTE_WRITE | REMOTE_READ });
      b.qp.postSend(send(1, [], { sendFlags: SIGNALED | SendFlags.FENCE }));
      await expectCompletions(a.recvCq, { wrId: 9 });
      await expectWindow(a, b, mw.rkey, mr.addr, mr.bytes);
    });

    suite.works('shows a region by the address that its keys know', ['regMrIova'], async (bench) => {
      const { a, b } = bench.pair();
      const mr = b.pd.regMrIova(b.context.allocBuf(4096), BINDABLE, 2 ** 40);
      const mw = await boundType1(b, mr, { offset: 32, length: 32 });
      await expectWindow(a, b, mw.rkey, 2 ** 40 + 32, mr.bytes.subarray(32));
      await expectNoWindow(bench, b, mr, mw.rkey, mr.addr + 32);
    });

    suite.works('goes with its region when that is disposed', async (bench) => {
      const { b } = bench.pair();
      const mr = b.registerNew(4096, BINDABLE);
      const mw = await boundType1(b, mr);
      mr[Symbol.dispose]();
      expect(mw.destroyed).to.equal(true);
    });

    suite.provokes('is deallocated once, bound or not, and its key is of no use then', async (bench) => {
      const { b } = bench.pair();
      const mr = b.registerNew(4096, BINDABLE);
      const mw = await boundType1(b, mr);
      mw.dealloc();
      expectError('EINVAL', () => {
        mw.dealloc();
      });
      expectError('EINVAL', () => {
        b.qp.bindMw(mw, { mr });
      });
      await expectNoWindow(bench, b, mr, mw.rkey, mr.addr);
      mr.dereg();
      b.pd.allocMw(MwType.TYPE_1).dealloc();
    });

    suite.provokes('holds its protection domain', (bench) => {
      const pd = bench.open().allocPd();
      const mw = pd.allocMw(MwType.TYPE_1);
      expectError('EBUSY', () => {
        pd.dealloc();
      });
      mw.dealloc();
      pd.dealloc();
      expectError('EINVAL', () => pd.allocMw(MwType.TYPE_1));
    });

    suite.provokes('a type that is none is refused', (bench) => {
      const pd = bench.open().allocPd();
      for (const type of [0, 3, -1, NaN, '1']) expectError('EINVAL', () => pd.allocMw(type as Type));
    });

    suite.provokes('what shows through no region is refused, and nothing is posted', (bench) => {
      const { b } = bench.pair();
      const mr = b.registerNew(4096, BINDABLE);
      const mw = b.pd.allocMw(MwType.TYPE_1);
      const { rkey } = mw;
      const gone = b.registerNew(64, BINDABLE);
      gone.dereg();
      const mistakes: readonly unknown[] = [
        null,
        { mr: null, length: 8 },
        { mr: {} },
        { mr: gone },
        { mr, length: -1 },
        { mr, length: 0.5 },
        { mr, addr: -1 },
        { mr, access: 0.5 },
        { mr, wrId: -1 },
        { mr, sendFlags: SendFlags.INLINE },
      ];
      for (const bind of mistakes) {
        expectError('EINVAL', () => {
          b.qp.bindMw(mw, bind as MwBindInit);
        });
      }
      expectError('EINVAL', () => {
        b.qp.bindMw({} as never, { mr });
      });
      expectError('EINVAL', () => {
        b.createQp().bindMw(mw, { mr });
      });
      expect(mw.rkey).to.equal(rkey);
      mr.dereg();
    });

    suite.provokes('is not bound by a work request that names it', (bench) => {
      const { b } = bench.pair();
      const mr = b.registerNew(4096, BINDABLE);
      const mw = b.pd.allocMw(MwType.TYPE_1);
      const bindMw = { mw, rkey: mw.rkey, mr, addr: mr.iova, length: 64, access: REMOTE_READ };
      expectError('EINVAL', () => {
        b.qp.postSend({ wrId: 1, opcode: WrOpcode.BIND_MW, bindMw });
      });
      expect(b.qp.query().attr.qpState).to.equal(QpState.RTS);
    });

    suite.provokes('a window or a region of another protection domain or context is refused at the post', (bench) => {
      const { b } = bench.pair();
      const mr = b.registerNew(4096, BINDABLE);
      const other = bench.side();
      const [near, far] = [b.context.allocPd(), other.pd];
      const regions = [b.registerNew(4096, BINDABLE, near), other.registerNew(4096, BINDABLE)];
      for (const [at, pd] of [near, far].entries()) {
        for (const bind of [
          { mw: pd.allocMw(MwType.TYPE_1), mr },
          { mw: b.pd.allocMw(MwType.TYPE_1), mr: regions[at] },
        ]) {
          const { rkey } = bind.mw;
          expectError('EINVAL', () => {
            b.qp.bindMw(bind.mw, { mr: bind.mr, access: REMOTE_READ });
          });
          expect(bind.mw.rkey, 'the key is as it was').to.equal(rkey);
        }
      }
      expect(b.qp.query().attr.qpState).to.equal(QpState.RTS);
    });

    for (const { title, bind } of refused) {
      suite.provokes(`a bind is refused: ${title}`, async (bench) => {
        const { a, b } = bench.pair();
        const mw = b.pd.allocMw(MwType.TYPE_1);
        const asked = bind(b);
        b.qp.bindMw(mw, { wrId: 1, ...asked });
        b.qp.postSend(send(2, []));
        await expectBindFailed(b, a);
        asked.mr?.dereg();
      });
    }

    suite.provokes('a region with windows bound to it is not changed', ['reregMr'], async (bench) => {
      const { a, b } = bench.pair();
      const mr = b.registerNew(4096, BINDABLE);
      const mw = await boundType1(b, mr);
      const { lkey, access } = mr;
      expectError('EBUSY', () => {
        mr.rereg({ access: LOCAL_WRITE });
      });
      expect([mr.lkey, mr.access]).to.deep.equal([lkey, access]);
      await expectWindow(a, b, mw.rkey, mr.addr, mr.bytes);
      mw.dealloc();
      mr.rereg({ access: LOCAL_WRITE });
    });

    suite.provokes('is of no use before it is bound, nor as a local key', async (bench) => {
      const { b } = bench.pair();
      const mr = b.registerNew(4096, BINDABLE);
      const mw = b.pd.allocMw(MwType.TYPE_1);
      await expectNoWindow(bench, b, mr, mw.rkey, mr.addr);
      await boundType1(b, mr);
      b.qp.postSend(send(1, [{ addr: mr.addr, length: 8, lkey: mw.rkey }]));
      await expectCompletions(b.sendCq, { wrId: 1, status: WcStatus.LOC_PROT_ERR });
    });
  },
);
