/** A back-end that takes longer than a front-end waits: nothing that was shared is lost, however often that happens. */
import { expect } from 'chai';
import type { Domain } from '@openverbs/hypervisor';
import { XenbusState } from '@openverbs/hypervisor';
import { backendPath, ToolstackKey } from '../src/protocol/handshake.ts';
import { XenbusFrontend } from '../src/frontend/xenbus-frontend.ts';
import { hookingPart } from './support/replacing.ts';
import { XenMachine } from './support/xen-machine.ts';
import type { GuestParts } from './support/xen-machine.ts';

const ATTEMPTS = 3;

describe('a back-end that takes longer than its front-end waits', () => {
  let xen: XenMachine;
  let guest: GuestParts;
  let node: string;
  /** Its state, while it is held back. */
  let state: string | undefined;

  beforeEach(() => {
    xen = new XenMachine();
    guest = xen.addGuest('basic');
    node = `${backendPath(0, guest.domid, 0)}/${ToolstackKey.STATE}`;
    state = undefined;
  });
  afterEach(() => {
    xen.destroy(guest);
    xen.close();
  });

  /** The guest's handle; each wait of it ends after some turns of the device domain. */
  function impatient(domain = guest.domain): Domain {
    const waitUntil: Domain['waitUntil'] = (condition, _deadlineNs, describe) => {
      guest.domain.waitUntil(condition, 0, describe);
    };
    return Object.create(domain, { waitUntil: { value: waitUntil } }) as Domain;
  }

  function holdBack(): void {
    const { xenstore } = xen.toolstack;
    state ??= xenstore.read(node);
    xenstore.write(node, String(XenbusState.RECONFIGURING));
  }

  function letGo(): void {
    xen.toolstack.xenstore.write(node, state!);
    state = undefined;
    xen.settle();
  }

  function usage(): unknown {
    return xen.hypervisor.usageOf(guest.domid);
  }

  it('when a connection ends: what it shared is taken back by the next one', () => {
    const front = new XenbusFrontend(impatient(), guest.path);
    const [idle, bytes] = [usage(), xen.counts().bytes];
    front.connect();
    const connected = usage();
    for (let round = 0; round < ATTEMPTS; round++) {
      holdBack();
      expect(() => {
        front.disconnect();
      }).to.throw('to let go');
      for (let n = 0; n < ATTEMPTS; n++) expect(() => front.connect()).to.throw('to be ready for the front-end');
      expect(usage()).to.deep.equal(connected);
      letGo();
      front.connect();
      expect(usage()).to.deep.equal(connected);
    }
    front.disconnect();
    expect([usage(), xen.counts().bytes]).to.deep.equal([idle, bytes]);
  });

  it('when a connection begins: what it shared is taken back by the next one', () => {
    let slow = true;
    const domain = hookingPart(guest.domain, 'grantTable', 'sharePages', () => {
      if (slow) holdBack();
    });
    const front = new XenbusFrontend(impatient(domain), guest.path);
    const [idle, bytes] = [usage(), xen.counts().bytes];
    expect(() => front.connect()).to.throw('to let go');
    for (let n = 0; n < ATTEMPTS; n++) expect(() => front.connect()).to.throw('to be ready for the front-end');
    slow = false;
    letGo();
    front.connect();
    front.disconnect();
    expect([usage(), xen.counts().bytes]).to.deep.equal([idle, bytes]);
  });
});
