import { expect } from 'chai';
import type { CqInit, QpInit, RegionInit } from '../src/command-init.ts';
import { CommandInterface } from '../src/command-interface.ts';
import type { DeviceError } from '../src/device-error.ts';
import { Cqc, Mpt, Qpc } from '../src/layout.ts';
import { expectDeviceError, Testbed } from './support/testbed.ts';

const PAGE = 4096;
const ZEROS = { startLo: 0, startHi: 1 };

/** Everything a command may leave behind. */
function inventory(bed: Testbed): Record<string, number> {
  const { buffers, usedBytes } = bed.machine.pages.stats();
  return { ...bed.hca.objects, buffers, usedBytes };
}

/** Lets the n-th allocation of pages from now on fail; n from 0. */
function withoutMemory(bed: Testbed, n: number, action: () => void): void {
  const { pages } = bed.machine;
  const { alloc } = pages;
  let count = 0;
  pages.alloc = (...request) => (count++ === n ? 0 : alloc.apply(pages, request));
  try {
    action();
  } finally {
    pages.alloc = alloc;
  }
}

describe('CommandInterface', () => {
  let bed: Testbed;
  let cqn: number;
  let bufferKey: number;

  beforeEach(() => {
    bed = new Testbed();
    cqn = bed.cq().number;
    bufferKey = bed.ringKey(64 * PAGE).key;
  });

  const qpInit = (): QpInit => ({
    uar: bed.uar,
    pd: bed.pd,
    type: 2,
    bufferKey,
    sendCqn: cqn,
    recvCqn: cqn,
    sqLog2Count: 4,
    sqLog2Bytes: 7,
    rqLog2Count: 4,
    rqLog2Bytes: 7,
    maxSendWr: 16,
    maxRecvWr: 16,
    maxSendSge: 4,
    maxRecvSge: 4,
    maxInline: 64,
  });
  const region = (): RegionInit => ({
    uar: bed.uar,
    pd: bed.pd,
    access: 1,
    ...ZEROS,
    length: PAGE,
    base: bed.alloc(PAGE),
  });

  /** Expects a refusal that leaves nothing behind. */
  function expectRefused(action: () => unknown, code: DeviceError['code'] = 'EINVAL'): void {
    const before = inventory(bed);
    expectDeviceError(action, code);
    expect(inventory(bed)).to.deep.equal(before);
    expect(bed.machine.lock.ownerIndex).to.equal(0);
  }

  const badQps: Partial<QpInit>[] = [
    ...[-1, 15, 31, 32, 0.5, NaN].flatMap((log2) => [{ sqLog2Count: log2 }, { rqLog2Count: log2 }]),
    ...[-1, 0, 5, 11, 31, 6.5].map((sqLog2Bytes) => ({ sqLog2Bytes })),
    ...[-1, 0, 4, 11, 31, 6.5].map((rqLog2Bytes) => ({ rqLog2Bytes })),
    ...[-1, 7, 33, NaN].map((maxSendSge) => ({ maxSendSge })),
    ...[-1, 8, 33, NaN].map((maxRecvSge) => ({ maxRecvSge })),
    ...[-1, 97, 513, NaN].map((maxInline) => ({ maxInline })),
    ...[0, 1, 0x10001, 0x20000, -1].flatMap((number) => [{ sendCqn: number }, { recvCqn: number }]),
    ...[0, 9, 65535, -1, 65536].map((pd) => ({ pd })),
    ...[0, 1 << 30, -1].map((key) => ({ bufferKey: key })),
    { sqLog2Count: 14 },
  ];
  for (const bad of badQps) {
    it(`creates no QP with ${JSON.stringify(bad)}`, () => {
      bed.commands.qps.create(qpInit());
      expectRefused(() => bed.commands.qps.create({ ...qpInit(), ...bad }));
    });
  }

  it('keeps rings out of memory that is not a ring buffer', () => {
    const keys: [name: string, init: Partial<RegionInit>][] = [
      ['of a PD', {}],
      ['at an odd address', { pd: 0, base: bed.alloc(2 * PAGE) + 4 }],
      ['in pages', { pd: 0, base: 0, pages: [bed.alloc(PAGE)] }],
      ['too short', { pd: 0, length: 191 }],
    ];
    for (const [name, init] of keys) {
      const key = bed.commands.createMpt({ ...region(), ...init });
      const cq: CqInit = { uar: bed.uar, bufferKey: key, log2Count: 0 };
      expectRefused(() => bed.commands.cqs.create(cq));
      expectRefused(() => bed.commands.qps.create({ ...qpInit(), bufferKey: key, sqLog2Count: 0, rqLog2Count: 0 }));
      expect(bed.i32[bed.hca.mptTable + (key >>> 8) * Mpt.WORDS + Mpt.PINS], name).to.equal(0);
    }
  });

  it('registers for a PD that exists only', () => {
    const init = region();
    for (const pd of [bed.pd + 1, -1, 65536, 1e9]) expectRefused(() => bed.commands.createMpt({ ...init, pd }));
    expectRefused(() => bed.commands.deallocPd(0));
    const pd = bed.commands.allocPd(bed.uar);
    bed.commands.deallocPd(pd);
    expectRefused(() => bed.commands.deallocPd(pd));
  });

  it('knows no number that is stale or was never given', () => {
    const qpn = bed.commands.qps.create(qpInit());
    bed.commands.qps.destroy(qpn);
    for (const number of [qpn, 0, 2, qpn + 0x10000, -1, 1e9]) {
      expectRefused(() => bed.commands.qps.destroy(number));
      expectRefused(() => bed.commands.cqs.destroy(number));
      expectRefused(() => bed.commands.destroyMpt(number));
      expectRefused(() => bed.commands.cqs.resize(number, bufferKey, 1));
    }
  });

  it('pins the regions that hold rings', () => {
    const qpn = bed.commands.qps.create(qpInit());
    expectRefused(() => bed.commands.destroyMpt(bufferKey), 'EBUSY');
    bed.commands.qps.destroy(qpn);
    bed.commands.destroyMpt(bufferKey);
  });

  it('gives a number a new generation each time, never 0, and 24 bits', () => {
    const qpns = new Set<number>();
    const cqns = new Set<number>();
    const ring = bed.ringKey(PAGE).key;
    for (let n = 0; n < 255; n++) {
      const qpn = bed.commands.qps.create(qpInit());
      const number = bed.commands.cqs.create({ uar: bed.uar, bufferKey: ring, log2Count: 2 });
      for (const [seen, value] of [[qpns, qpn], [cqns, number]] as const) seen.add(value); // prettier-ignore
      bed.commands.qps.destroy(qpn);
      bed.commands.cqs.destroy(number);
    }
    for (const numbers of [qpns, cqns]) {
      expect(numbers.size).to.equal(255);
      expect([...numbers].every((value) => value >>> 16 !== 0 && value >>> 24 === 0)).to.equal(true);
      expect(new Set([...numbers].map((value) => value & 0xffff)).size).to.equal(1);
    }
  });

  it('counts what exists', () => {
    expect(bed.hca.objects).to.deep.equal({ qps: 0, cqs: 1, srqs: 0, xrcds: 0, mrs: 2, pds: 1, ahs: 0 });
    const qp = bed.qp();
    expect(bed.hca.objects).to.deep.equal({ qps: 1, cqs: 2, srqs: 0, xrcds: 0, mrs: 4, pds: 1, ahs: 0 });
    qp.destroy();
    bed.commands.cqs.destroy(qp.sendCq.number);
    expect(bed.hca.objects).to.deep.equal({ qps: 0, cqs: 1, srqs: 0, xrcds: 0, mrs: 4, pds: 1, ahs: 0 });
  });

  it('leaves nothing behind when memory runs out in the middle of a command', () => {
    const init = { ...region(), base: 0, pages: [bed.alloc(PAGE)] };
    for (const [allocations, command] of [
      [2, () => bed.commands.openUar()],
      [1, () => bed.commands.createMpt(init)],
    ] as const) {
      for (let n = 0; n < allocations; n++) {
        withoutMemory(bed, n, () => {
          expectRefused(command, 'ENOMEM');
        });
      }
      command();
    }
  });

  it('gives a QP context anew to each QP', () => {
    const [a] = bed.pair();
    const { context } = a;
    a.destroy();
    const qpn = bed.commands.qps.create(qpInit());
    expect(bed.commands.qps.context(qpn)).to.equal(context);
    for (const word of [
      'PEER',
      'DEST_QPN',
      'SQ_PSN',
      'WAITING',
      'TIMER_SLOT',
      'ACCESS_FLAGS',
      'SQ_CONSUMER',
    ] as const) {
      expect(bed.i32[context + Qpc[word]], word).to.equal(0);
    }
  });

  it('refuses a second HCA past its limits', () => {
    for (const ports of [0, 17]) {
      expectRefused(() => bed.engine.createHca({ name: 'x', guidHi: 1, guidLo: 1, ports }));
    }
  });

  it('of another thread finds the same objects', () => {
    const commands = new CommandInterface(bed.engine, bed.hca);
    expect(bed.i32[commands.cqs.context(cqn) + Cqc.CQN]).to.equal(cqn);
    commands.cqs.destroy(cqn);
    expectDeviceError(() => bed.commands.cqs.context(cqn), 'EINVAL');
  });
});
