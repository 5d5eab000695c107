/** What the toolstack has written of a device, and what it has not written yet. */
import { expect } from 'chai';
import { XenbusState } from '@openverbs/hypervisor';
import type { Xenstore } from '@openverbs/hypervisor';
import { backendPath, ToolstackKey } from '../src/protocol/handshake.ts';
import { attachDevice } from '../src/toolstack.ts';
import { HostileFrontend } from './support/hostile-frontend.ts';
import { replacingPart } from './support/replacing.ts';
import { XenMachine } from './support/xen-machine.ts';

const DEVICE_INIT = { index: 0, mode: 'basic', weight: 1, rateBytesPerS: 0, burstBytes: 0 } as const;
const { DEVICE, FRONTEND, FRONTEND_ID, STATE } = ToolstackKey;

describe('a device that the toolstack gives a guest', () => {
  let xen: XenMachine;
  /** What the back-end watches in xenstore since the test has begun. */
  let watched: string[];

  beforeEach(() => {
    watched = [];
    xen = new XenMachine({
      wrapDom0: (dom0) => {
        const watch: Xenstore['watch'] = (path, token) => {
          watched.push(path);
          dom0.xenstore.watch(path, token);
        };
        return replacingPart(dom0, 'xenstore', { watch });
      },
    });
    xen.settle();
    watched = [];
  });
  afterEach(() => {
    xen.close();
  });

  for (const missing of [FRONTEND, FRONTEND_ID, STATE]) {
    it(`is waited for until its ${missing} is written, too`, () => {
      const domid = xen.hypervisor.createDomain({ name: 'guest', memoryBytes: 2 ** 24 });
      const domain = xen.hypervisor.domain(domid);
      const { xenstore } = xen.toolstack;
      const path = attachDevice(xenstore, { ...DEVICE_INIT, domid, device: 'emulated0' });
      const node = `${backendPath(0, domid, 0)}/${missing}`;
      const value = xenstore.read(node);
      xenstore.rm(node);
      xen.settle();
      const front = new HostileFrontend(xen, { domid, domain, path });
      expect(xenstore.tryRead(node), 'it was touched').to.equal(undefined);
      expect(watched).to.deep.equal([]);
      xenstore.write(node, value);
      xen.settle();
      expect(watched).to.deep.equal([`${path}/${STATE}`]);
      expect(front.state).to.equal(XenbusState.INIT_WAIT);
      expect(front.connect()).to.equal(true);
    });
  }

  it('and that is none of the back-end’s, is refused by name', () => {
    const domid = xen.hypervisor.createDomain({ name: 'guest', memoryBytes: 2 ** 24 });
    attachDevice(xen.toolstack.xenstore, { ...DEVICE_INIT, domid, device: 'mlx5_9' });
    xen.settle();
    const path = backendPath(0, domid, 0);
    expect(xen.toolstack.xenstore.read(`${path}/${STATE}`)).to.equal(String(XenbusState.CLOSED));
    expect(xen.toolstack.xenstore.read(`${path}/error`)).to.equal('there is no device mlx5_9');
  });

  it('and that is none of the back-end’s, is refused again when it is given anew, or when it is another', () => {
    const { xenstore } = xen.toolstack;
    const domid = xen.hypervisor.createDomain({ name: 'guest', memoryBytes: 2 ** 24 });
    attachDevice(xenstore, { ...DEVICE_INIT, domid, device: 'mlx5_9' });
    xen.settle();
    const path = backendPath(0, domid, 0);
    xenstore.write(`${path}/${STATE}`, String(XenbusState.INITIALISING));
    xen.settle();
    expect(xenstore.read(`${path}/${STATE}`)).to.equal(String(XenbusState.CLOSED));
    xenstore.write(`${path}/${DEVICE}`, 'mlx5_8');
    xenstore.write(`${xenstore.read(`${path}/${FRONTEND}`)}/${STATE}`, String(XenbusState.INITIALISING));
    xen.settle();
    expect(xenstore.read(`${path}/error`)).to.equal('there is no device mlx5_8');
  });
});
