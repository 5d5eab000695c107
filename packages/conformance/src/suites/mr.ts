/** Memory regions and the buffers they are made of (ibv_reg_mr, ibv_dereg_mr, ibv_alloc_buf). */
import { expect } from 'chai';
import { AccessFlags } from '@openverbs/verbs';
import { expectCompletions } from '../bench/completions.ts';
import { expectError } from '../bench/errors.ts';
import { expectBytes, fillPattern } from '../bench/payload.ts';
import { send } from '../bench/requests.ts';
import { ACCESS_ALL, newMemory } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';

/** Combinations that the man page of ibv_reg_mr allows. */
const accessAllowed = [
  0,
  AccessFlags.LOCAL_WRITE,
  AccessFlags.REMOTE_READ,
  AccessFlags.LOCAL_WRITE | AccessFlags.REMOTE_WRITE,
  AccessFlags.LOCAL_WRITE | AccessFlags.REMOTE_ATOMIC,
  ACCESS_ALL,
];

/** The same man page: remote write and remote atomic access need local write access too. */
const accessRefused = [
  AccessFlags.REMOTE_WRITE,
  AccessFlags.REMOTE_ATOMIC,
  AccessFlags.REMOTE_WRITE | AccessFlags.REMOTE_READ,
  1 << 31,
  1 << 15,
  -1,
  0.5,
  NaN,
];

export const mrSuite = defineSuite('mr', [], (suite) => {
  suite.works('registers memory for each allowed access', (bench) => {
    const context = bench.open();
    const pd = context.allocPd();
    const memory = newMemory(context, 4096);
    for (const access of accessAllowed) {
      const mr = pd.regMr(memory, access);
      expect(mr.length, 'length').to.equal(4096);
      expect(mr.access, 'access').to.equal(access);
      expect(mr.bytes.byteLength, 'bytes').to.equal(4096);
      mr.dereg();
    }
  });

  suite.works('shows the registered bytes themselves', (bench) => {
    const context = bench.open();
    const memory = newMemory(context, 4096);
    const bytes = memory instanceof Uint8Array ? memory : memory.bytes;
    const mr = context.allocPd().regMr(bytes.subarray(13, 13 + 100), AccessFlags.LOCAL_WRITE);
    bytes[13] = 0x5a;
    mr.bytes[99] = 0xa5;
    expect([mr.length, mr.bytes[0], bytes[112]]).to.deep.equal([100, 0x5a, 0xa5]);
  });

  suite.works('gives SGEs within the region, and none beyond it', (bench) => {
    const context = bench.open();
    const mr = context.allocPd().regMr(newMemory(context, 100), AccessFlags.LOCAL_WRITE);
    expect({ ...mr.sge() }).to.deep.include({ addr: mr.addr, length: 100, lkey: mr.lkey });
    expect({ ...mr.sge(10) }).to.deep.include({ addr: mr.addr + 10, length: 90, lkey: mr.lkey });
    expect({ ...mr.sge(10, 5) }).to.deep.include({ addr: mr.addr + 10, length: 5, lkey: mr.lkey });
    expect(mr.sge(100, 0).length).to.equal(0);
    for (const [offset, length] of [
      [-1, 1],
      [0, 101],
      [100, 1],
      [101, 0],
      [0, -1],
      [0.5, 1],
      [NaN, 1],
    ] as const) {
      expectError('EINVAL', () => mr.sge(offset, length));
    }
  });

  suite.works('gives every live region keys of its own', (bench) => {
    const context = bench.open();
    const pd = context.allocPd();
    const memory = newMemory(context, 4096);
    const mrs = Array.from({ length: 64 }, () => pd.regMr(memory, ACCESS_ALL));
    expect(new Set(mrs.map(({ lkey }) => lkey)).size, 'lkeys').to.equal(64);
    expect(new Set(mrs.map(({ rkey }) => rkey)).size, 'rkeys').to.equal(64);
    for (const { lkey, rkey } of mrs) {
      expect(lkey, 'lkey is an unsigned 32-bit number').to.equal(lkey >>> 0);
      expect(rkey, 'rkey is an unsigned 32-bit number').to.equal(rkey >>> 0);
    }
  });

  suite.works('does not give a key again at once, so that a stale one is noticed', (bench) => {
    const context = bench.open();
    const pd = context.allocPd();
    const memory = newMemory(context, 4096);
    const seen = new Set<number>();
    for (let round = 0; round < 100; round++) {
      const mr = pd.regMr(memory, ACCESS_ALL);
      expect(seen.has(mr.rkey), `rkey of round ${round} was given before`).to.equal(false);
      seen.add(mr.rkey);
      mr.dereg();
    }
  });

  suite.works('registers and deregisters, over and over', (bench) => {
    const context = bench.open();
    const pd = context.allocPd();
    const memory = newMemory(context, 64);
    for (let round = 0; round < 5000; round++) pd.regMr(memory, ACCESS_ALL).dereg();
  });

  suite.provokes('refuses other combinations of access flags', (bench) => {
    const context = bench.open();
    const pd = context.allocPd();
    const memory = newMemory(context, 4096);
    for (const access of accessRefused) expectError('EINVAL', () => pd.regMr(memory, access));
    pd.dealloc();
  });

  suite.provokes('is deregistered once', (bench) => {
    const context = bench.open();
    const mr = context.allocPd().regMr(newMemory(context, 64), ACCESS_ALL);
    mr.dereg();
    expectError('EINVAL', () => {
      mr.dereg();
    });
  });

  suite.works('registers memory of the caller, and keeps it', ['registersAnyMemory'], (bench) => {
    const context = bench.open();
    const mr = context.allocPd().regMr(new Float64Array(8), ACCESS_ALL);
    expect(mr.length).to.equal(64);
  });

  suite.works(
    'registers memory that is fetched when touched, and memory of huge pages',
    ['onDemandPaging'],
    (bench) => {
      const context = bench.open();
      const pd = context.allocPd();
      for (const flag of [AccessFlags.ON_DEMAND, AccessFlags.HUGETLB]) {
        const mr = pd.regMr(newMemory(context, 4096), ACCESS_ALL | flag);
        expect(mr.access, 'access').to.equal(ACCESS_ALL | flag);
        mr.bytes[4095] = 1;
        mr.dereg();
      }
    },
  );

  suite.works('allocates zeroed, aligned buffers', ['dmaBuffers'], (bench) => {
    const context = bench.open();
    for (const [length, alignment] of [
      [1, 4096],
      [4096, 4096],
      [4097, 8192],
      [100_000, 65_536],
    ] as const) {
      const buffer = context.allocBuf(length, { alignment });
      expect(buffer.length, 'length').to.equal(length);
      expect(buffer.bytes.length, 'bytes').to.equal(length);
      expect(buffer.addr % alignment, 'alignment').to.equal(0);
      expect(
        buffer.bytes.every((byte) => byte === 0),
        'zeroed',
      ).to.equal(true);
      // The next one that gets these pages must not see this.
      buffer.bytes.fill(0xee);
      buffer.free();
    }
    const again = context.allocBuf(100_000);
    expect(
      again.bytes.every((byte) => byte === 0),
      'zeroed after use',
    ).to.equal(true);
    expect(again.addr % 4096, 'page-aligned').to.equal(0);
  });

  suite.works('allocates buffers that do not overlap', ['dmaBuffers'], (bench) => {
    const context = bench.open();
    const buffers = Array.from({ length: 50 }, (_, index) => context.allocBuf(1 + index * 300));
    buffers.forEach((buffer, index) => buffer.bytes.fill(index + 1));
    buffers.forEach((buffer, index) => {
      expect(
        buffer.bytes.every((byte) => byte === index + 1),
        `buffer ${index} is its own`,
      ).to.equal(true);
    });
  });

  suite.works('registers a buffer of another context, and of another device', ['rc', 'dmaBuffers'], async (bench) => {
    const { a, b } = bench.pair();
    for (const owner of [bench.open(), bench.open(bench.peerDevice)]) {
      const buffer = owner.allocBuf(4096);
      fillPattern(buffer.bytes, 1);
      const mr = a.pd.regMr(buffer.bytes.subarray(100), ACCESS_ALL);
      b.qp.postRecv({ wrId: 1, sgList: [b.sge(0, 64)] });
      a.qp.postSend(send(2, [mr.sge(5, 64)]));
      await expectCompletions(b.recvCq, { wrId: 1, byteLen: 64 });
      await expectCompletions(a.sendCq, { wrId: 2 });
      expectBytes(b.bytes.subarray(0, 64), buffer.bytes.slice(105, 169), 'message');
      expectError('EBUSY', () => {
        buffer.free();
      });
      mr.dereg();
      buffer.free();
      owner.close();
    }
  });

  suite.provokes('refuses bad lengths and alignments', ['dmaBuffers'], (bench) => {
    const context = bench.open();
    for (const length of [0, -1, 1.5, NaN]) expectError('EINVAL', () => context.allocBuf(length));
    for (const alignment of [0, -4096, 3, 4097, NaN]) {
      expectError('EINVAL', () => context.allocBuf(64, { alignment }));
    }
    expectError('ENOMEM', () => context.allocBuf(2 ** 46));
    context.close();
  });

  suite.provokes('is busy, buffer and context, until the region is gone', ['dmaBuffers'], (bench) => {
    const context = bench.open();
    const pd = context.allocPd();
    const buffer = context.allocBuf(4096);
    const mr = pd.regMr(buffer.bytes.subarray(1, 2), ACCESS_ALL);
    expectError('EBUSY', () => {
      buffer.free();
    });
    mr.bytes[0] = 1;
    mr.dereg();
    buffer.free();
    expectError('EINVAL', () => {
      buffer.free();
    });
    expectError('EINVAL', () => pd.regMr(buffer, ACCESS_ALL));
  });
});
