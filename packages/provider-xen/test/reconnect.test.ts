/** A front-end that is connected anew before the back-end has seen that it was not any more. */
import { expect } from 'chai';
import { XenbusState } from '@openverbs/hypervisor';
import { HostileFrontend } from './support/hostile-frontend.ts';
import { XenMachine } from './support/xen-machine.ts';

describe('a front-end that is connected anew, unseen', () => {
  it('leaves nothing of what it was connected to before', () => {
    const xen = new XenMachine();
    try {
      const guest = xen.addGuest('basic');
      expect(new HostileFrontend(xen, guest).connect()).to.equal(true);
      const { mappings, ports } = xen.counts();
      const anew = new HostileFrontend(xen, guest);
      anew.publish();
      anew.write('state', String(XenbusState.INITIALISED));
      const backend = guest.domain.xenstore.read(`${guest.path}/backend`);
      xen.toolstack.xenstore.write(`${backend}/state`, String(XenbusState.INIT_WAIT));
      xen.settle();
      expect(anew.state).to.equal(XenbusState.CONNECTED);
      expect(xen.counts()).to.include({ mappings, ports });
    } finally {
      xen.close();
    }
  });
});
