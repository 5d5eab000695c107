/** A front-end that is connected anew: before the back-end has seen that it was not any more, or after it has failed. */
import { expect } from 'chai';
import { XenbusState } from '@openverbs/hypervisor';
import type { RequestQueue } from '../src/backend/request-queue.ts';
import { Scheduler } from '../src/backend/scheduler.ts';
import { HostileFrontend } from './support/hostile-frontend.ts';
import { XenMachine } from './support/xen-machine.ts';

describe('a front-end that is connected anew', () => {
  it('unseen leaves nothing of what it was connected to before', () => {
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

  it('has one turn among the senders, however often it has failed to connect before', () => {
    const { add, remove } = Scheduler.prototype;
    const queues: RequestQueue[] = [];
    Object.assign(Scheduler.prototype, {
      add(this: Scheduler, queue: RequestQueue) {
        queues.push(queue);
        add.call(this, queue);
      },
      remove(this: Scheduler, queue: RequestQueue) {
        queues.splice(queues.indexOf(queue), 1);
        remove.call(this, queue);
      },
    });
    const xen = new XenMachine();
    try {
      const front = new HostileFrontend(xen, xen.addGuest('basic'));
      for (const version of ['0', '77']) expect(front.connect({ version })).to.equal(false);
      expect(queues).to.have.length(0);
      expect(front.connect()).to.equal(true);
      expect(queues).to.have.length(1);
    } finally {
      xen.close();
      Object.assign(Scheduler.prototype, { add, remove });
    }
  });
});
