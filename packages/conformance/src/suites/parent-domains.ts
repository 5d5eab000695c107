/** Thread domains and parent domains (ibv_alloc_td, ibv_alloc_parent_domain). */
import { expect } from 'chai';
import { ParentDomain, ThreadDomain } from '@openverbs/verbs';
import { expectCompletions } from '../bench/completions.ts';
import { connect } from '../bench/connect.ts';
import { expectError } from '../bench/errors.ts';
import { send } from '../bench/requests.ts';
import { defineSuite } from '../define-suite.ts';

export const parentDomainsSuite = defineSuite('parent-domains', ['parentDomains'], (suite) => {
  suite.works('are protection domains, with a thread domain or without', (bench) => {
    const context = bench.open();
    const pd = context.allocPd();
    const td = context.allocTd();
    const mine = { my: 'own' };
    const domain = context.allocParentDomain({ pd, td, pdContext: mine });
    expect([domain.parent, domain.td, domain.pdContext]).to.deep.equal([pd, td, mine]);
    expect(context.allocParentDomain({ pd }).td).to.equal(null);
  });

  suite.works('memory of the one works in queue pairs of the other', ['rc'], async (bench) => {
    const context = bench.open();
    const pd = context.allocPd();
    const domain = context.allocParentDomain({ pd, td: context.allocTd() });
    const inParent = bench.side({ context, pd: domain });
    const inPd = bench.side({ context, pd });
    expect(inParent.qp.pd).to.equal(domain);
    connect(inParent.qp, inPd.qp);
    // Each posts with the region of the other.
    inPd.qp.postRecv({ wrId: 1, sgList: [inParent.sge(0, 8)] });
    inParent.qp.postSend(send(2, [inPd.sge(8, 8)]));
    await expectCompletions(inParent.sendCq, { wrId: 2 });
    await expectCompletions(inPd.recvCq, { wrId: 1, byteLen: 8 });
  });

  suite.provokes('are busy while they are used', (bench) => {
    const context = bench.open();
    const pd = context.allocPd();
    const td = context.allocTd();
    const domain = context.allocParentDomain({ pd, td });
    expectError('EBUSY', () => pd.dealloc());
    expectError('EBUSY', () => td.dealloc());
    const extended = bench.supports('extendedCq') ? context.createCqEx({ cqe: 4, parentDomain: domain }) : null;
    if (extended !== null) expectError('EBUSY', () => domain.dealloc());
    extended?.destroy();
    domain.dealloc();
    expectError('EINVAL', () => domain.dealloc());
    td.dealloc();
    expectError('EINVAL', () => td.dealloc());
    pd.dealloc();
  });

  suite.provokes('an owner that ends takes them along', (bench) => {
    const context = bench.open();
    const pd = context.allocPd();
    const td = context.allocTd();
    const domain = context.allocParentDomain({ pd, td });
    td[Symbol.dispose]();
    expect([domain.destroyed, td.destroyed, pd.destroyed]).to.deep.equal([true, true, false]);
    pd.dealloc();
  });

  suite.provokes('are refused what they can’t be made of', (bench) => {
    const context = bench.open();
    const other = bench.open();
    const pd = context.allocPd();
    const td = context.allocTd();
    const domain = context.allocParentDomain({ pd, td });
    expect([domain, td].map((each) => each.constructor)).to.deep.equal([ParentDomain, ThreadDomain]);
    const gone = context.allocPd();
    gone.dealloc();
    const goneTd = context.allocTd();
    goneTd.dealloc();
    for (const init of [
      { pd: domain },
      { pd: gone },
      { pd: null },
      { pd: other.allocPd() },
      { pd, td: goneTd },
      { pd, td: other.allocTd() },
      { pd, td: pd },
    ]) {
      expectError('EINVAL', () => context.allocParentDomain(init as never));
    }
    if (!bench.supports('extendedCq')) return;
    for (const parentDomain of [pd, other.allocParentDomain({ pd: other.allocPd() })]) {
      expectError('EINVAL', () => context.createCqEx({ cqe: 4, parentDomain: parentDomain as ParentDomain }));
    }
  });
});
