/** For each capability: what using it must be answered with on a device whose manifest leaves it out. */
import { expect } from 'chai';
import { AccessFlags, Gid, QpState, QpType, SendFlags, WrOpcode, type QueuePair } from '@openverbs/verbs';
import type { CapabilityName } from '@openverbs/verbs/driver';
import type { Bench } from './bench/bench.ts';
import { expectError } from './bench/errors.ts';
import { bringTo } from './bench/connect.ts';
import type { Side } from './bench/side.ts';

/** Uses `capability` and checks that the device refuses. */
export function refuseAbsent(capability: CapabilityName, bench: Bench, machine: unknown): void {
  try {
    refusals[capability](bench, machine);
  } finally {
    bench.release();
  }
}

const refusals: Readonly<Record<CapabilityName, (bench: Bench, machine: unknown) => void>> = {
  rc: (bench) => refuseQpType(bench, QpType.RC),
  uc: (bench) => refuseQpType(bench, QpType.UC),
  ud: (bench) => refuseQpType(bench, QpType.UD),
  xrc: (bench) => refuseQpType(bench, QpType.XRC_SEND),
  srq: (bench) => {
    const pd = bench.open().allocPd();
    expectError('EOPNOTSUPP', () => pd.createSrq({ attr: { maxWr: 4 } }));
    expect(bench.open().queryDevice().maxSrq, 'maxSrq').to.equal(0);
  },
  multicast: (bench) => {
    const { qp } = bench.side();
    expectError('EOPNOTSUPP', () => {
      qp.attachMcast(Gid.parse('ff02:0000:0000:0000:0000:0000:0000:0001'), 0);
    });
    expect(bench.open().queryDevice().maxMcastGrp, 'maxMcastGrp').to.equal(0);
  },
  rdmaWrite: (bench) => refuseOpcodes(bench, [WrOpcode.RDMA_WRITE, WrOpcode.RDMA_WRITE_WITH_IMM]),
  rdmaRead: (bench) => refuseOpcodes(bench, [WrOpcode.RDMA_READ]),
  atomics: (bench) => refuseOpcodes(bench, [WrOpcode.ATOMIC_CMP_AND_SWP, WrOpcode.ATOMIC_FETCH_AND_ADD]),
  inlineData: (bench) => {
    expectError(['EINVAL', 'EOPNOTSUPP'], () => bench.side({ cap: { maxInlineData: 1 } }));
    const qp = readyQp(bench);
    expectError(['EINVAL', 'EOPNOTSUPP'], () => {
      qp.qp.postSend({ wrId: 1, opcode: WrOpcode.SEND, sendFlags: SendFlags.INLINE, sgList: [qp.sge(0, 1)] });
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
    const { qp } = readyQp(bench);
    expectError('EOPNOTSUPP', () => {
      qp.modify({ qpState: QpState.SQD });
    });
    expect(qp.query().attr.qpState, 'state').to.equal(QpState.RTS);
  },
  resizeCq: (bench) => {
    const cq = bench.open().createCq({ cqe: 4 });
    const { cqe } = cq;
    expectError('EOPNOTSUPP', () => {
      cq.resize(64);
    });
    expect(cq.cqe, 'cqe').to.equal(cqe);
  },
  memoryWindows: (bench) => {
    expect(bench.open().queryDevice().maxMw, 'maxMw').to.equal(0);
    refuseOpcodes(bench, [WrOpcode.BIND_MW]);
  },
  localInvalidate: (bench) => refuseOpcodes(bench, [WrOpcode.LOCAL_INV, WrOpcode.SEND_WITH_INV]),
  directAccess: () => {
    // Whose rings they are is the provider's own business then: there is nothing to use.
  },
  registersAnyMemory: (bench) => {
    const pd = bench.open().allocPd();
    const error = expectError('EFAULT', () => pd.regMr(new Uint8Array(64), AccessFlags.LOCAL_WRITE));
    expect(error.hint, 'the hint says what to use instead').to.be.a('string').that.is.not.empty;
  },
  dmaBuffers: (bench) => {
    const context = bench.open();
    expectError('EOPNOTSUPP', () => context.allocBuf(4096));
  },
  sharesMachine: (_bench, machine) => {
    expect(machine, 'machine').to.equal(undefined);
  },
};

function refuseQpType(bench: Bench, qpType: QpType): void {
  expectError('EOPNOTSUPP', () => bench.side({ qpType }));
}

/** A QP that takes what the device does take: RC, connected to itself. */
function readyQp(bench: Bench): Side {
  const side = bench.side();
  bringTo(QpState.RTS, side.qp, side.qp);
  return side;
}

function refuseOpcodes(bench: Bench, opcodes: readonly WrOpcode[]): void {
  const side = readyQp(bench);
  for (const opcode of opcodes) {
    expectError(['EINVAL', 'EOPNOTSUPP'], () => {
      post(side.qp, opcode, side);
    });
  }
  expect(side.qp.query().attr.qpState, 'state').to.equal(QpState.RTS);
}

function post(qp: QueuePair, opcode: WrOpcode, side: Side): void {
  const { rkey, addr } = side.mr;
  qp.postSend({ wrId: 1, opcode, sgList: [side.sge(0, 8)], rkey, remoteAddr: addr, compareAdd: 0n, swap: 0n });
}
