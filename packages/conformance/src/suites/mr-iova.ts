/** Regions that their keys know by another address than their own: ibv_reg_mr_iova and IBV_ACCESS_ZERO_BASED. */
import { expect } from 'chai';
import { AccessFlags, WcStatus, type MemoryRegion } from '@openverbs/verbs';
import type { CapabilityName } from '@openverbs/verbs/driver';
import { expectCompletions } from '../bench/completions.ts';
import { expectError } from '../bench/errors.ts';
import { expectBytes, fillPattern, pattern } from '../bench/payload.ts';
import { read, send, write } from '../bench/requests.ts';
import { ACCESS_ALL, newMemory, type Side } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';

const LENGTH = 4096;
const { ZERO_BASED } = AccessFlags;

/** Addresses that say something about the arithmetic: small ones, such that cross 2^31 and 2^32, and the largest. */
const IOVAS = [0, 4096, 2 ** 31 - 2048, 2 ** 32 - 2048, 2 ** 32, 2 ** 48, 2 ** 53 - 2 * LENGTH].map(
  (iova) => iova - (iova % LENGTH),
);

interface Kind {
  readonly name: string;
  readonly needs: readonly CapabilityName[];
  readonly iova: number;
  readonly register: (side: Side) => MemoryRegion;
}

const kinds: readonly Kind[] = [
  ...IOVAS.map((iova) => ({
    name: `iova ${iova}`,
    needs: ['regMrIova'] as const,
    iova,
    register: ({ pd, context }: Side) => pd.regMrIova(newMemory(context, LENGTH), ACCESS_ALL, iova),
  })),
  {
    name: 'ZERO_BASED',
    needs: ['zeroBased'],
    iova: 0,
    register: ({ pd, context }) => pd.regMr(newMemory(context, LENGTH), ACCESS_ALL | ZERO_BASED),
  },
  {
    name: 'ZERO_BASED, in the middle of a page',
    needs: ['zeroBased', 'dmaBuffers'],
    iova: 0,
    register: ({ pd, context }) =>
      pd.regMr(context.allocBuf(2 * LENGTH).bytes.subarray(100, 100 + LENGTH), ACCESS_ALL | ZERO_BASED),
  },
];

export const mrIovaSuite = defineSuite('mr-iova', ['rc', 'rdmaWrite', 'rdmaRead'], (suite) => {
  for (const { name, needs, iova, register } of kinds) {
    suite.works(`${name}: peers and SGEs name the memory by it`, needs, async (bench) => {
      const { a, b } = bench.pair();
      const [near, far] = [register(a), register(b)];
      expect([near.iova, near.sge(5, 6).addr], 'iova').to.deep.equal([iova, iova + 5]);
      expect(near.bytes.byteLength, 'bytes').to.equal(LENGTH);
      fillPattern(near.bytes, 1);
      b.qp.postRecv({ wrId: 9, sgList: [far.sge(LENGTH - 40, 40)] });
      const { rkey } = far;
      a.qp.postSend([
        write(1, [near.sge(0, 100)], b, 0, { rkey, remoteAddr: iova + 10 }),
        read(2, [near.sge(LENGTH - 100, 100)], b, 0, { rkey, remoteAddr: iova + 10 }),
        send(3, [near.sge(0, 40)]),
      ]);
      await expectCompletions(a.sendCq, { wrId: 1 }, { wrId: 2 }, { wrId: 3 });
      await expectCompletions(b.recvCq, { wrId: 9, byteLen: 40 });
      expectBytes(far.bytes.subarray(10, 110), pattern(1, 100), 'what was written');
      expectBytes(near.bytes.subarray(LENGTH - 100), pattern(1, 100), 'what was read');
      expectBytes(far.bytes.subarray(LENGTH - 40), pattern(1, 40), 'what was received');
    });

    for (const [title, offset] of [
      ['before', -8],
      ['across the end of', LENGTH - 7],
      ['behind', LENGTH],
    ] as const) {
      suite.provokes(`${name}: ${title} it there is nothing`, needs, async (bench) => {
        const { a, b } = bench.pair();
        const { rkey, bytes } = register(b);
        const remoteAddr = BigInt.asUintN(64, BigInt(iova) + BigInt(offset));
        a.qp.postSend(write(1, [a.sge(0, 8)], b, 0, { rkey, remoteAddr }));
        await expectCompletions(a.sendCq, { wrId: 1, status: WcStatus.REM_ACCESS_ERR });
        expect(bytes.every((byte) => byte === 0)).to.equal(true);
      });
    }

    suite.provokes(`${name}: its own address means nothing`, needs, async (bench) => {
      const { a, b } = bench.pair();
      const { rkey, addr: remoteAddr } = register(b);
      a.qp.postSend(write(1, [a.sge(0, 8)], b, 0, { rkey, remoteAddr }));
      await expectCompletions(a.sendCq, { wrId: 1, status: WcStatus.REM_ACCESS_ERR });
    });
  }

  suite.provokes('refuses an iova that is none', ['regMrIova'], (bench) => {
    const context = bench.open();
    const pd = context.allocPd();
    const memory = newMemory(context, LENGTH);
    for (const iova of [-4096, 0.5, NaN, 2 ** 53, 2 ** 53 - 4096 + 1, null, '0']) {
      expectError('EINVAL', () => pd.regMrIova(memory, ACCESS_ALL, iova as number));
    }
  });

  suite.provokes(
    'refuses an iova at another offset in its page than the memory',
    ['regMrIova', 'dmaBuffers'],
    (bench) => {
      const context = bench.open();
      const pd = context.allocPd();
      const memory = context.allocBuf(LENGTH);
      for (const iova of [1, 8, 4095]) expectError('EINVAL', () => pd.regMrIova(memory, ACCESS_ALL, iova));
      expectError('EINVAL', () => pd.regMrIova(memory.bytes.subarray(1), ACCESS_ALL, 4096));
      expect(pd.regMrIova(memory.bytes.subarray(1), ACCESS_ALL, 4097).iova).to.equal(4097);
    },
  );

  suite.provokes('refuses an iova beside ZERO_BASED', ['regMrIova', 'zeroBased'], (bench) => {
    const context = bench.open();
    const pd = context.allocPd();
    const memory = newMemory(context, LENGTH);
    expectError('EINVAL', () => pd.regMrIova(memory, ACCESS_ALL | ZERO_BASED, 4096));
    expect(pd.regMrIova(memory, ACCESS_ALL | ZERO_BASED, 0).iova).to.equal(0);
  });
});
