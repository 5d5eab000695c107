/** The extended CQ on rings and on calls; what a device does is the conformance suite's business. */
import { expect } from 'chai';
import { Device } from '../src/device.ts';
import type { CqCalls } from '../src/driver/data-path.ts';
import type { CqExOps } from '../src/driver/device-ops.ts';
import { WC_STANDARD_FLAGS, WcExFlags } from '../src/enums/cq.ts';
import { WcFlags, WcOpcode, WcStatus } from '../src/enums/wc.ts';
import { VendorErr } from '../src/rings/vendor-err.ts';
import { CqeSyndrome } from '../src/rings/layout.ts';
import type { WorkCompletion } from '../src/work-completion.ts';
import { FakeDispatcher } from './support/fake-dispatcher.ts';
import { errorOf, FakeContextOps, openFake } from './support/fake-provider.ts';

const TIMES = WcExFlags.COMPLETION_TIMESTAMP | WcExFlags.COMPLETION_TIMESTAMP_WALLCLOCK;
const supports = ['extendedCq', 'completionTimestamps'] as const;

describe('an extended CQ on rings', () => {
  function open(wcFlags = WC_STANDARD_FLAGS | TIMES) {
    const { context, ops } = openFake({ supports });
    const cq = context.createCqEx({ cqe: 4, wcFlags });
    const pd = context.allocPd();
    const qp = pd.createQp({ sendCq: cq, recvCq: cq, qpType: 2, cap: { maxSendWr: 4, maxRecvWr: 4 } });
    return { context, ops, cq, qp, fake: ops.cqs.get(cq.handle)! };
  }

  it('reads every field where it lies', () => {
    const { cq, qp, fake } = open();
    fake.complete({
      QPN: qp.qpNum,
      WQE_INDEX: 0,
      OPCODE: WcOpcode.RECV,
      BYTE_LEN: -1,
      IMM: -2,
      SRC_QPN: 0xabcdef,
      FLAGS: WcFlags.GRH | WcFlags.WITH_INV | (0xa << 8) | (0xfedc << 16),
      PKEY_INDEX: 0x56 << 16,
      TIMESTAMP_LO: -1,
      TIMESTAMP_HI: 1,
    });
    expect(cq.startPoll()).to.equal(true);
    expect([cq.status, cq.readOpcode(), cq.readVendorErr()]).to.deep.equal([0, WcOpcode.RECV, 0]);
    expect([cq.readByteLen(), cq.readImmData(), cq.readInvalidatedRkey()]).to.deep.equal([
      0xffffffff, 0xfffffffe, 0xfffffffe,
    ]);
    expect([cq.readQpNum(), cq.readSrcQp(), cq.readWcFlags()]).to.deep.equal([qp.qpNum, 0xabcdef, 9]);
    expect([cq.readSl(), cq.readSlid(), cq.readDlidPathBits()]).to.deep.equal([0xa, 0xfedc, 0x56]);
    expect(cq.readCompletionTs()).to.equal(2 ** 33 - 1);
    expect(cq.readCompletionWallclockNs()).to.equal(1e18 + 2 ** 33 - 1);
    expect(fake.consumer, 'room comes back at the end').to.equal(0);
    cq.endPoll();
    expect(fake.consumer).to.equal(1);
  });

  it('lets the device run before it finds nothing, and skips completions of QPs that are gone', () => {
    const { ops, cq, qp, fake } = open();
    ops.device.onIdle = () =>
      fake.complete({ QPN: qp.qpNum, OPCODE: 0, SYNDROME: CqeSyndrome.RETRY_EXC_ERR, VENDOR_ERR: 22 });
    fake.complete({ QPN: 0x999 });
    expect(cq.startPoll()).to.equal(true);
    expect([cq.status, cq.readVendorErr()]).to.deep.equal([WcStatus.RETRY_EXC_ERR, VendorErr.NO_RESPONSE]);
    expect(cq.explain()).to.contain('no answer came');
    expect(cq.nextPoll(), 'the next does not').to.equal(false);
    cq.endPoll();
    ops.device.onIdle = () => undefined;
    fake.complete({ QPN: 0x999 });
    expect(cq.startPoll()).to.equal(false);
    expect(fake.consumer, 'what was skipped is free').to.equal(3);
  });

  it('hands what was asked for to the provider', () => {
    const { context, ops } = open();
    context.createCqEx({ cqe: 3, flags: 2 });
    expect(ops.lastCqEx).to.deep.equal({ cqe: 3, compVector: 0, timestamps: false, ignoreOverrun: true });
    expect(context.queryRtValues()).to.deep.equal({ rawClock: 12345 });
  });

  it('refuses times where the manifest has none', () => {
    const { context } = openFake({ supports: ['extendedCq'] });
    expect(errorOf(() => context.createCqEx({ cqe: 4, wcFlags: TIMES })).code).to.equal('EOPNOTSUPP');
    expect(errorOf(() => openFake({ without: ['createCqEx'] }).context.createCqEx({ cqe: 4 })).code).to.equal(
      'EOPNOTSUPP',
    );
  });
});

describe('an extended CQ on calls', () => {
  class CallsOps extends FakeContextOps {
    readonly completed: Partial<WorkCompletion>[] = [];
    refuse = 0;

    override createCqEx(): CqExOps {
      const dataPath: CqCalls = {
        kind: 'calls',
        poll: (wcs, limit) => {
          if (this.refuse !== 0) return -this.refuse;
          const n = Math.min(limit, this.completed.length);
          for (let i = 0; i < n; i++) Object.assign(wcs[i], this.completed.shift());
          return n;
        },
        reqNotify: () => undefined,
        completionTs: () => 4711,
      };
      return { handle: 77, cqe: 4, dataPath };
    }
  }

  function open() {
    const ops = new CallsOps();
    const capabilities = { version: 1 as const, supports: { extendedCq: true, completionTimestamps: true } };
    const device = { name: 'calls0', guid: 1n, nodeType: 1, transportType: 0, capabilities, open: () => ops };
    const context = new Device(device, 'calls', new FakeDispatcher()).open();
    return { ops, cq: context.createCqEx({ cqe: 4, wcFlags: WC_STANDARD_FLAGS | TIMES }) };
  }

  it('reads every field of the one completion that it has fetched', () => {
    const { ops, cq } = open();
    const wc = { wrId: 2 ** 40, status: 0, opcode: 128, byteLen: 1, immData: 2, qpNum: 3, srcQp: 4, wcFlags: 5 };
    ops.completed.push({ ...wc, sl: 6, slid: 7, dlidPathBits: 8 }, { wrId: 2, status: 12, vendorErr: 22 });
    expect(cq.startPoll()).to.equal(true);
    expect(ops.completed, 'no more than that').to.have.length(1);
    expect([cq.wrId, cq.status, cq.readOpcode(), cq.readByteLen()]).to.deep.equal([2 ** 40, 0, 128, 1]);
    expect([cq.readImmData(), cq.readInvalidatedRkey(), cq.readQpNum()]).to.deep.equal([2, 2, 3]);
    expect([cq.readSrcQp(), cq.readWcFlags(), cq.readSl()]).to.deep.equal([4, 5, 6]);
    expect([cq.readSlid(), cq.readDlidPathBits(), cq.readCompletionTs()]).to.deep.equal([7, 8, 4711]);
    expect(cq.readCompletionWallclockNs()).to.equal(4711);
    expect(cq.nextPoll()).to.equal(true);
    expect([cq.wrId, cq.status, cq.readVendorErr()]).to.deep.equal([2, 12, 22]);
    expect(cq.explain()).to.contain('RETRY_EXC_ERR');
    expect(cq.nextPoll()).to.equal(false);
    cq.endPoll();
    expect(cq.startPoll()).to.equal(false);
  });

  it('throws what the provider answers', () => {
    const { ops, cq } = open();
    ops.refuse = 5;
    expect(errorOf(() => cq.startPoll()).code).to.equal('EIO');
  });
});

describe('moderation', () => {
  it('is within the limits of the device', () => {
    const { context, ops } = openFake();
    const cq = context.createCq({ cqe: 4 });
    cq.modify({ moderate: { cqCount: 100, cqPeriod: 1000 } });
    expect(ops.calls.at(-1)).to.equal(`modifyCq 100 1000 ${cq.handle}`);
    expect(errorOf(() => cq.modify({ moderate: { cqCount: 101, cqPeriod: 0 } })).message).to.contain('0 to 100');
    expect(errorOf(() => cq.modify({ moderate: { cqCount: 0, cqPeriod: 1001 } })).message).to.contain('0 to 1000');
    expect(errorOf(() => cq.modify({} as never)).hint).to.equal('give moderate');
    const without = openFake({ without: ['modifyCq'] }).context.createCq({ cqe: 4 });
    expect(errorOf(() => without.modify({ moderate: { cqCount: 1, cqPeriod: 1 } })).code).to.equal('EOPNOTSUPP');
  });

  it('is none where the provider knows no extended attributes', () => {
    const { context } = openFake({ without: ['queryDeviceEx'] });
    const ex = context.queryDeviceEx();
    expect(ex.origAttr).to.equal(context.queryDevice());
    expect(ex).to.deep.include({ cqModCaps: { maxCqCount: 0, maxCqPeriod: 0 }, hcaCoreClock: 0, physPortCntEx: 2 });
  });
});
