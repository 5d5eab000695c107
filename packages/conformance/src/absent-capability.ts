/** For each capability: what using it must be answered with on a device whose manifest leaves it out. */
import { expect } from 'chai';
import {
  AccessFlags,
  Gid,
  MigState,
  MwType,
  PlacementType,
  QpState,
  QpType,
  SendFlags,
  VendorErr,
  WcExFlags,
  WcStatus,
  WrOpcode,
} from '@openverbs/verbs';
import type { Context, MemoryRegion, SendWrInit, VerbsError } from '@openverbs/verbs';
import type { CapabilityName } from '@openverbs/verbs/driver';
import type { Bench } from './bench/bench.ts';
import { expectCompletions } from './bench/completions.ts';
import { bringTo } from './bench/connect.ts';
import { expectError } from './bench/errors.ts';
import { send } from './bench/requests.ts';
import { newMemory, type Side } from './bench/side.ts';

/** Uses `capability` and checks that the device refuses. */
export async function refuseAbsent(capability: CapabilityName, bench: Bench): Promise<void> {
  try {
    await refusals[capability](bench);
  } finally {
    await bench.release();
  }
}

const refusals: Readonly<Record<CapabilityName, (bench: Bench) => void | Promise<void>>> = {
  rc: (bench) => {
    refuseQpType(bench, QpType.RC);
  },
  uc: (bench) => {
    refuseQpType(bench, QpType.UC);
  },
  ud: (bench) => {
    refuseQpType(bench, QpType.UD);
  },
  xrc: (bench) => {
    refuseQpType(bench, QpType.XRC_SEND);
    refuseQpType(bench, QpType.XRC_RECV);
    expectError('EOPNOTSUPP', () => bench.open().openXrcd());
  },
  srq: (bench) => {
    const context = bench.open();
    const pd = context.allocPd();
    expectError('EOPNOTSUPP', () => pd.createSrq({ attr: { maxWr: 4 } }));
  },
  srqResize: (bench) => {
    const pd = bench.open().allocPd();
    expectError('EOPNOTSUPP', () => {
      pd.createSrq({ attr: { maxWr: 4 } }).modify({ maxWr: 64 });
    });
  },
  multicast: (bench) => {
    onQp(bench, ({ qp }) => {
      // Whatever its type: that the device can't do it comes first.
      expectError('EOPNOTSUPP', () => {
        qp.attachMcast(Gid.parse('ff02:0000:0000:0000:0000:0000:0000:0001'), 0);
      });
    });
  },
  rdmaWrite: (bench) => {
    refuseOpcodes(bench, [WrOpcode.RDMA_WRITE, WrOpcode.RDMA_WRITE_WITH_IMM]);
  },
  rdmaRead: (bench) => {
    refuseOpcodes(bench, [WrOpcode.RDMA_READ]);
  },
  atomics: (bench) => {
    refuseOpcodes(bench, [WrOpcode.ATOMIC_CMP_AND_SWP, WrOpcode.ATOMIC_FETCH_AND_ADD]);
  },
  atomicWrite: (bench) => {
    refuseOpcodes(bench, [WrOpcode.ATOMIC_WRITE]);
  },
  flush: (bench) => {
    onMr(bench, ({ pd, bytes }) => pd.regMr(bytes, AccessFlags.FLUSH_GLOBAL));
    refuseOpcodes(bench, [WrOpcode.FLUSH], { sgList: [], flushLength: 8, flushType: PlacementType.GLOBAL });
  },
  flushPersistent: (bench) => {
    const error = onMr(bench, ({ pd, bytes }) => pd.regMr(bytes, AccessFlags.FLUSH_PERSISTENT));
    expect(error.hint, 'the hint says what to do').to.be.a('string').that.is.not.empty;
  },
  inlineData: (bench) => {
    onQp(bench, (side) => {
      expectError(['EINVAL', 'EOPNOTSUPP'], () => side.createQp({ cap: { maxInlineData: 1 } }));
      const sgList = [side.sge(0, 1)];
      expectError(['EINVAL', 'EOPNOTSUPP'], () => {
        side.qp.postSend({ wrId: 1, sendFlags: SendFlags.INLINE, sgList });
      });
    });
  },
  completionEvents: (bench) => {
    const context = bench.open();
    expectError('EOPNOTSUPP', () => context.createCompChannel());
  },
  asyncEvents: (bench) => {
    const context = bench.open();
    expectError('EOPNOTSUPP', () => context.tryGetAsyncEvent());
  },
  sqDrain: (bench) => {
    onQp(bench, ({ qp }) => {
      expectError('EOPNOTSUPP', () => {
        qp.modify({ qpState: QpState.SQD });
      });
      expect(qp.query().attr.qpState, 'state').to.equal(QpState.RTS);
    });
  },
  resizeCq: (bench) => {
    const cq = bench.open().createCq({ cqe: 4 });
    const { cqe } = cq;
    expectError('EOPNOTSUPP', () => {
      cq.resize(64);
    });
    expect(cq.cqe, 'cqe').to.equal(cqe);
  },
  cqModeration: (bench) => {
    const cq = bench.open().createCq({ cqe: 4 });
    expectError('EOPNOTSUPP', () => {
      cq.modify({ moderate: { cqCount: 1, cqPeriod: 1 } });
    });
  },
  hwCounters: (bench) => {
    const context = bench.open();
    expectError('EOPNOTSUPP', () => context.queryHwCounters());
  },
  parentDomains: (bench) => {
    const context = bench.open();
    const pd = context.allocPd();
    expectError('EOPNOTSUPP', () => context.allocTd());
    expectError('EOPNOTSUPP', () => context.allocParentDomain({ pd }));
  },
  deviceFaults: (bench) => {
    expect(bench.device.faults, 'faults').to.equal(undefined);
  },
  pathMigration: (bench) => {
    onQp(bench, ({ qp }) => {
      const { ahAttr: altAhAttr } = qp.query().attr;
      expectError('EOPNOTSUPP', () => {
        qp.modify({ altAhAttr, altPortNum: 1, altPkeyIndex: 0, altTimeout: 14 });
      });
      expectError('EOPNOTSUPP', () => {
        qp.modify({ pathMigState: MigState.REARM });
      });
    });
  },
  extendedCq: (bench) => {
    const context = bench.open();
    expectError('EOPNOTSUPP', () => context.createCqEx({ cqe: 4 }));
  },
  completionTimestamps: (bench) => {
    const context = bench.open();
    const wcFlags = WcExFlags.COMPLETION_TIMESTAMP;
    expectError('EOPNOTSUPP', () => context.createCqEx({ cqe: 4, wcFlags }));
  },
  memoryWindows: (bench) => {
    const pd = bench.open().allocPd();
    for (const type of [MwType.TYPE_1, MwType.TYPE_2]) expectError('EOPNOTSUPP', () => pd.allocMw(type));
    refuseOpcodes(bench, [WrOpcode.BIND_MW]);
  },
  localInvalidate: (bench) => {
    refuseOpcodes(bench, [WrOpcode.LOCAL_INV, WrOpcode.SEND_WITH_INV]);
  },
  reregMr: (bench) => {
    onMr(bench, (mr) => {
      mr.rereg({ access: 0 });
    });
  },
  regMrIova: (bench) => {
    onMr(bench, ({ pd, bytes }) => pd.regMrIova(bytes, 0, 0));
  },
  zeroBased: (bench) => {
    onMr(bench, ({ pd, bytes }) => pd.regMr(bytes, AccessFlags.ZERO_BASED));
  },
  nullMr: (bench) => {
    const pd = bench.open().allocPd();
    expectError('EOPNOTSUPP', () => pd.allocNullMr());
  },
  physicalMr: (bench) => {
    const context = bench.open();
    const pd = context.allocPd();
    expectError('EOPNOTSUPP', () => context.mapDma(newMemory(context, 64)));
    expectError('EOPNOTSUPP', () => pd.regPhysMr([4096], { access: 0 }));
    expectError('EOPNOTSUPP', () => pd.getDmaMr(0));
    const mr = pd.regMr(newMemory(context, 64), 0);
    expectError('EOPNOTSUPP', () => {
      mr.reregPhys({ access: 0 });
    });
  },
  onDemandPaging: (bench) => {
    const { ON_DEMAND, HUGETLB } = AccessFlags;
    for (const access of [ON_DEMAND, HUGETLB, ON_DEMAND | HUGETLB]) {
      const error = onMr(bench, ({ pd, bytes }) => pd.regMr(bytes, access));
      expect(error.hint, 'the hint says what to do').to.be.a('string').that.is.not.empty;
    }
  },
  directAccess: (bench) => {
    const context = bench.open();
    const kinds = dataPathKinds(context);
    const cq = context.createCq({ cqe: 4 });
    const cap = { maxSendWr: 1, maxRecvWr: 1 };
    if (bench.supports('rc')) context.allocPd().createQp({ sendCq: cq, recvCq: cq, qpType: QpType.RC, cap });
    expect(kinds, 'kinds of data paths').not.to.contain('rings');
  },
  vendorErrors: expectOwnCodes,
  registersAnyMemory: (bench) => {
    const pd = bench.open().allocPd();
    const error = expectError('EFAULT', () => pd.regMr(new Uint8Array(64), AccessFlags.LOCAL_WRITE));
    expect(error.hint, 'the hint says what to use instead').to.be.a('string').that.is.not.empty;
  },
  dmaBuffers: (bench) => {
    const context = bench.open();
    expectError('EOPNOTSUPP', () => context.allocBuf(4096));
  },
  sharesMachine: ({ machine }) => {
    expect(machine, 'machine').to.equal(undefined);
  },
};

/** The kinds of the data paths that the context's provider hands over from now on. */
function dataPathKinds({ ops }: Context): readonly string[] {
  const kinds: string[] = [];
  const createCq = ops.createCq?.bind(ops);
  const createQp = ops.createQp?.bind(ops);
  const noted = <Made extends { readonly dataPath: { readonly kind: string } }>(made: Made): Made => {
    kinds.push(made.dataPath.kind);
    return made;
  };
  if (createCq !== undefined) ops.createCq = (attr) => noted(createCq(attr));
  if (createQp !== undefined) ops.createQp = (request) => noted(createQp(request));
  return kinds;
}

/** Does with a region what the device has to refuse; the region is as it was. */
function onMr(bench: Bench, use: (mr: MemoryRegion) => unknown): VerbsError {
  const context = bench.open();
  const mr = context.allocPd().regMr(newMemory(context, 64), AccessFlags.LOCAL_WRITE);
  const before = [mr.lkey, mr.rkey, mr.access];
  const error = expectError('EOPNOTSUPP', () => use(mr));
  expect([mr.lkey, mr.rkey, mr.access], 'the region').to.deep.equal(before);
  return error;
}

function refuseQpType(bench: Bench, qpType: QpType): void {
  const context = bench.open();
  const [pd, cq] = [context.allocPd(), context.createCq({ cqe: 4 })];
  const cap = { maxSendWr: 1, maxRecvWr: 1 };
  expectError('EOPNOTSUPP', () => pd.createQp({ sendCq: cq, recvCq: cq, qpType, cap }));
}

/** A failed completion says nothing, or something by codes of the device's own. */
async function expectOwnCodes(bench: Bench): Promise<void> {
  if (!bench.supports('rc')) {
    refuseQpType(bench, QpType.RC);
    return;
  }
  const { a } = bench.pair();
  a.qp.postSend(send(1, [{ ...a.sge(0, 8), lkey: 0xdeadbeef }]));
  const [wc] = await expectCompletions(a.sendCq, { wrId: 1, status: WcStatus.LOC_PROT_ERR });
  expect(wc.vendorErr, 'vendorErr of an lkey that nobody was given').to.not.equal(VendorErr.BAD_LKEY);
}

/** Uses a QP that is connected to itself. A device without QPs has refused whatever would be done with one. */
function onQp(bench: Bench, use: (side: Side) => void): void {
  if (!bench.supports('rc')) {
    refuseQpType(bench, QpType.RC);
    return;
  }
  const side = bench.side();
  bringTo(QpState.RTS, side.qp, side.qp);
  use(side);
}

function refuseOpcodes(bench: Bench, opcodes: readonly WrOpcode[], more: SendWrInit = {}): void {
  onQp(bench, (side) => {
    const { rkey, addr: remoteAddr } = side.mr;
    const operands = { sgList: [side.sge(0, 8)], rkey, remoteAddr, compareAdd: 0n, swap: 0n, ...more };
    for (const opcode of opcodes) {
      expectError(['EINVAL', 'EOPNOTSUPP'], () => {
        side.qp.postSend({ wrId: 1, opcode, ...operands });
      });
    }
    expect(side.qp.query().attr.qpState, 'state').to.equal(QpState.RTS);
  });
}
