/** Changing a registration in place: memory, protection domain, access, and every combination (ibv_rereg_mr). */
import { expect } from 'chai';
import { AccessFlags, WcStatus, type MemoryRegion, type ReregMrInit } from '@openverbs/verbs';
import type { Bench } from '../bench/bench.ts';
import { expectCompletions } from '../bench/completions.ts';
import { connect } from '../bench/connect.ts';
import { expectError } from '../bench/errors.ts';
import { expectBytes, fillPattern, pattern, snapshot } from '../bench/payload.ts';
import { read, write } from '../bench/requests.ts';
import { ACCESS_ALL, newMemory, type Side } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';

const { LOCAL_WRITE, REMOTE_READ, ZERO_BASED } = AccessFlags;

/** Everything that an application sees of a region. */
function shown({ addr, iova, length, lkey, rkey, access, pd, bytes }: MemoryRegion): unknown[] {
  return [addr, iova, length, lkey, rkey, access, pd, bytes];
}

/** Writes 32 bytes through the region's keys, and reads them back. */
async function expectReachable(a: Side, b: Side, mr: MemoryRegion, seed: number): Promise<void> {
  const { rkey, iova: remoteAddr } = mr;
  fillPattern(a.bytes.subarray(0, 32), seed);
  a.qp.postSend([
    write(1, [a.sge(0, 32)], b, 0, { rkey, remoteAddr }),
    read(2, [a.sge(64, 32)], b, 0, { rkey, remoteAddr }),
  ]);
  await expectCompletions(a.sendCq, { wrId: 1 }, { wrId: 2 });
  expectBytes(mr.bytes.subarray(0, 32), pattern(seed, 32), 'the region');
  expectBytes(a.bytes.subarray(64, 96), pattern(seed, 32), 'what was read');
}

/** Expects that a write by this key does nothing but fail. Another pair does it, because it is of no use afterwards. */
async function expectUnreachable(bench: Bench, b: Side, rkey: number, remoteAddr: number): Promise<void> {
  const a = bench.side();
  const there = b.createQp();
  connect(a.qp, there);
  const before = snapshot(b.bytes, 'memory there');
  a.qp.postSend(write(1, [a.sge(0, 8)], b, 0, { rkey, remoteAddr }));
  await expectCompletions(a.sendCq, { wrId: 1, status: WcStatus.REM_ACCESS_ERR });
  before.expectUnchanged();
}

export const mrReregSuite = defineSuite('mr-rereg', ['rc', 'rdmaWrite', 'rdmaRead', 'reregMr'], (suite) => {
  for (const combination of [1, 2, 3, 4, 5, 6, 7]) {
    const names = ['memory', 'pd', 'access'].filter((_, bit) => (combination & (1 << bit)) !== 0);
    suite.works(`changes ${names.join(', ')}`, async (bench) => {
      const { a, b } = bench.pair();
      const [changesMemory, changesPd, changesAccess] = [1, 2, 4].map((bit) => (combination & bit) !== 0);
      const otherPd = b.context.allocPd();
      // It ends up where the QP of `b` can use it, and is of no use there before if that is what changes.
      const mr = b.registerNew(4096, changesAccess ? LOCAL_WRITE : ACCESS_ALL, changesPd ? otherPd : b.pd);
      const old = { bytes: mr.bytes, rkey: mr.rkey, iova: mr.iova };
      const memory = newMemory(b.context, 8192);
      const changes: ReregMrInit = {
        ...(changesMemory ? { memory } : {}),
        ...(changesPd ? { pd: b.pd } : {}),
        ...(changesAccess ? { access: ACCESS_ALL } : {}),
      };
      mr.rereg(changes);
      expect(mr.length, 'length').to.equal(changesMemory ? 8192 : 4096);
      expect(mr.bytes === old.bytes, 'the memory is the old one').to.equal(!changesMemory);
      expect([mr.pd, mr.access]).to.deep.equal([b.pd, ACCESS_ALL]);
      await expectReachable(a, b, mr, combination);
      if (changesMemory)
        expect(
          old.bytes.every((byte) => byte === 0),
          'the old memory',
        ).to.equal(true);
      if (changesPd) otherPd.dealloc();
      mr.rereg(changes);
      await expectReachable(a, b, mr, combination + 10);
      if (mr.rkey !== old.rkey) await expectUnreachable(bench, b, old.rkey, old.iova);
      mr.dereg();
    });
  }

  suite.works('takes access away', async (bench) => {
    const { a, b } = bench.pair();
    const mr = b.registerNew(4096);
    await expectReachable(a, b, mr, 1);
    mr.rereg({ access: LOCAL_WRITE | REMOTE_READ });
    const { rkey, iova: remoteAddr } = mr;
    a.qp.postSend(read(1, [a.sge(0, 32)], b, 0, { rkey, remoteAddr }));
    await expectCompletions(a.sendCq, { wrId: 1 });
    await expectUnreachable(bench, b, rkey, remoteAddr);
  });

  suite.works('counts from 0, and does not any more', ['zeroBased'], async (bench) => {
    const { a, b } = bench.pair();
    const mr = b.registerNew(4096);
    mr.rereg({ access: ACCESS_ALL | ZERO_BASED });
    expect(mr.iova).to.equal(0);
    await expectReachable(a, b, mr, 1);
    mr.rereg({ memory: newMemory(b.context, 64) });
    expect(mr.iova).to.equal(0);
    await expectReachable(a, b, mr, 2);
    mr.rereg({ access: ACCESS_ALL });
    expect(mr.iova).to.equal(mr.addr);
    await expectReachable(a, b, mr, 3);
  });

  suite.works('holds the new memory, and gives the old one back', ['dmaBuffers'], (bench) => {
    const context = bench.open();
    const pd = context.allocPd();
    const [first, second] = [context.allocBuf(4096), context.allocBuf(4096)];
    const mr = pd.regMr(first, ACCESS_ALL);
    mr.rereg({ memory: second });
    first.free();
    expectError('EBUSY', () => {
      second.free();
    });
    mr.dereg();
    second.free();
  });

  suite.works('makes the new protection domain busy, not the old one', (bench) => {
    const context = bench.open();
    const [first, second] = [context.allocPd(), context.allocPd()];
    const mr = first.regMr(newMemory(context, 64), ACCESS_ALL);
    mr.rereg({ pd: second });
    first.dealloc();
    expectError('EBUSY', () => {
      second.dealloc();
    });
    mr.dereg();
    second.dealloc();
  });

  suite.provokes('what is refused leaves the region as it was', async (bench) => {
    const { a, b } = bench.pair();
    const mr = b.registerNew(4096);
    const before = shown(mr);
    const gone = b.context.allocPd();
    gone.dealloc();
    const foreign = bench.open().allocPd();
    const mistakes: readonly unknown[] = [
      {},
      { access: AccessFlags.REMOTE_WRITE },
      { access: 1 << 31 },
      { access: NaN },
      { memory: 5 },
      { memory: new Uint8Array(0), access: ACCESS_ALL },
      { pd: gone },
      { pd: foreign },
      { pd: {} },
      { memory: newMemory(b.context, 64), pd: gone },
      { memory: newMemory(b.context, 64), access: AccessFlags.REMOTE_ATOMIC },
    ];
    for (const changes of mistakes) {
      expectError(['EINVAL', 'EFAULT'], () => {
        mr.rereg(changes as ReregMrInit);
      });
      expect(shown(mr)).to.deep.equal(before);
    }
    await expectReachable(a, b, mr, 1);
  });

  suite.provokes('a region that is gone is not changed', (bench) => {
    const context = bench.open();
    const mr = context.allocPd().regMr(newMemory(context, 64), ACCESS_ALL);
    mr.dereg();
    expectError('EINVAL', () => {
      mr.rereg({ access: 0 });
    });
  });
});
