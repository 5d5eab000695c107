/** Compare-and-swap and fetch-and-add: 8 bytes, aligned to 8, in the host's byte order (InfiniBand specification, 9.4.5). */
import { expect } from 'chai';
import { AccessFlags, WcOpcode, WcStatus } from '@openverbs/verbs';
import { completions, expectCompletions } from '../bench/completions.ts';
import { snapshot } from '../bench/payload.ts';
import { compareAndSwap, fetchAndAdd } from '../bench/requests.ts';
import type { Side } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';

/** The 64-bit values of a region. */
function words(side: Side): BigUint64Array {
  return new BigUint64Array(side.bytes.buffer, side.bytes.byteOffset, 16);
}

const MAX = 2n ** 64n - 1n;

export const atomicsSuite = defineSuite('atomics', ['rc', 'atomics'], (suite) => {
  suite.works('compare-and-swap swaps where it compares equal', async (bench) => {
    const { a, b } = bench.pair();
    for (const [old, swap] of [
      [0n, 1n],
      [MAX, 0n],
      [0x1122334455667788n, 0x99aabbccddeeff00n],
    ] as const) {
      words(b).fill(0x5555n);
      words(b)[3] = old;
      words(a).fill(0x7777n);
      a.qp.postSend(compareAndSwap(1, [a.sge(8, 8)], b, 24, old, swap));
      await expectCompletions(a.sendCq, { wrId: 1, opcode: WcOpcode.COMP_SWAP, byteLen: 8, qp: a.qp });
      expect([...words(b).slice(2, 5)], 'there').to.deep.equal([0x5555n, swap, 0x5555n]);
      expect([...words(a).slice(0, 3)], 'here').to.deep.equal([0x7777n, old, 0x7777n]);
    }
  });

  suite.works('compare-and-swap leaves alone what differs, in either word', async (bench) => {
    const { a, b } = bench.pair();
    for (const compare of [0x1111_0000_0000_2222n ^ 1n, 0x1111_0000_0000_2222n ^ (1n << 63n)]) {
      words(b)[0] = 0x1111_0000_0000_2222n;
      a.qp.postSend(compareAndSwap(1, [a.sge(0, 8)], b, 0, compare, 9n));
      await expectCompletions(a.sendCq, { wrId: 1, opcode: WcOpcode.COMP_SWAP });
      expect(words(b)[0], 'there').to.equal(0x1111_0000_0000_2222n);
      expect(words(a)[0], 'what it was').to.equal(0x1111_0000_0000_2222n);
    }
  });

  suite.works('fetch-and-add adds 64 bits and wraps', async (bench) => {
    const { a, b } = bench.pair();
    for (const [old, add] of [
      [0n, 1n],
      [0xffffffffn, 1n],
      [MAX, 1n],
      [5n, MAX],
      [1n << 63n, 1n << 63n],
    ] as const) {
      words(b)[1] = old;
      a.qp.postSend(fetchAndAdd(1, [a.sge(0, 8)], b, 8, add));
      await expectCompletions(a.sendCq, { wrId: 1, opcode: WcOpcode.FETCH_ADD, byteLen: 8, qp: a.qp });
      expect(words(b)[1], 'there').to.equal((old + add) & MAX);
      expect(words(a)[0], 'what it was').to.equal(old);
    }
  });

  suite.works('the old value may go to any address', async (bench) => {
    const { a, b } = bench.pair();
    words(b)[0] = 0x0807060504030201n;
    a.bytes.fill(0);
    a.qp.postSend(fetchAndAdd(1, [a.sge(3, 8)], b, 0, 0n));
    await expectCompletions(a.sendCq, { wrId: 1 });
    expect([...a.bytes.subarray(2, 12)]).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 0]);
  });

  suite.works('every one of many counts, from both ends', async (bench) => {
    const context = bench.open(bench.peerDevice);
    const counter = bench.side({ context });
    const pairs = [1, 2, 3].map(() => bench.pair({ b: { context, pd: counter.pd } }));
    words(counter)[0] = 0n;
    for (const { a } of pairs) {
      a.qp.postSend(Array.from({ length: 20 }, (_, wrId) => fetchAndAdd(wrId, [a.sge(wrId * 8, 8)], counter, 0, 1n)));
    }
    const seen = new Set<bigint>();
    for (const { a } of pairs) {
      await completions(a.sendCq, 20);
      new BigUint64Array(a.bytes.buffer, a.bytes.byteOffset, 20).forEach((value) => seen.add(value));
    }
    expect(words(counter)[0]).to.equal(60n);
    expect(seen.size, 'every value was there once').to.equal(60);
  });

  suite.works('needs no more than atomic access there and write access here', async (bench) => {
    const { a, b } = bench.pair({
      a: { access: AccessFlags.LOCAL_WRITE },
      b: { access: AccessFlags.LOCAL_WRITE | AccessFlags.REMOTE_ATOMIC },
      connectionOfA: { qpAccessFlags: 0 },
      connectionOfB: { qpAccessFlags: AccessFlags.REMOTE_ATOMIC },
    });
    a.qp.postSend(fetchAndAdd(1, [a.sge(0, 8)], b, 0, 1n));
    await expectCompletions(a.sendCq, { wrId: 1 });
  });

  suite.provokes('an address that is not a multiple of 8 is an invalid request', async (bench) => {
    for (const offset of [1, 4, 7]) {
      for (const compares of [true, false]) {
        const { a, b } = bench.pair();
        const memory = [snapshot(a.bytes, 'here'), snapshot(b.bytes, 'there')];
        const sgList = [a.sge(0, 8)];
        const add = fetchAndAdd(1, sgList, b, offset, 1n);
        a.qp.postSend(compares ? compareAndSwap(1, sgList, b, offset, 0n, 1n) : add);
        await expectCompletions(a.sendCq, { wrId: 1, status: WcStatus.REM_INV_REQ_ERR });
        for (const part of memory) part.expectUnchanged();
      }
    }
  });

  suite.provokes('another length than 8 is a local length error', async (bench) => {
    for (const length of [0, 1, 7, 9, 16]) {
      const { a, b } = bench.pair();
      const memory = [snapshot(a.bytes, 'here'), snapshot(b.bytes, 'there')];
      a.qp.postSend(fetchAndAdd(1, [a.sge(0, length)], b, 0, 1n));
      await expectCompletions(a.sendCq, { wrId: 1, status: WcStatus.LOC_LEN_ERR });
      for (const part of memory) part.expectUnchanged();
    }
  });
});
