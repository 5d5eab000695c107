/** Contexts (ibv_open_device, ibv_close_device). */
import { expect } from 'chai';
import { AccessFlags, QpType } from '@openverbs/verbs';
import { expectError } from '../bench/errors.ts';
import { newMemory } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';

export const contextSuite = defineSuite('context', [], (suite) => {
  suite.works('closes when nothing is left in it', (bench) => {
    const context = bench.open();
    const pd = context.allocPd();
    const cq = context.createCq({ cqe: 4 });
    pd.dealloc();
    cq.destroy();
    context.close();
  });

  suite.provokes('is busy while it has children, and names them', (bench) => {
    const context = bench.open();
    const pd = context.allocPd();
    const cq = context.createCq({ cqe: 4 });
    const error = expectError('EBUSY', () => {
      context.close();
    });
    expect(error.details?.['children'], 'children').to.be.an('array').with.lengthOf(2);
    // Nothing was closed: the context and the children still work.
    context.queryDevice();
    pd.dealloc();
    cq.destroy();
    context.close();
  });

  suite.provokes('closes once', (bench) => {
    const context = bench.open();
    context.close();
    expectError('EINVAL', () => {
      context.close();
    });
  });

  suite.provokes('answers nothing after it was closed', (bench) => {
    const context = bench.open();
    context.close();
    expectError('EINVAL', () => context.queryDevice());
    expectError('EINVAL', () => context.queryPort(1));
    expectError('EINVAL', () => context.queryGid(1, 0));
    expectError('EINVAL', () => context.queryPkey(1, 0));
    expectError('EINVAL', () => context.allocPd());
    expectError('EINVAL', () => context.createCq({ cqe: 4 }));
    expectError(['EINVAL', 'EOPNOTSUPP'], () => context.allocBuf(64));
    expectError(['EINVAL', 'EOPNOTSUPP'], () => context.createCompChannel());
    expectError(['EINVAL', 'EOPNOTSUPP'], () => context.tryGetAsyncEvent());
  });

  suite.works('disposes of its children, youngest first, and then of itself', ['rc'], (bench) => {
    const { context, pd, qp, mr, sendCq } = bench.side();
    context[Symbol.dispose]();
    for (const gone of [() => qp.query(), () => mr.dereg(), () => pd.dealloc(), () => sendCq.destroy()]) {
      expectError('EINVAL', gone);
    }
    expectError('EINVAL', () => context.queryDevice());
  });

  suite.works('may be disposed of twice, and after it was closed', (bench) => {
    const disposed = bench.open();
    disposed[Symbol.dispose]();
    disposed[Symbol.dispose]();
    const closed = bench.open();
    closed.close();
    closed[Symbol.dispose]();
  });

  suite.provokes('keeps its objects from another context', ['rc'], (bench) => {
    const [here, there] = [bench.open(), bench.open()];
    const pd = here.allocPd();
    const cq = here.createCq({ cqe: 4 });
    const foreign = there.createCq({ cqe: 4 });
    const cap = { maxSendWr: 1, maxRecvWr: 1 };
    expectError('EINVAL', () => pd.createQp({ sendCq: foreign, recvCq: cq, qpType: QpType.RC, cap }));
    expectError('EINVAL', () => pd.createQp({ sendCq: cq, recvCq: foreign, qpType: QpType.RC, cap }));
  });

  suite.works('goes on when another one of the device is closed', (bench) => {
    const [here, there] = [bench.open(), bench.open()];
    const pd = here.allocPd();
    there.allocPd();
    there[Symbol.dispose]();
    pd.regMr(newMemory(here, 64), AccessFlags.LOCAL_WRITE).dereg();
    pd.dealloc();
    here.queryDevice();
  });
});
