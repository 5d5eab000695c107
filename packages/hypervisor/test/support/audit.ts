/** Compares what the hypervisor's tables say with what follows from them, counted in another way. */
import { expect } from 'chai';
import { THREADS_MAX } from '@openverbs/machine';
import type { Machine } from '@openverbs/machine';
import { GRANT_REFS_RESERVED } from '../../src/index.ts';
import type { EmulatedHypervisor } from '../../src/index.ts';
import {
  DomainRecord,
  DomainState,
  Frame,
  Grant,
  Maptrack,
  PinnedRun,
  Port,
  PortState,
  WITHDRAWN,
} from '../../src/emulated/layout.ts';
import { findTables } from '../../src/emulated/tables.ts';
import type { Slot, Tables } from '../../src/emulated/tables.ts';
import { PAGE } from './testbed.ts';

/** Expects that all tables agree. */
export function audit(machine: Machine): void {
  const tables = findTables(machine);
  const expected = new Map<string, number>();
  for (const slot of tables.withTables()) auditSlot(tables, slot, expected);
  for (const slot of tables.withTables()) auditGrants(tables, slot, expected);
  auditFrames(tables, expected);
  for (let thread = 1; thread <= THREADS_MAX; thread++) {
    expect(machine.pages.ownedBy(tables.zeroingOwner(thread)), `pages that thread ${thread} zeroes`).to.deep.equal([]);
  }
}

function add(counts: Map<string, number>, key: string, n: number): void {
  counts.set(key, (counts.get(key) ?? 0) + n);
}

function auditSlot(tables: Tables, slot: Slot, expected: Map<string, number>): void {
  const { i32, limits } = tables;
  const state = i32[slot.record + DomainRecord.STATE];
  const domid = i32[slot.record + DomainRecord.DOMID];
  const used = { grants: 0, mappings: 0, pins: 0, ports: 0 };
  for (let ref = 0; ref < limits.grantsMax; ref++) if (i32[slot.grants + ref * Grant.WORDS] !== 0) used.grants++;
  for (let index = 0; index < limits.mappingsMax; index++) {
    const entry = slot.maptrack + index * Maptrack.WORDS;
    if (i32[entry] === 0) continue;
    used.mappings++;
    if (i32[entry] === WITHDRAWN) continue;
    const kind = i32[entry + Maptrack.READONLY] === 0 ? 'writers' : 'readers';
    add(expected, `${kind} ${i32[entry] - 1} ${i32[entry + Maptrack.REF]}`, 1);
    add(expected, `mappings ${i32[entry + Maptrack.FRAME]}`, 1);
  }
  for (let index = 0; index < limits.pinnedRunsMax; index++) {
    const entry = slot.pins + index * PinnedRun.WORDS;
    if (i32[entry] !== 0) used.pins++;
    for (let n = 0; n < i32[entry]; n++) add(expected, `pins ${i32[entry + PinnedRun.FRAME] + n}`, 1);
  }
  for (let port = 0; port < limits.portsMax; port++) {
    if (i32[slot.ports + port * Port.WORDS] !== PortState.FREE) used.ports++;
  }
  // What is reserved was not yet, if the making of the slot's first domain was cut off.
  const reserves = state !== DomainState.FREE;
  const reserved = { grants: GRANT_REFS_RESERVED, mappings: 0, pins: 0, ports: 1 };
  const inUse = {
    grants: slot.grantAllocator.inUse - (reserves ? GRANT_REFS_RESERVED : slot.grantAllocator.inUse),
    mappings: slot.maptrackAllocator.inUse,
    pins: slot.pinAllocator.inUse,
    ports: slot.portAllocator.inUse - (reserves ? 1 : slot.portAllocator.inUse),
  };
  expect(slot.grantAllocator.inUse).to.be.at.most(used.grants + reserved.grants);
  expect(slot.portAllocator.inUse).to.be.at.most(used.ports + reserved.ports);
  expect(inUse, `entries in use of domain ${domid}`).to.deep.equal(used);
  if (state === DomainState.FREE) {
    expect(used, 'entries of a domain that is gone').to.deep.equal({ grants: 0, mappings: 0, pins: 0, ports: 0 });
    return;
  }
  const { pages } = tables.machine;
  const owned = pages.ownedBy(tables.pageOwner(domid)).reduce((sum, address) => sum + pages.sizeOf(address), 0);
  expect(i32[slot.record + DomainRecord.TOT_PAGES], `pages of ${domid}`).to.equal(owned / PAGE);
}

function auditGrants(tables: Tables, slot: Slot, expected: Map<string, number>): void {
  const { i32 } = tables;
  if (i32[slot.record + DomainRecord.STATE] === DomainState.FREE) return;
  const domid = i32[slot.record + DomainRecord.DOMID];
  for (let ref = 0; ref < tables.limits.grantsMax; ref++) {
    const entry = slot.grants + ref * Grant.WORDS;
    if (i32[entry] === 0) continue;
    const counts = [i32[entry + Grant.READERS], i32[entry + Grant.WRITERS]];
    const right = ['readers', 'writers'].map((kind) => expected.get(`${kind} ${domid} ${ref}`) ?? 0);
    expect(counts, `grant ${ref} of ${domid}`).to.deep.equal(right);
  }
  auditPorts(tables, slot);
}

/** The other end of a port leads back to it. */
function auditPorts(tables: Tables, slot: Slot): void {
  const { i32 } = tables;
  for (let port = 1; port < tables.limits.portsMax; port++) {
    const entry = slot.ports + port * Port.WORDS;
    if (i32[entry] !== PortState.INTERDOMAIN) continue;
    const other = tables.slot(i32[entry + Port.REMOTE_SLOT]).ports + i32[entry + Port.REMOTE_PORT] * Port.WORDS;
    expect([i32[other], i32[other + Port.REMOTE_PORT], i32[other + Port.REMOTE_SLOT]]).to.deep.equal([
      PortState.INTERDOMAIN,
      port,
      slot.index,
    ]);
  }
}

function auditFrames({ i32, frames, machine }: Tables, expected: Map<string, number>): void {
  const found = new Map<string, number>();
  for (let frame = 0; frame < machine.u8.length / PAGE; frame++) {
    const words = frames + frame * Frame.WORDS;
    if (i32[words + Frame.MAPPINGS] !== 0) found.set(`mappings ${frame}`, i32[words + Frame.MAPPINGS]);
    if (i32[words + Frame.PINS] !== 0) found.set(`pins ${frame}`, i32[words + Frame.PINS]);
  }
  const counted = [...expected].filter(([key]) => key.startsWith('mappings') || key.startsWith('pins'));
  expect([...found].sort(), 'counts of frames').to.deep.equal(counted.sort());
}

/** Expects that a hypervisor does all that it should, for domains that come now. */
export function expectUsable(hypervisor: EmulatedHypervisor): void {
  const dom0 = hypervisor.domain(0);
  const guest = hypervisor.domain(hypervisor.createDomain({ name: 'probe', memoryBytes: 16 * PAGE }));
  const shared = guest.grantTable.sharePages(0, 2);
  const mapping = dom0.grantTable.map(guest.domid, shared.refs);
  const port = dom0.eventChannels.bindInterdomain(guest.domid, guest.eventChannels.allocUnbound(0));
  expect(dom0.eventChannels.take()).to.equal(port);
  guest.xenstore.write('data/probe', 'x');
  expect(dom0.xenstore.read(`/local/domain/${guest.domid}/data/probe`)).to.equal('x');
  dom0.xenstore.watch('@releaseDomain', '');
  dom0.xenstore.checkWatch();
  hypervisor.destroyDomain(guest.domid);
  expect(dom0.xenstore.checkWatch()).to.deep.equal({ path: '@releaseDomain', token: '' });
  mapping.unmap();
  expect(hypervisor.domains().map(({ domid }) => domid)).to.not.include(guest.domid);
  dom0.close();
}
