/** How many UARs a program has in a guest in bypass: one for all its consumers of kernel level, and one for each opening of the device. */
import { expect } from 'chai';
import { DOM0, EmulatedHypervisor } from '@openverbs/hypervisor';
import { Machine } from '@openverbs/machine';
import type { MachineHandle } from '@openverbs/machine';
import { openVerbs } from 'openverbs';
import type { OpenVerbs } from 'openverbs';
import { ib_alloc_pd, ib_dealloc_pd } from 'openverbs/kernel';
import { removeDevice } from 'openverbs/testing';

/** A device domain on a thread starts one. */
const TIMEOUT_MS = 60_000;

/** Pages of UARs that are granted: dom0 grants nothing else. */
function granted({ machine: handle }: OpenVerbs): number {
  const machine = Machine.attach(handle as MachineHandle);
  try {
    const hypervisor = EmulatedHypervisor.join({ kind: 'openverbs-hypervisor', machine: machine.handle }, machine);
    const dom0 = hypervisor.domain(DOM0);
    const { inUse } = dom0.grantTable;
    dom0.close();
    return inUse;
  } finally {
    machine.detach();
  }
}

describe('UARs of a program in a guest', function () {
  this.timeout(TIMEOUT_MS);

  for (const placement of ['inline', 'thread'] as const) {
    it(`device domain ${placement}: one for kernel level, one for each opening, and they come back`, () => {
      using verbs = openVerbs({ provider: 'xen:bypass', xen: { placement } });
      const device = verbs.device();
      expect(granted(verbs)).to.equal(0);
      const pds = [ib_alloc_pd(device), ib_alloc_pd(device)];
      expect(granted(verbs), 'kernel level').to.equal(1);
      const contexts = [device.open(), device.open()];
      expect(granted(verbs), 'and two openings').to.equal(3);
      contexts[0].close();
      expect(granted(verbs)).to.equal(2);
      for (const pd of pds) ib_dealloc_pd(pd);
      removeDevice(device);
      contexts[1].close();
      expect(granted(verbs), 'also from a device that was pulled out').to.be.at.most(1);
    });
  }

  it('in basic there is none', () => {
    using verbs = openVerbs({ provider: 'xen:basic' });
    verbs.device().open();
    expect(granted(verbs)).to.equal(0);
  });
});
