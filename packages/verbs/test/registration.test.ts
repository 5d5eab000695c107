import { expect } from 'chai';
import { AccessFlags } from '../src/enums/access-flags.ts';
import { VerbsError } from '../src/errors.ts';
import type { ReregMrInit } from '../src/register-memory.ts';
import { errorOf, openFake } from './support/fake-provider.ts';

const { LOCAL_WRITE, REMOTE_WRITE, ZERO_BASED, ON_DEMAND, HUGETLB } = AccessFlags;
const MR_CAPABILITIES = ['regMrIova', 'zeroBased'] as const;

describe('a registration by another address', () => {
  it('asks the provider for the iova, and makes SGEs of it', () => {
    const { context, ops } = openFake({ supports: MR_CAPABILITIES });
    const pd = context.allocPd();
    const buffer = context.allocBuf(8192);
    const mr = pd.regMrIova(buffer, LOCAL_WRITE, 2 ** 40);
    expect(ops.lastMrRequest).to.include({ iova: 2 ** 40, offset: 0 });
    expect(mr).to.include({ addr: buffer.addr, iova: 2 ** 40 });
    expect(mr.sge(5, 6)).to.include({ addr: 2 ** 40 + 5 });
    const zeroBased = pd.regMr(buffer, LOCAL_WRITE | ZERO_BASED);
    expect(ops.lastMrRequest).to.include({ iova: 0 });
    expect(zeroBased.sge().addr).to.equal(0);
    pd.regMr(buffer, LOCAL_WRITE);
    expect(ops.lastMrRequest).to.include({ iova: null });
  });

  it('is EOPNOTSUPP where the device has none, with what to do', () => {
    const { context } = openFake();
    const pd = context.allocPd();
    const buffer = context.allocBuf(64);
    const refused = [
      errorOf(() => pd.regMrIova(buffer, LOCAL_WRITE, 0)),
      ...[ZERO_BASED, ON_DEMAND, HUGETLB].map((access) => errorOf(() => pd.regMr(buffer, access))),
    ];
    for (const error of refused) {
      expect(error.code).to.equal('EOPNOTSUPP');
      expect(error.hint).to.not.equal('');
    }
  });

  it('begins where the memory begins in its page', () => {
    const { context } = openFake({ supports: MR_CAPABILITIES });
    const error = errorOf(() => context.allocPd().regMrIova(context.allocBuf(64), LOCAL_WRITE, 8));
    expect(error).to.include({ code: 'EINVAL', verb: 'ibv_reg_mr_iova' });
    expect(error.details).to.have.property('iova', 8);
  });
});

describe('a reregistration', () => {
  it('tells the provider all that the region is to be, and takes what it answers', () => {
    const { context, ops } = openFake({ supports: MR_CAPABILITIES });
    const [first, second] = [context.allocPd(), context.allocPd()];
    const mr = first.regMrIova(context.allocBuf(4096), LOCAL_WRITE, 8192);
    const { handle } = mr;
    mr.rereg({ pd: second });
    expect(ops.lastReregFlags).to.equal(2);
    expect(ops.lastMrRequest).to.include({ pd: second.handle, length: 4096, access: LOCAL_WRITE, iova: 8192 });
    expect(mr).to.include({ pd: second, handle, iova: 8192, lkey: (handle << 8) | 0x77, rkey: (handle << 8) | 0x77 });
    mr.rereg({ access: LOCAL_WRITE | REMOTE_WRITE });
    expect([ops.lastReregFlags, mr.access]).to.deep.equal([4, LOCAL_WRITE | REMOTE_WRITE]);
    const buffer = context.allocBuf(100);
    mr.rereg({ memory: buffer });
    expect(ops.lastReregFlags).to.equal(1);
    expect(ops.lastMrRequest).to.include({ length: 100, iova: null });
    expect(mr).to.include({ length: 100, addr: buffer.addr, iova: buffer.addr, bytes: buffer.bytes });
  });

  it('hangs the region under what it is of now', () => {
    const { context } = openFake();
    const [first, second] = [context.allocPd(), context.allocPd()];
    const [before, after] = [context.allocBuf(64), context.allocBuf(64)];
    const mr = first.regMr(before, LOCAL_WRITE);
    mr.rereg({ pd: second, memory: after });
    before.free();
    first.dealloc();
    expect(errorOf(() => after.free()).code).to.equal('EBUSY');
    expect(errorOf(() => second.dealloc()).code).to.equal('EBUSY');
    second[Symbol.dispose]();
    expect(mr.destroyed).to.equal(true);
    after.free();
  });

  it('that the provider refuses changes nothing', () => {
    const { context, ops } = openFake();
    const pd = context.allocPd();
    const mr = pd.regMr(context.allocBuf(64), LOCAL_WRITE);
    const before = { ...mr };
    for (const changes of [{}, { access: 1 << 15 }, { pd: mr }, { memory: null }] as unknown as ReregMrInit[]) {
      expect(errorOf(() => mr.rereg(changes))).to.include({ code: 'EINVAL', verb: 'ibv_rereg_mr' });
    }
    ops.failures.set('reregMr', new VerbsError({ code: 'EBUSY', message: 'a window is bound to it' }));
    expect(errorOf(() => mr.rereg({ access: 0 }))).to.include({ code: 'EBUSY', verb: 'ibv_rereg_mr' });
    expect({ ...mr }).to.deep.equal(before);
  });
});

describe('the null region', () => {
  it('has every address, no memory and no way to change it', () => {
    const { context } = openFake();
    const pd = context.allocPd();
    const mr = pd.allocNullMr();
    expect(mr.bytes.byteLength).to.equal(0);
    expect(mr.sge(12345, 64)).to.include({ addr: 12345, length: 64, lkey: mr.lkey });
    expect(errorOf(() => mr.rereg({ access: 0 })).code).to.equal('EINVAL');
    expect(errorOf(() => pd.dealloc()).code).to.equal('EBUSY');
    mr.dereg();
    pd.dealloc();
    expect(
      errorOf(() =>
        openFake({ without: ['allocNullMr'] })
          .context.allocPd()
          .allocNullMr(),
      ).code,
    ).to.equal('EOPNOTSUPP');
  });
});
