/** ATOMIC_WRITE: 8 bytes, aligned to 8, of which nobody sees a part (InfiniBand specification, annex A19). */
import { expect } from 'chai';
import { AccessFlags, QpState, QpType, SendFlags, WcOpcode, WcStatus, type SendWrInit } from '@openverbs/verbs';
import type { Bench } from '../bench/bench.ts';
import { completions, expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import { expectError, expectRefusedBuilds } from '../bench/errors.ts';
import { expectBytes, fillPattern, pattern, snapshot } from '../bench/payload.ts';
import { atomicWrite, read, send, write } from '../bench/requests.ts';
import { ACCESS_ALL } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';
import { faultsOf, faultsOfWideAddresses } from './faults.ts';
import { expectLocalFailure } from './local-errors.ts';
import { expectRemoteFailure } from './remote-errors.ts';

const { REMOTE_WRITE, LOCAL_WRITE } = AccessFlags;
const { SIGNALED, INLINE } = SendFlags;
const { REM_ACCESS_ERR, REM_INV_REQ_ERR, LOC_QP_OP_ERR, LOC_LEN_ERR } = WcStatus;

/** A request that the other side refuses: everything about it is right but what `extras` say. */
async function expectRefused(
  bench: Bench,
  extras: Partial<SendWrInit>,
  status: typeof REM_ACCESS_ERR | typeof REM_INV_REQ_ERR,
  options: Parameters<Bench['pair']>[0] = {},
): Promise<void> {
  const pair = bench.pair(options);
  await expectRemoteFailure(bench, pair, (wrId) => atomicWrite(wrId, pattern(9, 8), pair.b, 0, extras), status);
}

export const atomicWriteSuite = defineSuite('atomic-write', ['rc', 'atomicWrite'], (suite) => {
  suite.works('writes 8 bytes, and no others', async (bench) => {
    const { a, b } = bench.pair();
    for (const offset of [0, 8, 1000, b.mr.length - 8]) {
      fillPattern(b.bytes, 1);
      const expected = pattern(1, b.bytes.length);
      expected.set(pattern(offset, 8), offset);
      a.qp.postSend(atomicWrite(5, pattern(offset, 8), b, offset));
      await expectCompletions(a.sendCq, { wrId: 5, opcode: WcOpcode.ATOMIC_WRITE, qp: a.qp });
      expectBytes(b.bytes, expected, 'there');
    }
    expectNoCompletion(b.recvCq);
  });

  suite.works('takes them from an SGE, at any address', async (bench) => {
    const { a, b } = bench.pair();
    fillPattern(a.bytes, 3);
    for (const from of [0, 8, 3, 4093]) {
      a.qp.postSend(atomicWrite(1, pattern(0, 8), b, 16, { inlineData: null, sgList: [a.sge(from, 8)] }));
      await expectCompletions(a.sendCq, { wrId: 1, opcode: WcOpcode.ATOMIC_WRITE });
      expectBytes(b.bytes.subarray(16, 24), a.bytes.subarray(from, from + 8), 'there');
    }
  });

  suite.works('the extended form', async (bench) => {
    const { a, b } = bench.pair();
    const bytes = pattern(7, 8);
    a.qp.wrStart();
    a.qp.wrFlags = SIGNALED;
    a.qp.wrId = 1;
    a.qp.wrAtomicWrite(b.mr.rkey, b.mr.addr + 8, bytes);
    bytes.reverse();
    a.qp.wrId = 2;
    a.qp.wrAtomicWrite(b.mr.rkey, b.mr.addr + 24, bytes);
    bytes.fill(0);
    a.qp.wrComplete();
    await expectCompletions(
      a.sendCq,
      { wrId: 1, opcode: WcOpcode.ATOMIC_WRITE },
      { wrId: 2, opcode: WcOpcode.ATOMIC_WRITE },
    );
    expectBytes(b.bytes.subarray(8, 16), pattern(7, 8), 'the first');
    expectBytes(b.bytes.subarray(24, 32), pattern(7, 8).reverse(), 'the second');
  });

  suite.works(
    'comes after the write before it and before the read behind it',
    ['rdmaWrite', 'rdmaRead'],
    async (bench) => {
      const { a, b } = bench.pair();
      fillPattern(a.bytes.subarray(0, 4096), 1);
      a.qp.postSend([
        write(1, [a.sge(0, 4096)], b, 0, { sendFlags: 0 }),
        atomicWrite(2, pattern(2, 8), b, 4088, { sendFlags: 0 }),
        read(3, [a.sge(8192, 4096)], b),
      ]);
      await expectCompletions(a.sendCq, { wrId: 3 });
      const expected = pattern(1, 4096);
      expected.set(pattern(2, 8), 4088);
      expectBytes(a.bytes.subarray(8192, 12288), expected, 'what was read back');
    },
  );

  suite.works('many at once, more than the two ends serve at a time', async (bench) => {
    const { a, b } = bench.pair({ connection: { maxDestRdAtomic: 1, maxRdAtomic: 1 } });
    const requests = Array.from({ length: 30 }, (_, n) => atomicWrite(n, pattern(n, 8), b, (n % 7) * 8));
    a.qp.postSend(requests);
    const found = await completions(a.sendCq, 30);
    expect(found.map(({ wrId, status }) => [wrId, status])).to.deep.equal(requests.map((_, n) => [n, 0]));
    for (let n = 23; n < 30; n++) expectBytes(b.bytes.subarray((n % 7) * 8).subarray(0, 8), pattern(n, 8), `${n}`);
  });

  suite.works('needs no more than write access there, and none here', async (bench) => {
    const { a, b } = bench.pair({
      a: { access: 0 },
      b: { access: LOCAL_WRITE | REMOTE_WRITE },
      connectionOfA: { qpAccessFlags: 0 },
      connectionOfB: { qpAccessFlags: REMOTE_WRITE },
    });
    a.qp.postSend(atomicWrite(1, pattern(1, 8), b, 0, { inlineData: null, sgList: [a.sge(0, 8)] }));
    await expectCompletions(a.sendCq, { wrId: 1 });
  });

  suite.provokes('an address that is not a multiple of 8 is an invalid request', async (bench) => {
    for (const offset of [1, 4, 7]) {
      const { a, b } = bench.pair();
      const memory = [snapshot(a.bytes, 'here'), snapshot(b.bytes, 'there')];
      a.qp.postSend(atomicWrite(1, pattern(1, 8), b, offset));
      await expectCompletions(a.sendCq, { wrId: 1, status: REM_INV_REQ_ERR });
      for (const part of memory) part.expectUnchanged();
    }
  });

  for (const fault of [...faultsOf('rkey'), ...faultsOfWideAddresses()]) {
    suite.provokes(`an rkey ${fault.title}`, async (bench) => {
      const pair = bench.pair();
      const { key: rkey, addr: remoteAddr } = fault.place(pair.b);
      const bad = (wrId: number): SendWrInit => atomicWrite(wrId, pattern(1, 8), pair.b, 0, { rkey, remoteAddr });
      await expectRemoteFailure(bench, pair, bad, BigInt(remoteAddr) % 8n === 0n ? REM_ACCESS_ERR : REM_INV_REQ_ERR);
    });
  }

  suite.provokes('a region that does not allow it', async (bench) => {
    await expectRefused(bench, {}, REM_ACCESS_ERR, { b: { access: ACCESS_ALL & ~REMOTE_WRITE } });
  });

  suite.provokes('a QP that does not allow it', async (bench) => {
    const connectionOfB = { qpAccessFlags: ACCESS_ALL & ~REMOTE_WRITE };
    await expectRefused(bench, {}, REM_INV_REQ_ERR, { connectionOfB });
  });

  suite.provokes('a responder that serves none', async (bench) => {
    await expectRefused(bench, {}, REM_INV_REQ_ERR, { connectionOfB: { maxDestRdAtomic: 0 } });
  });

  suite.provokes('a requester that may have none outstanding', async (bench) => {
    const pair = bench.pair({ connectionOfA: { maxRdAtomic: 0 } });
    await expectLocalFailure(bench, pair, (wrId) => atomicWrite(wrId, pattern(1, 8), pair.b), LOC_QP_OP_ERR);
  });

  for (const length of [0, 1, 7, 9, 16]) {
    suite.provokes(`an SGE of ${length} bytes`, async (bench) => {
      const pair = bench.pair();
      const { a, b } = pair;
      const data = { inlineData: null, sgList: [a.sge(0, length)] };
      await expectLocalFailure(bench, pair, (wrId) => atomicWrite(wrId, pattern(1, 8), b, 0, data), LOC_LEN_ERR);
    });
  }

  for (const fault of faultsOf('lkey')) {
    suite.provokes(`an lkey ${fault.title}`, async (bench) => {
      const pair = bench.pair();
      const { key: lkey, addr, length } = fault.place(pair.a);
      const data = { inlineData: null, sgList: [{ addr: Number(addr), length, lkey }] };
      const bad = (wrId: number): SendWrInit => atomicWrite(wrId, pattern(1, 8), pair.b, 0, data);
      await expectLocalFailure(bench, pair, bad, WcStatus.LOC_PROT_ERR);
    });
  }

  suite.provokes('what is no atomic write is not posted', async (bench) => {
    const { a, b } = bench.pair();
    const there = snapshot(b.bytes, 'there');
    const { rkey, addr: remoteAddr } = b.mr;
    const wrong: Partial<SendWrInit>[] = [
      { inlineData: null },
      { inlineData: null, sgList: [a.sge(0, 4), a.sge(4, 4)] },
      { inlineData: new Uint8Array(0) },
      { inlineData: new Uint8Array(7) },
      { inlineData: new Uint8Array(9) },
      { inlineData: null, sendFlags: SIGNALED | INLINE },
    ];
    for (const extras of wrong) {
      const error = expectError('EINVAL', () => {
        a.qp.postSend([send(1, [], { sendFlags: 0 }), atomicWrite(2, pattern(1, 8), b, 0, extras)]);
      });
      expect(error.details, 'details').to.include({ badWrIndex: 1 });
      b.qp.postRecv({ wrId: 9 });
      await expectCompletions(b.recvCq, { wrId: 9 });
    }
    const built: (() => void)[] = [
      () => {
        a.qp.wrAtomicWrite(rkey, remoteAddr, new Uint8Array(7));
      },
      () => {
        a.qp.wrAtomicWrite(rkey, remoteAddr, 'bytes' as never);
      },
      () => {
        a.qp.wrAtomicWrite(rkey, remoteAddr, pattern(1, 8));
        a.qp.wrSetSge(a.mr.lkey, a.mr.addr, 8);
      },
    ];
    expectRefusedBuilds(a.qp, built);
    expectNoCompletion(a.sendCq);
    expect(a.qp.query().attr.qpState, 'state').to.equal(QpState.RTS);
    there.expectUnchanged();
  });

  suite.provokes('a QP of another type takes none', ['uc'], (bench) => {
    const { a, b } = bench.pair({ qpType: QpType.UC });
    const there = snapshot(b.bytes, 'there');
    expectError('EINVAL', () => {
      a.qp.postSend(atomicWrite(1, pattern(1, 8), b));
    });
    there.expectUnchanged();
  });
});
