/** Pages of devices' registers: dom0 grants them, and nobody has them otherwise. */
import { expect } from 'chai';
import { OWNER_IOMEM } from '@openverbs/machine';
import { Grant, GrantFlag } from '../src/emulated/layout.ts';
import { findTables } from '../src/emulated/tables.ts';
import { audit } from './support/audit.ts';
import { expectError, PAGE, testbed } from './support/testbed.ts';
import type { Testbed } from './support/testbed.ts';
import { world } from './support/cut.ts';

/** A page as a device has it; answers its frame. */
function registersOf({ machine }: Pick<Testbed, 'machine'>): number {
  return machine.pages.alloc(PAGE, PAGE, OWNER_IOMEM) / PAGE;
}

describe('pages of I/O memory', () => {
  it('dom0 grants, and the guest that maps one reaches the device', () => {
    const bed = testbed();
    const { dom0, guest, machine } = bed;
    const frame = registersOf(bed);
    const { totPages } = dom0.memory;
    const ref = dom0.grantTable.grantAccess(guest.domid, frame);
    const mapping = guest.grantTable.map(0, [ref]);
    const { i32, word, address } = mapping.page(0);
    expect([word * 4, address]).to.deep.equal([frame * PAGE, frame * PAGE]);
    i32[word + 5] = 77;
    expect(machine.i32[frame * 1024 + 5]).to.equal(77);
    expect(dom0.memory.totPages, 'they are not memory of dom0').to.equal(totPages);
    audit(machine);
    mapping.unmap();
    dom0.grantTable.endAccess(ref);
    expect(dom0.grantTable.inUse).to.equal(0);
    audit(machine);
  });

  it('are not revoked while they are mapped, and a grant that was revoked maps nothing', () => {
    const bed = testbed();
    const { dom0, guest } = bed;
    const ref = dom0.grantTable.grantAccess(guest.domid, registersOf(bed));
    const mappings = [false, true].map((readonly) => guest.grantTable.map(0, [ref], { readonly }));
    for (const mapping of mappings) {
      expectError(() => dom0.grantTable.endAccess(ref), 'EBUSY', /mapped/);
      mapping.unmap();
    }
    dom0.grantTable.endAccess(ref);
    expectError(() => guest.grantTable.map(0, [ref]), 'EINVAL', /not in use/);
  });

  it('are mapped by nobody but whom they are granted to, and for reading where that is all that is granted', () => {
    const bed = testbed();
    const { dom0, guest, other } = bed;
    const frame = registersOf(bed);
    const [ref, readonlyRef] = [false, true].map((each) => dom0.grantTable.grantAccess(guest.domid, frame, each));
    expectError(() => other.grantTable.map(0, [ref]), 'EINVAL', /is for domain 1, not 2/);
    expectError(() => guest.grantTable.map(0, [readonlyRef]), 'EINVAL', /reading only/);
    guest.grantTable.map(0, [readonlyRef], { readonly: true }).unmap();
    audit(bed.machine);
  });

  it('are not a guest’s to grant, whatever it writes into its grant table', () => {
    const bed = testbed();
    const { machine, dom0, guest, other } = bed;
    const frame = registersOf(bed);
    expectError(() => guest.grantTable.grantAccess(other.domid, frame), 'EPERM');
    const mapping = guest.grantTable.map(0, [dom0.grantTable.grantAccess(guest.domid, frame)]);
    expectError(() => guest.grantTable.grantAccess(other.domid, frame), 'EPERM');
    const entry = findTables(machine).running(guest.domid).grants + 20 * Grant.WORDS;
    machine.i32[entry + Grant.DOMID] = other.domid;
    machine.i32[entry + Grant.FRAME] = frame;
    machine.i32[entry + Grant.FLAGS] = GrantFlag.PERMIT_ACCESS;
    expectError(() => other.grantTable.map(guest.domid, [20]), 'EINVAL', /not that domain's/);
    machine.i32[entry + Grant.FLAGS] = 0;
    mapping.unmap();
  });

  it('are no memory: nobody frees, pins or reads them as such', () => {
    const bed = testbed();
    const { dom0, guest } = bed;
    const frame = registersOf(bed);
    const ref = dom0.grantTable.grantAccess(guest.domid, frame);
    guest.grantTable.map(0, [ref]);
    for (const domain of [dom0, guest]) {
      expectError(() => domain.memory.page(frame), 'EPERM');
      expectError(() => domain.memory.pinPages(domain.domid, [frame]), 'EPERM');
      expectError(() => {
        domain.memory.freePages(frame);
      }, 'EINVAL');
    }
  });

  it('go with the handle of the domain that drives the device, mapped or not', () => {
    const bed = testbed();
    const { machine, hypervisor, dom0, guest } = bed;
    const driver = hypervisor.domain(0);
    const frames = [registersOf(bed), registersOf(bed)];
    const refs = frames.map((frame) => driver.grantTable.grantAccess(guest.domid, frame));
    const kept = dom0.grantTable.grantAccess(guest.domid, registersOf(bed));
    const mapping = guest.grantTable.map(0, [refs[0]]);
    const mappingOfKept = guest.grantTable.map(0, [kept]);
    driver.close();
    audit(machine);
    expectError(() => mapping.page(0), 'EINVAL', /has gone/);
    expect(mappingOfKept.page(0)).to.have.property('i32');
    expectError(() => guest.grantTable.map(0, [refs[1]]), 'EINVAL', /not in use/);
    expect(dom0.grantTable.inUse, 'those of other handles stay').to.equal(1);
    // What was registers is somebody's memory now, and the mapping holds none of it.
    for (const frame of frames) machine.pages.free(frame * PAGE);
    const runs = frames.map(() => guest.memory.allocPages(1));
    for (const frame of runs) guest.memory.freePages(frame);
    mapping.unmap();
    mappingOfKept.unmap();
    dom0.grantTable.endAccess(kept);
    audit(machine);
  });

  it('stay with another handle that has the reference again which the first has ended', () => {
    const bed = testbed();
    const { hypervisor, dom0, guest } = bed;
    const driver = hypervisor.domain(0);
    const ref = driver.grantTable.grantAccess(guest.domid, registersOf(bed));
    driver.grantTable.endAccess(ref);
    expect(dom0.grantTable.grantAccess(guest.domid, registersOf(bed))).to.equal(ref);
    const mapping = guest.grantTable.map(0, [ref]);
    driver.close();
    expect(mapping.page(0)).to.have.property('i32');
    expect(dom0.grantTable.inUse).to.equal(1);
  });

  it('go with the thread that drives the device', () => {
    const { bed, victim, victimMachine } = world();
    const frame = registersOf(bed);
    const ref = victim.dom0.grantTable.grantAccess(bed.guest.domid, frame);
    const kept = bed.dom0.grantTable.grantAccess(bed.guest.domid, registersOf(bed));
    const mapping = bed.guest.grantTable.map(0, [ref]);
    bed.machine.threads.declareDead(victimMachine.threadIndex);
    expect(bed.hypervisor.reap()).to.equal(1);
    expectError(() => mapping.page(0), 'EINVAL', /has gone/);
    expect(bed.dom0.grantTable.inUse).to.equal(1);
    audit(bed.machine);
    mapping.unmap();
    bed.dom0.grantTable.endAccess(kept);
    audit(bed.machine);
  });

  it('are unmapped by the death of the guest', () => {
    const bed = testbed();
    const { machine, hypervisor, dom0, guest } = bed;
    const ref = dom0.grantTable.grantAccess(guest.domid, registersOf(bed));
    guest.grantTable.map(0, [ref]);
    hypervisor.destroyDomain(guest.domid);
    dom0.grantTable.endAccess(ref);
    expect(dom0.grantTable.inUse).to.equal(0);
    audit(machine);
  });
});
