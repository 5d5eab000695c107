/** Extended completion queues (ibv_create_cq_ex): completions read field by field. */
import { expect } from 'chai';
import {
  CreateCqFlags,
  QpState,
  WC_STANDARD_FLAGS,
  WcExFlags,
  WcFlags,
  WcOpcode,
  WcStatus,
  WorkCompletion,
  WrOpcode,
  type CompletionQueueEx,
  type CqInitAttrEx,
} from '@openverbs/verbs';
import type { Bench } from '../bench/bench.ts';
import { completions, expectCompletions } from '../bench/completions.ts';
import { connect } from '../bench/connect.ts';
import { expectCqEvent } from '../bench/cq-events.ts';
import { expectError } from '../bench/errors.ts';
import { send } from '../bench/requests.ts';
import type { Side } from '../bench/side.ts';
import { eventually } from '../bench/wait.ts';
import { defineSuite } from '../define-suite.ts';

interface Ends {
  readonly a: Side;
  /** Completes both queues into `cq`. */
  readonly b: Side;
  readonly cq: CompletionQueueEx;
}

function pair(bench: Bench, init: Partial<CqInitAttrEx> = {}, withChannel = false): Ends {
  const context = bench.open();
  const channel = withChannel ? context.createCompChannel() : null;
  const cq = context.createCqEx({ cqe: 64, channel, ...init });
  const b = bench.side({ context, cq });
  const a = bench.side({ device: bench.peerDevice });
  connect(a.qp, b.qp);
  return { a, b, cq };
}

/** Has messages of 0, 1, 2 … bytes arrive at `b`, with immediate data 100, 101 … */
async function deliver({ a, b }: Ends, count: number): Promise<void> {
  for (let wrId = 0; wrId < count; wrId++) {
    b.qp.postRecv({ wrId, sgList: [b.sge(0, 64)] });
    a.qp.postSend(send(wrId, [a.sge(0, wrId)], { opcode: WrOpcode.SEND_WITH_IMM, immData: 100 + wrId }));
  }
  await completions(a.sendCq, count);
}

/** Waits for a completion, and begins a batch with it. */
async function start(cq: CompletionQueueEx): Promise<void> {
  await eventually('a completion', () => cq.startPoll());
}

export const extendedCqSuite = defineSuite('extended-cq', ['rc', 'extendedCq'], (suite) => {
  suite.works('is a CQ, with a channel as any', async (bench) => {
    const ends = pair(bench, {}, true);
    ends.cq.reqNotify();
    await deliver(ends, 2);
    await expectCqEvent(ends.cq);
    await expectCompletions(ends.cq, { wrId: 0, immData: 100 }, { wrId: 1, immData: 101, byteLen: 1 });
    expect(ends.cq.startPoll(), 'all are taken').to.equal(false);
  });

  suite.works('tells of every field that was asked for', async (bench) => {
    const ends = pair(bench);
    const { a, b, cq } = ends;
    await deliver(ends, 3);
    await start(cq);
    for (let n = 0; n < 3; n++) {
      if (n > 0) expect(cq.nextPoll(), `completion ${n}`).to.equal(true);
      expect([cq.wrId, cq.status, cq.readOpcode()]).to.deep.equal([n, WcStatus.SUCCESS, WcOpcode.RECV]);
      expect([cq.readByteLen(), cq.readImmData(), cq.readWcFlags()]).to.deep.equal([n, 100 + n, WcFlags.WITH_IMM]);
      expect([cq.readQpNum(), cq.readVendorErr()]).to.deep.equal([b.qp.qpNum, 0]);
      expect([cq.readSlid(), cq.readSl(), cq.readDlidPathBits()]).to.deep.equal([0, 0, 0]);
      expect(cq.readSrcQp()).to.be.oneOf([0, a.qp.qpNum]); // datagrams only
      expect(cq.explain()).to.contain('SUCCESS');
    }
    expect(cq.nextPoll()).to.equal(false);
    cq.endPoll();
  });

  suite.works('batches and polls take turns, over many laps of the ring', async (bench) => {
    const ends = pair(bench, { cqe: 4 });
    const wcs = WorkCompletion.array(1);
    for (let lap = 0; lap < 20; lap++) {
      await deliver(ends, 4);
      await start(ends.cq);
      expect(ends.cq.wrId).to.equal(0);
      expect(ends.cq.nextPoll()).to.equal(true);
      ends.cq.endPoll();
      expect(ends.cq.poll(wcs)).to.equal(1);
      expect(wcs[0].wrId).to.equal(2);
      expect(ends.cq.startPoll()).to.equal(true);
      expect([ends.cq.wrId, ends.cq.readByteLen()]).to.deep.equal([3, 3]);
      ends.cq.endPoll();
    }
  });

  suite.provokes('a failed completion says why', async (bench) => {
    const { b, cq } = pair(bench);
    b.qp.postRecv({ wrId: 5 });
    b.qp.modify({ qpState: QpState.ERR });
    await start(cq);
    expect([cq.wrId, cq.status, cq.readOpcode() & WcOpcode.RECV]).to.deep.equal([
      5,
      WcStatus.WR_FLUSH_ERR,
      WcOpcode.RECV,
    ]);
    expect(cq.explain()).to.contain('WR_FLUSH_ERR');
    cq.endPoll();
  });

  suite.provokes('what was not asked for can’t be read', async (bench) => {
    const ends = pair(bench, { wcFlags: WcExFlags.QP_NUM });
    const { cq } = ends;
    await deliver(ends, 1);
    await start(cq);
    expect(cq.readQpNum()).to.equal(ends.b.qp.qpNum);
    const others = [
      () => cq.readByteLen(),
      () => cq.readImmData(),
      () => cq.readInvalidatedRkey(),
      () => cq.readSrcQp(),
      () => cq.readSlid(),
      () => cq.readSl(),
      () => cq.readDlidPathBits(),
      () => cq.readCompletionTs(),
      () => cq.readCompletionWallclockNs(),
    ];
    for (const read of others) expectError('EINVAL', read);
    expect(cq.readOpcode(), 'this can always be read').to.equal(WcOpcode.RECV);
    cq.endPoll();
  });

  suite.provokes('calls out of order are refused', async (bench) => {
    const ends = pair(bench);
    const { cq } = ends;
    expect(cq.startPoll()).to.equal(false);
    for (const call of [() => cq.nextPoll(), () => cq.endPoll(), () => cq.readOpcode()]) expectError('EINVAL', call);
    await deliver(ends, 1);
    await start(cq);
    expectError('EINVAL', () => cq.startPoll());
    expectError('EINVAL', () => cq.poll(WorkCompletion.array(1)));
    if (bench.supports('resizeCq')) expectError('EINVAL', () => cq.resize(128));
    expect(cq.nextPoll()).to.equal(false);
    expectError('EINVAL', () => cq.readByteLen());
    cq.endPoll();
    expectError('EINVAL', () => cq.endPoll());
  });

  suite.provokes('a QP that is destroyed takes its completions along, also within a batch', async (bench) => {
    const ends = pair(bench);
    const { a, b, cq } = ends;
    await deliver(ends, 3);
    await start(cq);
    b.qp.destroy();
    expect([cq.wrId, cq.status]).to.deep.equal([0, WcStatus.SUCCESS]);
    expect(cq.nextPoll()).to.equal(false);
    cq.endPoll();
    expect(cq.startPoll()).to.equal(false);
    const next = b.createQp();
    a.qp.modify({ qpState: QpState.RESET });
    connect(a.qp, next);
    next.postRecv({ wrId: 9 });
    a.qp.postSend(send(9, []));
    await start(cq);
    expect([cq.wrId, cq.readQpNum()]).to.deep.equal([9, next.qpNum]);
    cq.endPoll();
  });

  suite.works('goes on when nobody polls, if it was made so', async (bench) => {
    const ends = pair(bench, { cqe: 4, flags: CreateCqFlags.IGNORE_OVERRUN | CreateCqFlags.SINGLE_THREADED });
    await deliver(ends, 2 * ends.cq.cqe + 1);
    expect(ends.b.qp.query().attr.qpState, 'state').to.equal(QpState.RTS);
    expect(ends.b.context.tryGetAsyncEvent(), 'event').to.equal(null);
  });

  suite.works('completions have their time', ['completionTimestamps'], async (bench) => {
    const { COMPLETION_TIMESTAMP, COMPLETION_TIMESTAMP_WALLCLOCK } = WcExFlags;
    const wcFlags = WC_STANDARD_FLAGS | COMPLETION_TIMESTAMP | COMPLETION_TIMESTAMP_WALLCLOCK;
    const ends = pair(bench, { wcFlags });
    const { cq, b } = ends;
    const { hcaCoreClock, completionTimestampMask } = b.context.queryDeviceEx();
    expect(hcaCoreClock, 'kHz').to.be.above(0);
    expect(completionTimestampMask).to.not.equal(0n);
    const before = b.context.queryRtValues().rawClock;
    await deliver(ends, 2);
    const after = b.context.queryRtValues().rawClock;
    await start(cq);
    const first = cq.readCompletionTs();
    const firstWallNs = cq.readCompletionWallclockNs();
    expect(cq.nextPoll()).to.equal(true);
    const second = cq.readCompletionTs();
    expect(first).to.be.within(before, after);
    expect(second).to.be.within(first, after);
    // Both clocks tell of the same interval; a double has steps of 256 ns at such numbers.
    const ns = (second - first) / (hcaCoreClock / 1e6);
    expect(cq.readCompletionWallclockNs() - firstWallNs).to.be.closeTo(ns, 1024);
    cq.endPoll();
  });

  suite.provokes('what is left out, and what means nothing, is refused', (bench) => {
    const context = bench.open();
    const { CVLAN, FLOW_TAG, TM_INFO } = WcExFlags;
    for (const wcFlags of [CVLAN, FLOW_TAG, TM_INFO]) {
      const { hint } = expectError('EOPNOTSUPP', () => context.createCqEx({ cqe: 4, wcFlags }));
      expect(hint).to.be.a('string').that.is.not.empty;
    }
    expectError('EINVAL', () => context.createCqEx({ cqe: 4, wcFlags: 1 << 12 }));
    expectError('EINVAL', () => context.createCqEx({ cqe: 4, flags: 1 << 2 }));
    expectError('EINVAL', () => context.createCqEx({ cqe: 0 }));
    expectError('EINVAL', () => context.createCqEx({ cqe: 4, channel: bench.open().createCompChannel() }));
  });

  suite.provokes('a queue that is gone is refused', async (bench) => {
    const ends = pair(bench);
    await deliver(ends, 1);
    await start(ends.cq);
    ends.b.qp.destroy();
    ends.cq.destroy();
    for (const call of [() => ends.cq.startPoll(), () => ends.cq.nextPoll(), () => ends.cq.readOpcode()]) {
      expectError('EINVAL', call);
    }
  });
});
