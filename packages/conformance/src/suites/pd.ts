/** Protection domains (ibv_alloc_pd, ibv_dealloc_pd). What they keep apart is tested with the operations. */
import { expect } from 'chai';
import { AccessFlags, QpType } from '@openverbs/verbs';
import { expectError } from '../bench/errors.ts';
import { newMemory } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';

const CAP = { maxSendWr: 1, maxRecvWr: 1 };

export const pdSuite = defineSuite('pd', [], (suite) => {
  suite.works('is allocated and deallocated, over and over', (bench) => {
    const context = bench.open();
    // More rounds than any device has PDs, so that one that loses them runs out.
    const rounds = Math.min(context.queryDevice().maxPd + 1, 5000);
    for (let round = 0; round < rounds; round++) context.allocPd().dealloc();
  });

  suite.works('many live side by side', (bench) => {
    const context = bench.open();
    const pds = Array.from({ length: Math.min(context.queryDevice().maxPd - 8, 64) }, () => context.allocPd());
    expect(new Set(pds).size).to.equal(pds.length);
    for (const pd of pds) pd.dealloc();
  });

  suite.provokes('is busy while a memory region is in it', (bench) => {
    const context = bench.open();
    const pd = context.allocPd();
    const mr = pd.regMr(newMemory(context, 64), AccessFlags.LOCAL_WRITE);
    const error = expectError('EBUSY', () => {
      pd.dealloc();
    });
    expect(error.details?.['children'], 'children').to.be.an('array').with.lengthOf(1);
    mr.dereg();
    pd.dealloc();
  });

  suite.provokes('is busy while a QP is in it', ['rc'], (bench) => {
    const { pd, qp, mr } = bench.side();
    mr.dereg();
    expectError('EBUSY', () => {
      pd.dealloc();
    });
    qp.destroy();
    pd.dealloc();
  });

  suite.provokes('is deallocated once', (bench) => {
    const pd = bench.open().allocPd();
    pd.dealloc();
    expectError('EINVAL', () => {
      pd.dealloc();
    });
  });

  suite.provokes('takes nothing after it was deallocated', (bench) => {
    const context = bench.open();
    const pd = context.allocPd();
    const cq = context.createCq({ cqe: 4 });
    pd.dealloc();
    expectError('EINVAL', () => pd.regMr(newMemory(context, 64), AccessFlags.LOCAL_WRITE));
    expectError('EINVAL', () => pd.createQp({ sendCq: cq, recvCq: cq, qpType: QpType.RC, cap: CAP }));
    expectError(['EINVAL', 'EOPNOTSUPP'], () => pd.createSrq({ attr: { maxWr: 1 } }));
  });
});
