/** What a guest had and closed is garbage in the back-end: no table of it goes on holding what a guest may make again and again. */
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
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

  it('queue pairs, whose posts were counted, when their context is closed', async () => {
    new HonestGuest(xen, xen.deviceOf(parts)).pulse();
    xen.dom0.backend.sample();
    const close = (): WeakRef<object> => {
      const [guest] = xen.dom0.backend.guests;
      const [owner] = guest.contexts;
      const [{ qp }] = owner.qps.values();
      guest.closeContext(owner.handle);
      return new WeakRef(qp);
    };
    const qp = close();
    await collect();
    expect(qp.deref() === undefined).to.equal(true);
  });
});
