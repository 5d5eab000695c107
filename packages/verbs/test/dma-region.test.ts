import { expect } from 'chai';
import { getDmaMrOf } from '../src/driver/index.ts';
import { AccessFlags } from '../src/enums/access-flags.ts';
import { errorOf, openFake } from './support/fake-provider.ts';

const { LOCAL_WRITE, REMOTE_WRITE, ZERO_BASED } = AccessFlags;
const OWNER = 0x100007;

describe('the region of what one owner has', () => {
  it('is asked of the provider by an operation of its own', () => {
    const { context, ops } = openFake();
    const calls: unknown[][] = [];
    const getDmaMrOf_ = (...args: unknown[]): object => {
      calls.push(args);
      return { handle: 5, lkey: 0x501, rkey: 0x502, addr: 0 };
    };
    Object.assign(ops, { getDmaMrOf: getDmaMrOf_, deregMr: (mr: number) => calls.push([mr]) });
    const pd = context.allocPd();
    const mr = getDmaMrOf(pd, LOCAL_WRITE, OWNER);
    expect(calls).to.deep.equal([[pd.handle, LOCAL_WRITE, OWNER]]);
    expect(mr).to.include({ pd, iova: 0, lkey: 0x501, rkey: 0x502, access: LOCAL_WRITE });
    expect(mr.sge(0xfffff000, 8)).to.include({ addr: 0xfffff000, lkey: 0x501 });
    expect(errorOf(() => { pd.dealloc(); }).code).to.equal('EBUSY'); // prettier-ignore
    mr.dereg();
    expect(calls.at(-1)).to.deep.equal([5]);
  });

  it('is never all memory instead', () => {
    const { context, ops } = openFake();
    let given = 0;
    Object.assign(ops, { getDmaMr: () => ({ handle: ++given, lkey: 1, rkey: 1, addr: 0 }) });
    const pd = context.allocPd();
    expect(errorOf(() => getDmaMrOf(pd, 0, OWNER))).to.include({ code: 'EOPNOTSUPP', verb: 'ib_get_dma_mr' });
    expect(given).to.equal(0);
  });

  it('takes the access that other regions take, and a protection domain that lives', () => {
    const { context, ops } = openFake({ supports: ['zeroBased'] });
    Object.assign(ops, { getDmaMrOf: () => ({ handle: 1, lkey: 1, rkey: 1, addr: 0 }) });
    const pd = context.allocPd();
    for (const access of [REMOTE_WRITE, ZERO_BASED, -1, 2 ** 32, NaN])
      expect(errorOf(() => getDmaMrOf(pd, access, OWNER)).code, String(access)).to.equal('EINVAL');
    pd.dealloc();
    expect(errorOf(() => getDmaMrOf(pd, 0, OWNER)).code).to.equal('EINVAL');
  });
});
