import { expect } from 'chai';
import { GRANT_REFS_RESERVED } from '../src/index.ts';
import { Grant, GrantFlag } from '../src/emulated/layout.ts';
import { findTables } from '../src/emulated/tables.ts';
import { expectError, PAGE, testbed } from './support/testbed.ts';

describe('grant table', () => {
  it('lets another domain see a page', () => {
    const { dom0, guest } = testbed();
    const frame = guest.memory.allocPages(1);
    const ref = guest.grantTable.grantAccess(0, frame);
    expect(ref).to.be.at.least(GRANT_REFS_RESERVED);
    const mapping = dom0.grantTable.map(guest.domid, [ref]);
    const [mine, theirs] = [guest.memory.page(frame), mapping.page(0)];
    mine.i32[mine.word + 1023] = 7;
    expect(theirs.i32[theirs.word + 1023]).to.equal(7);
    theirs.u8[theirs.word * 4] = 9;
    expect(mine.i32[mine.word]).to.equal(9);
    expect(theirs.address).to.equal(frame * PAGE);
    expect(mapping).to.include({ count: 1, contiguous: true });
  });

  it('says whether pages that are mapped together follow each other', () => {
    const { dom0, guest } = testbed();
    const shared = guest.grantTable.sharePages(0, 3);
    const apart = [shared.refs[2], shared.refs[0]];
    expect(dom0.grantTable.map(guest.domid, shared.refs).contiguous).to.be.true;
    const mapping = dom0.grantTable.map(guest.domid, apart);
    expect(mapping.contiguous).to.be.false;
    expect(mapping.page(0).address - mapping.page(1).address).to.equal(2 * PAGE);
    expectError(() => mapping.page(2), 'EINVAL');
    mapping.unmap();
    mapping.unmap();
    expectError(() => mapping.page(0), 'EINVAL', /unmapped/);
  });

  it('has no pages among those that are shared but these', () => {
    const { dom0, guest } = testbed();
    const shared = guest.grantTable.sharePages(0, 1);
    const mapping = dom0.grantTable.map(guest.domid, shared.refs);
    for (const pages of [shared, mapping])
      for (const index of [1, -1, 0.5, NaN]) expectError(() => pages.page(index), 'EINVAL', /there is no page/);
  });

  it('refuses to revoke what is mapped, as often as it is', () => {
    const { dom0, guest } = testbed();
    const frame = guest.memory.allocPages(1);
    const ref = guest.grantTable.grantAccess(0, frame);
    const mappings = [1, 2].map(() => dom0.grantTable.map(guest.domid, [ref]));
    for (const mapping of mappings) {
      expectError(() => guest.grantTable.endAccess(ref), 'EBUSY', /mapped/);
      expectError(() => guest.memory.freePages(frame), 'EBUSY', /mapped/);
      mapping.unmap();
    }
    guest.grantTable.endAccess(ref);
    expectError(() => guest.grantTable.endAccess(ref), 'ENOENT');
    expectError(() => dom0.grantTable.map(guest.domid, [ref]), 'EINVAL', /not in use/);
    guest.memory.freePages(frame);
    expect(guest.grantTable.inUse).to.equal(0);
  });

  it('refuses to map for writing what is granted for reading', () => {
    const { dom0, guest } = testbed();
    const shared = guest.grantTable.sharePages(0, 1, true);
    expectError(() => dom0.grantTable.map(guest.domid, shared.refs), 'EINVAL', /reading only/);
    const mapping = dom0.grantTable.map(guest.domid, shared.refs, { readonly: true });
    expectError(() => shared.unshare(), 'EBUSY');
    mapping.unmap();
    shared.unshare();
    expectError(() => dom0.grantTable.map(guest.domid, shared.refs, { readonly: true }), 'EINVAL', /not in use/);
    expect(guest.grantTable.inUse).to.equal(0);
  });

  it('refuses to map for other domains, other references, and for half of a list', () => {
    const { dom0, guest, other } = testbed();
    const shared = guest.grantTable.sharePages(other.domid, 1);
    expectError(() => dom0.grantTable.map(guest.domid, shared.refs), 'EINVAL', /is for domain 2, not 0/);
    for (const ref of [0, 7, -1, 0.5, NaN, 1e9, shared.refs[0] + 1]) {
      expectError(() => other.grantTable.map(guest.domid, [shared.refs[0], ref]), 'EINVAL');
    }
    expectError(() => other.grantTable.map(9, shared.refs), 'ESRCH');
    shared.unshare();
  });

  it('grants only pages that the domain has', () => {
    const { dom0, guest, other } = testbed();
    const frame = other.memory.allocPages(1);
    for (const wrong of [frame, 0, -1, 1.5, NaN, 1e12])
      expectError(() => guest.grantTable.grantAccess(0, wrong), 'EPERM');
    for (const domid of [-1, 0x7ff0, 0.5, NaN])
      expectError(() => guest.grantTable.grantAccess(domid, frame), 'EINVAL', /no domain/);
    const between = guest.memory.allocPages(1) + 0.5;
    expectError(() => guest.grantTable.grantAccess(0, between), 'EPERM');
    expect(dom0.grantTable.inUse + guest.grantTable.inUse).to.equal(0);
  });

  it('trusts nothing that a guest has written into it', () => {
    const { machine, dom0, guest, other } = testbed();
    const frame = other.memory.allocPages(1);
    const tables = findTables(machine);
    const entry = tables.running(guest.domid).grants + 20 * Grant.WORDS;
    const { i32 } = machine;
    i32[entry + Grant.FLAGS] = GrantFlag.PERMIT_ACCESS;
    for (const wrong of [frame, 0, -1, 0x7fffffff]) {
      i32[entry + Grant.FRAME] = wrong;
      expectError(() => dom0.grantTable.map(guest.domid, [20]), 'EINVAL', /not that domain's/);
    }
    i32[entry + Grant.FRAME] = guest.memory.allocPages(1);
    i32[entry + Grant.FLAGS] = GrantFlag.READONLY;
    expectError(() => dom0.grantTable.map(guest.domid, [20], { readonly: true }), 'EINVAL', /not in use/);
  });

  it('has no entries but its own, nor between them, whatever a guest has written there', () => {
    const { machine, dom0, guest } = testbed({ grantsMax: 64 });
    const { i32 } = machine;
    const { grants } = findTables(machine).running(guest.domid);
    const frame = guest.memory.allocPages(1);
    for (const ref of [GRANT_REFS_RESERVED - 1, -1, 64, 20.5]) {
      const entry = grants + ref * Grant.WORDS;
      const before = i32.slice(entry, entry + Grant.WORDS);
      i32[entry + Grant.FLAGS] = GrantFlag.PERMIT_ACCESS;
      i32[entry + Grant.DOMID] = 0;
      i32[entry + Grant.FRAME] = frame;
      expectError(() => dom0.grantTable.map(guest.domid, [ref]), 'EINVAL', /not in use/, String(ref));
      expectError(() => guest.grantTable.endAccess(ref), 'ENOENT', /not in use/, String(ref));
      i32.set(before, entry);
    }
  });

  it('has limits for grants and for mappings, and a refused call changes nothing', () => {
    const { dom0, guest } = testbed({ grantsMax: 16, mappingsMax: 4 });
    const frame = guest.memory.allocPages(1);
    const room = 16 - GRANT_REFS_RESERVED;
    const { totPages } = guest.memory;
    expectError(() => guest.grantTable.sharePages(0, room + 1), 'ENOSPC', /grantsMax/);
    expect(guest.memory.totPages).to.equal(totPages);
    const refs = Array.from({ length: room }, () => guest.grantTable.grantAccess(0, frame));
    expectError(() => guest.grantTable.grantAccess(0, frame), 'ENOSPC', /grantsMax is 16/);
    expectError(() => dom0.grantTable.map(guest.domid, refs.slice(0, 5)), 'ENOSPC', /mappingsMax is 4/);
    dom0.grantTable.map(guest.domid, refs.slice(0, 4));
    guest.grantTable.endAccess(refs[4]);
  });

  it('maps and unmaps more than one step takes, or nothing of it', () => {
    const { dom0, guest, hypervisor } = testbed({ mappingsMax: 4096 });
    const frame = guest.memory.allocPages(1);
    const refs = Array.from({ length: 3000 }, () => guest.grantTable.grantAccess(0, frame));
    expectError(() => dom0.grantTable.map(guest.domid, [...refs, 1]), 'EINVAL');
    dom0.grantTable.map(guest.domid, refs).unmap();
    dom0.grantTable.map(guest.domid, refs);
    hypervisor.destroyDomain(guest.domid);
    expect(hypervisor.domains()[1].state).to.equal('dying');
    dom0.close();
    expect(hypervisor.domains()).to.have.length(2);
  });
});
