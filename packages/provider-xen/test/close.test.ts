/** The end of a device domain and of a provider: what fails for one guest keeps no other from being ended. */
import { expect } from 'chai';
import { EmulatedHypervisor, HypervisorError } from '@openverbs/hypervisor';
import type { Domain, Xenstore } from '@openverbs/hypervisor';
import { Machine } from '@openverbs/machine';
import type { MachineHandle } from '@openverbs/machine';
import { provider as emulated } from '@openverbs/provider-emulated';
import { provider as xenProvider } from '../src/index.ts';
import { Commands } from '../src/protocol/commands.ts';
import { HostileFrontend } from './support/hostile-frontend.ts';
import { replacingPart } from './support/replacing.ts';
import { XenMachine } from './support/xen-machine.ts';

const { OPEN_CONTEXT, ALLOC_PD } = Commands;

describe('the end', () => {
  it('of a device domain: takes everything back from the others when that fails of one guest', () => {
    let failing = -1;
    const wrapDom0 = (dom0: Domain): Domain => {
      const { eventChannels } = dom0;
      const close = (port: number): void => {
        if (port === failing) throw new Error('this port cannot be closed');
        eventChannels.close(port);
      };
      return replacingPart(dom0, 'eventChannels', { close });
    };
    const xen = new XenMachine({ wrapDom0 });
    const fronts = [1, 2, 3].map(() => new HostileFrontend(xen, xen.addGuest('basic')));
    for (const front of fronts) {
      expect(front.connect()).to.equal(true);
      front.call(ALLOC_PD, { context: front.call(OPEN_CONTEXT, {}).context });
    }
    const quotas = xen.dom0.backend.guests.map(({ quota }) => quota);
    // dom0's first ports in their order: two of each front-end.
    failing = 3;
    expect(() => {
      xen.close();
    }).to.throw('this port cannot be closed');
    for (const { used } of quotas) expect(used).to.deep.include({ contexts: 0, pds: 0 });
    // Also of the one that failed: what is mapped could not be taken back by its guest.
    for (const front of fronts) front.release();
  });

  it('of a device domain: is no error when xenstore is full, and nobody can be told', () => {
    let isFull = false;
    const wrapDom0 = (dom0: Domain): Domain => {
      const { xenstore } = dom0;
      const transaction: Xenstore['transaction'] = (step) => {
        if (isFull) throw new HypervisorError('ENOSPC', 'xenstore is full');
        return xenstore.transaction(step);
      };
      return replacingPart(dom0, 'xenstore', { transaction });
    };
    const xen = new XenMachine({ wrapDom0 });
    const front = new HostileFrontend(xen, xen.addGuest('basic'));
    expect(front.connect()).to.equal(true);
    isFull = true;
    xen.dom0.close();
    front.release();
    xen.close();
  });

  it('of a provider: ends the other guests when one was ended already', () => {
    const lower = { definition: emulated, config: emulated.parseConfig({}), modulePath: '' };
    const environment = { machine: undefined, clock: undefined, prng: undefined, lower: () => lower };
    const instance = xenProvider.open(environment, xenProvider.parseConfig({ guests: 3 }));
    const machine = Machine.attach(instance.machine as MachineHandle);
    const handle = { kind: 'openverbs-hypervisor', machine: machine.handle } as const;
    const hypervisor = EmulatedHypervisor.join(handle, machine);
    const guests = hypervisor.domains().filter(({ domid }) => domid !== 0);
    hypervisor.destroyDomain(guests[1].domid);
    expect(() => {
      instance.close();
    }).to.throw(`domain ${guests[1].domid}`);
    expect(hypervisor.domains().map(({ domid }) => domid)).to.deep.equal([0]);
    machine.detach();
  });
});
