/** FLUSH: what was written before is where it was asked to be (InfiniBand specification, annex A19). `flush` has QPs in the error state. */
import { expect } from 'chai';
import {
  AccessFlags,
  PlacementType,
  QpState,
  QpType,
  SelectivityLevel,
  SendFlags,
  WcOpcode,
  WcStatus,
  type SendWrInit,
} from '@openverbs/verbs';
import type { Bench } from '../bench/bench.ts';
import { completions, expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import { expectError, expectRefusedBuilds } from '../bench/errors.ts';
import { expectBytes, fillPattern, pattern, snapshot } from '../bench/payload.ts';
import { flush, send, write } from '../bench/requests.ts';
import { ACCESS_ALL, type Side } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';
import { expectLocalFailure } from './local-errors.ts';
import { expectRemoteFailure } from './remote-errors.ts';

const { FLUSH_GLOBAL } = AccessFlags;
const { GLOBAL, PERSISTENT } = PlacementType;
const { RANGE, MR } = SelectivityLevel;
const { SIGNALED, INLINE } = SendFlags;
const { REM_ACCESS_ERR, REM_INV_REQ_ERR, LOC_QP_OP_ERR } = WcStatus;
const FLUSHABLE = ACCESS_ALL | FLUSH_GLOBAL;
const ofRegion = { flushLevel: MR };

type PairOptions = NonNullable<Parameters<Bench['pair']>[0]>;

/** A pair whose second side may be flushed. */
function flushable(bench: Bench, options: PairOptions = {}): { a: Side; b: Side } {
  return bench.pair({
    ...options,
    b: { access: FLUSHABLE, ...options.b },
    connectionOfB: { qpAccessFlags: FLUSHABLE, ...options.connectionOfB },
  });
}

/** A region in the middle of the side's buffer, and keys of it that are wrong. */
const wrongKeys: readonly { title: string; rkey: (b: Side) => number }[] = [
  { title: '0', rkey: () => 0 },
  { title: 'all ones', rkey: () => 0xffffffff },
  { title: 'that nobody was given', rkey: () => 0xdeadbe05 },
  { title: 'that differs in its low byte', rkey: (b) => (b.mr.rkey ^ 1) >>> 0 },
  {
    title: 'of a region that is gone',
    rkey: (b) => {
      const mr = b.registerNew(64, FLUSHABLE);
      mr.dereg();
      return mr.rkey;
    },
  },
  {
    title: 'of another protection domain',
    rkey: (b) => b.registerNew(64, FLUSHABLE, b.context.allocPd()).rkey,
  },
  { title: 'of a region that does not allow it', rkey: (b) => b.registerNew(64, ACCESS_ALL).rkey },
];

export const flushVerbSuite = defineSuite('flush-verb', ['rc', 'flush'], (suite) => {
  suite.works('completes behind the writes before it, which are seen', ['rdmaWrite'], async (bench) => {
    const { a, b } = flushable(bench);
    fillPattern(a.bytes, 1);
    for (const level of [RANGE, MR]) {
      b.bytes.fill(0);
      a.qp.postSend([
        write(1, [a.sge(0, 4096)], b, 0, { sendFlags: 0 }),
        write(2, [a.sge(4096, 100)], b, 4096, { sendFlags: 0 }),
        flush(3, b, 0, 4196, { flushLevel: level }),
      ]);
      await expectCompletions(a.sendCq, { wrId: 3, opcode: WcOpcode.FLUSH, qp: a.qp });
      expectBytes(b.bytes.subarray(0, 4196), pattern(1, 4196), 'there');
    }
    expectNoCompletion(b.recvCq);
  });

  suite.works('changes nothing, and needs no other access', async (bench) => {
    const { a, b } = flushable(bench, {
      a: { access: 0 },
      b: { access: FLUSH_GLOBAL },
      connectionOfA: { qpAccessFlags: 0 },
      connectionOfB: { qpAccessFlags: FLUSH_GLOBAL },
    });
    fillPattern(b.bytes, 2);
    const there = snapshot(b.bytes, 'there');
    const size = b.mr.length;
    a.qp.postSend([flush(1, b, 0, size), flush(2, b, size - 1, 1), flush(3, b, 3, 0), flush(4, b, 0, 0, ofRegion)]);
    await expectCompletions(a.sendCq, { wrId: 1 }, { wrId: 2 }, { wrId: 3 }, { wrId: 4 });
    there.expectUnchanged();
  });

  suite.works('of a whole region looks at no address and no length', async (bench) => {
    const { a, b } = flushable(bench);
    for (const remoteAddr of [0, b.mr.addr + b.mr.length, 2n ** 64n - 1n]) {
      a.qp.postSend(flush(1, b, 0, 0xffffffff, { ...ofRegion, remoteAddr }));
      await expectCompletions(a.sendCq, { wrId: 1, opcode: WcOpcode.FLUSH });
    }
  });

  suite.works('the extended form', async (bench) => {
    const { a, b } = flushable(bench);
    const { rkey, addr } = b.mr;
    a.qp.wrStart();
    a.qp.wrFlags = SIGNALED;
    a.qp.wrId = 1;
    a.qp.wrFlush(rkey, addr + 8, 100, GLOBAL, RANGE);
    a.qp.wrId = 2;
    a.qp.wrFlush(rkey, 0, 0, GLOBAL, MR);
    a.qp.wrId = 3;
    a.qp.wrFlags = SIGNALED | SendFlags.FENCE;
    a.qp.wrFlush(rkey, addr, 8, GLOBAL, RANGE);
    a.qp.wrComplete();
    const opcode = WcOpcode.FLUSH;
    await expectCompletions(a.sendCq, { wrId: 1, opcode }, { wrId: 2, opcode }, { wrId: 3, opcode });
  });

  suite.works('many at once, more than the two ends serve at a time', async (bench) => {
    const { a, b } = flushable(bench, { connection: { maxDestRdAtomic: 1, maxRdAtomic: 1 } });
    a.qp.postSend(Array.from({ length: 30 }, (_, n) => flush(n, b, n, 100)));
    const found = await completions(a.sendCq, 30);
    expect(found.map(({ wrId, status }) => [wrId, status])).to.deep.equal(found.map((_, n) => [n, 0]));
  });

  for (const { title, rkey } of wrongKeys) {
    for (const level of [RANGE, MR]) {
      suite.provokes(`level ${level}, an rkey ${title}`, async (bench) => {
        const pair = flushable(bench);
        const place = { rkey: rkey(pair.b), flushLevel: level };
        await expectRemoteFailure(bench, pair, (wrId) => flush(wrId, pair.b, 0, 8, place), REM_ACCESS_ERR);
      });
    }
  }

  for (const [offset, length] of [
    [0, 16 * 1024 + 1],
    [16 * 1024, 1],
    [16 * 1024 + 1, 0],
    [-1, 8],
    [0, 0xffffffff],
    [4096, 0xfffff000],
    [2 ** 32, 8],
  ] as const) {
    suite.provokes(`${length} bytes at ${offset} of a region of 16384`, async (bench) => {
      const pair = flushable(bench);
      await expectRemoteFailure(bench, pair, (wrId) => flush(wrId, pair.b, offset, length), REM_ACCESS_ERR);
    });
  }

  suite.provokes('a QP that does not allow it', async (bench) => {
    const pair = flushable(bench, { connectionOfB: { qpAccessFlags: ACCESS_ALL } });
    await expectRemoteFailure(bench, pair, (wrId) => flush(wrId, pair.b, 0, 8), REM_INV_REQ_ERR);
  });

  suite.provokes('persistence that the QP does not allow', async (bench) => {
    for (const flushType of [PERSISTENT, GLOBAL | PERSISTENT]) {
      const pair = flushable(bench);
      await expectRemoteFailure(bench, pair, (wrId) => flush(wrId, pair.b, 0, 8, { flushType }), REM_INV_REQ_ERR);
    }
  });

  suite.provokes('a responder that serves none', async (bench) => {
    const pair = flushable(bench, { connectionOfB: { maxDestRdAtomic: 0 } });
    await expectRemoteFailure(bench, pair, (wrId) => flush(wrId, pair.b, 0, 8), REM_INV_REQ_ERR);
  });

  suite.provokes('a requester that may have none outstanding', async (bench) => {
    const pair = flushable(bench, { connectionOfA: { maxRdAtomic: 0 } });
    await expectLocalFailure(bench, pair, (wrId) => flush(wrId, pair.b, 0, 8), LOC_QP_OP_ERR);
  });

  suite.provokes('what is no flush is not posted', async (bench) => {
    const { a, b } = flushable(bench);
    const { rkey, addr } = b.mr;
    const wrong: Partial<SendWrInit>[] = [
      { flushType: 0 },
      { flushType: 4 },
      { flushType: GLOBAL | 8 },
      { flushLevel: 2 },
      { flushLength: -1 },
      { flushLength: 2 ** 32 },
      { flushLength: 1.5 },
      { sgList: [a.sge(0, 8)] },
      { inlineData: pattern(1, 8) },
      { sendFlags: SIGNALED | INLINE },
    ];
    for (const extras of wrong) {
      const error = expectError('EINVAL', () => {
        a.qp.postSend([send(1, [], { sendFlags: 0 }), flush(2, b, 0, 8, extras)]);
      });
      expect(error.details, 'details').to.include({ badWrIndex: 1 });
      b.qp.postRecv({ wrId: 9 });
      await expectCompletions(b.recvCq, { wrId: 9 });
    }
    const built: (() => void)[] = [
      () => {
        a.qp.wrFlush(rkey, addr, 8, 0, RANGE);
      },
      () => {
        a.qp.wrFlush(rkey, addr, 8, 4, RANGE);
      },
      () => {
        a.qp.wrFlush(rkey, addr, 8, GLOBAL, 2);
      },
      () => {
        a.qp.wrFlush(rkey, addr, -1, GLOBAL, RANGE);
      },
      () => {
        a.qp.wrFlush(rkey, addr, 8, GLOBAL, RANGE);
        a.qp.wrSetSge(a.mr.lkey, a.mr.addr, 8);
      },
    ];
    expectRefusedBuilds(a.qp, built);
    expectNoCompletion(a.sendCq);
    expect(a.qp.query().attr.qpState, 'state').to.equal(QpState.RTS);
  });

  suite.provokes('a QP of another type takes none', ['uc'], (bench) => {
    const { a, b } = bench.pair({ qpType: QpType.UC });
    expectError('EINVAL', () => {
      a.qp.postSend(flush(1, b, 0, 8));
    });
    expect(a.qp.query().attr.qpState, 'state').to.equal(QpState.RTS);
  });
});
