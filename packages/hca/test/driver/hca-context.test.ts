import { expect } from 'chai';
import { QpType } from '@openverbs/verbs';
import type { ErrnoName } from '@openverbs/verbs';
import type { ContextOps, QpRings } from '@openverbs/verbs/driver';
import { HcaDevice } from '../../src/driver/index.ts';
import { QP_WR_MAX } from '../../src/limits.ts';
import { audit } from '../support/audit.ts';
import { Testbed } from '../support/testbed.ts';
import { expectVerbsError } from '../support/verbs-errors.ts';

const CAP = { maxSendWr: 4, maxRecvWr: 4, maxSendSge: 1, maxRecvSge: 1, maxInlineData: 0 };

describe('HcaContext', () => {
  let bed: Testbed;
  let device: HcaDevice;
  let context: Required<ContextOps>;

  beforeEach(() => {
    bed = new Testbed();
    device = new HcaDevice(bed.engine, bed.hca, bed.clock);
    context = device.open() as Required<ContextOps>;
  });

  const inventory = (): object => ({ ...bed.hca.objects, ...bed.machine.pages.stats() });

  function qpRequest(cq: number, qpType: number = QpType.RC) {
    return { pd: context.allocPd(), sendCq: cq, recvCq: cq, srq: null, xrcd: null, qpType, sqSigAll: false, cap: CAP };
  }

  it('destroys what is left when it is closed, and gives its UAR back', () => {
    context.close();
    const before = inventory();
    for (const open of [device.open(), device.open()] as Required<ContextOps>[]) {
      context = open;
      const { handle: cq } = context.createCq({ cqe: 3, compVector: 0 });
      context.createQp(qpRequest(cq));
      const { handle: buffer, bytes } = context.allocBuf(100, 1);
      context.regMr({ pd: context.allocPd(), buffer, offset: 0, length: 100, view: bytes, access: 1, iova: null });
      context.resizeCq(cq, 10);
    }
    expect(inventory()).to.not.deep.equal(before);
    device.closeAll();
    expect(inventory()).to.deep.equal(before);
    audit(bed);
  });

  it('gives everything back that was made one by one', () => {
    const before = inventory();
    const { handle: cq } = context.createCq({ cqe: 3, compVector: 0 });
    const request = qpRequest(cq);
    const { handle: qp } = context.createQp(request);
    const { handle: buffer, bytes } = context.allocBuf(100, 1);
    const { handle: mr } = context.regMr({
      pd: request.pd,
      buffer,
      offset: 4,
      length: 10,
      view: bytes,
      access: 1,
      iova: null,
    });
    context.deregMr(mr);
    context.freeBuf(buffer);
    context.destroyQp(qp);
    context.destroyCq(cq);
    context.deallocPd(request.pd);
    expect(inventory()).to.deep.equal(before);
  });

  it('says where the rings lie, and moves them when a CQ is resized', () => {
    const { handle, cqe, dataPath } = context.createCq({ cqe: 3, compVector: 0 });
    expect([cqe, dataPath.kind]).to.deep.equal([4, 'rings']);
    const qp = context.createQp(qpRequest(handle));
    const rings = qp.dataPath as QpRings;
    expect(rings.sqAddr).to.equal(rings.doorbellRecordAddr + 256);
    expect(rings.rqAddr).to.equal(rings.sqAddr + 2 ** (rings.sqLog2Count + rings.sqLog2Bytes));
    expect(rings.qpNum).to.equal(qp.qpNum);
    const resized = context.resizeCq(handle, 100);
    expect(resized.cqe).to.equal(128);
    expect(resized.dataPath).to.not.deep.equal(dataPath);
    expect(context.queryQp(qp.handle).cap).to.deep.equal(qp.cap);
  });

  it('refuses what the device has not, by name', () => {
    const { handle: cq } = context.createCq({ cqe: 1, compVector: 0 });
    const request = qpRequest(cq);
    const refusals: [action: () => unknown, code: ErrnoName, text: RegExp][] = [
      [() => context.createQp({ ...request, qpType: QpType.RAW_PACKET }), 'EOPNOTSUPP', /QpType.RC/],
      [() => context.createQp({ ...request, cap: { ...CAP, maxSendWr: QP_WR_MAX + 1 } }), 'EINVAL', /maxSendWr/],
      [() => context.createQp({ ...request, pd: 77 }), 'EINVAL', /protection domain 77/],
      [() => context.createCq({ cqe: 1, compVector: 1 }), 'EINVAL', /compVector/],
      [() => context.createCq({ cqe: 2 ** 30, compVector: 0 }), 'EINVAL', /cqe/],
      [() => context.resizeCq(cq, 0), 'EINVAL', /cqe/],
      [() => context.queryGid(1, 1), 'EINVAL', /GID index 1/],
      [() => context.queryPkey(1, 7), 'EINVAL', /P_Key index 7/],
      [() => context.queryPort(3), 'EINVAL', /ports 1 to 2/],
      [() => context.freeBuf(5), 'EINVAL', /no buffer 5/],
    ];
    for (const [action, code, text] of refusals) {
      const before = inventory();
      expectVerbsError(action, code, text);
      expect(inventory(), String(action)).to.deep.equal(before);
    }
    const view = new Uint8Array(8);
    const foreign = { pd: request.pd, buffer: null, offset: 0, length: 8, view, access: 1, iova: null };
    expectVerbsError(() => context.regMr(foreign), 'EFAULT', /allocBuf/);
    expect(context.queryPkey(1, 0)).to.equal(0xffff);
  });

  it('reclaims what dead threads had when memory runs out, and tries again', () => {
    const victim = bed.join();
    const { largestFreeBytes } = bed.machine.pages.stats();
    victim.alloc(largestFreeBytes);
    const ask = Math.floor(largestFreeBytes / 2 / 4096) * 4096 + 4096;
    expectVerbsError(() => context.allocBuf(ask, 1), 'ENOMEM', /memoryBytes/);
    victim.machine.threads.declareDead(victim.machine.threadIndex);
    expect(context.allocBuf(ask, 1).bytes).to.have.length(ask);
  });

  it('reclaims what dead threads had when memory is short for rings, and when UARs are', () => {
    const victim = bed.join();
    while (victim.machine.pages.alloc(4096, 4096, victim.machine.threadIndex) !== 0);
    victim.machine.threads.declareDead(victim.machine.threadIndex);
    context.createCq({ cqe: 1000, compVector: 0 });
    const second = bed.join();
    const others = new HcaDevice(second.engine, second.hca, bed.clock);
    expectVerbsError(
      () => {
        for (;;) others.open();
      },
      'ENOMEM',
      /UAR/,
    );
    expectVerbsError(() => device.open(), 'ENOMEM', /UAR/);
    second.machine.threads.declareDead(second.machine.threadIndex);
    device.open().close();
  });

  it('knows its own memory only as a source of inline data', () => {
    const { addr } = context.allocBuf(100, 1);
    const { doorbell } = context.createCq({ cqe: 1, compVector: 0 }).dataPath as unknown as {
      doorbell: { inlineSource(addr: number, length: number): number };
    };
    expect(doorbell.inlineSource(addr, 100)).to.be.at.least(0);
    expect(doorbell.inlineSource(addr, 101)).to.equal(-1);
  });
});
