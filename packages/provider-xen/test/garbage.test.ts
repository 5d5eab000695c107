/** What a guest had and closed is garbage in the back-end: no table of it goes on holding what a guest may make again and again. */
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import type { SharedReceiveQueue } from '@openverbs/verbs';
import type { Guest } from '../src/backend/guest.ts';
import type { GuestContext } from '../src/backend/guest-context.ts';
import { HonestGuest } from './support/honest-guest.ts';
import { XenMachine } from './support/xen-machine.ts';
import type { GuestParts } from './support/xen-machine.ts';

/** Collects all garbage. */
async function collect(): Promise<void> {
  // What a reference has given stays until the end of this turn of the event loop.
  await setImmediate();
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  setFlagsFromString('--no-expose-gc');
}

describe('what a guest in bypass has closed is held by nothing:', () => {
  let xen: XenMachine;
  let parts: GuestParts;

  beforeEach(() => {
    xen = new XenMachine();
    parts = xen.addGuest('bypass');
  });
  afterEach(() => {
    xen.destroy(parts);
    xen.close();
  });

  it('a context, whose UAR was granted', async () => {
    const device = xen.deviceOf(parts);
    const openAndClose = (): WeakRef<object> => {
      const context = device.open();
      const [guest] = xen.dom0.backend.guests;
      const [{ lower }] = guest.contexts;
      context.close();
      return new WeakRef(lower);
    };
    const lower = openAndClose();
    await collect();
    expect(lower.deref() === undefined).to.equal(true);
  });

  describe('queues, whose posts were counted and events told of,', () => {
    let program: HonestGuest;
    let srq: SharedReceiveQueue;

    beforeEach(() => {
      program = new HonestGuest(xen, xen.deviceOf(parts));
      srq = program.pd.createSrq({ attr: { maxWr: 1, maxSge: 1 } });
      xen.dom0.backend.sample();
    });

    /** The back-end's queues of the program, and whether something holds them when the program has closed them. */
    async function heldAfter(close: (guest: Guest, owner: GuestContext) => void): Promise<boolean[]> {
      const closed = (): WeakRef<object>[] => {
        const [guest] = xen.dom0.backend.guests;
        const [owner] = guest.contexts;
        const queues: object[] = [
          ...owner.qps.values().map(({ qp }) => qp),
          ...owner.srqs.values().map((each) => each.srq),
        ];
        for (const { cq } of owner.cqs.values()) queues.push(cq);
        close(guest, owner);
        return queues.map((queue) => new WeakRef(queue));
      };
      const queues = closed();
      await collect();
      return queues.map((queue) => queue.deref() !== undefined);
    }

    it('when their context is closed', async () => {
      const held = await heldAfter((guest, { handle }) => {
        guest.closeContext(handle);
      });
      expect(held).to.deep.equal([false, false, false, false]);
    });

    it('when they are destroyed', async () => {
      const held = await heldAfter(() => {
        for (const queue of [...program.qps, srq, program.cq]) queue.destroy();
      });
      expect(held).to.deep.equal([false, false, false, false]);
    });
  });
});
