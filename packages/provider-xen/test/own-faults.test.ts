/** Faults of the back-end's own, while it serves one guest: that guest is ended and told so, and the others go on. */
import { expect } from 'chai';
import type { Domain, Xenstore } from '@openverbs/hypervisor';
import { SharedRing, XenbusState } from '@openverbs/hypervisor';
import { QpType } from '@openverbs/verbs';
import { Account } from '../src/backend/accounting.ts';
import type { Guest } from '../src/backend/guest.ts';
import { Commands } from '../src/protocol/commands.ts';
import { BackendKey } from '../src/protocol/handshake.ts';
import { HonestGuest } from './support/honest-guest.ts';
import { HostileFrontend } from './support/hostile-frontend.ts';
import { replacingPart } from './support/replacing.ts';
import { XenMachine } from './support/xen-machine.ts';

const { ALLOC_PD, CLOSE_CONTEXT, CREATE_CQ, CREATE_QP, OPEN_CONTEXT } = Commands;
const { CLOSED, CLOSING, CONNECTED, INITIALISING } = XenbusState;
const CQ = { cqe: 8, compVector: 0, cookie: 1, timestamps: false, ignoreOverrun: false, extended: false, key: 0 };
const QP = { srq: 0, xrcd: 0, qpType: QpType.RC as number, sqSigAll: false, cookie: 2, key: 0 };
const CAP = { maxSendWr: 4, maxRecvWr: 4, maxSendSge: 1, maxRecvSge: 1, maxInlineData: 0 };

function fail(): never {
  throw new TypeError('a fault of the back-end');
}

/** How the back-end fails at a guest. */
interface Fault {
  readonly when: string;
  readonly begin: (world: World) => void;
}

/** A front-end at which the back-end fails, between two that have done nothing. */
class World {
  /** Steps of the back-end at which it fails. */
  readonly failing = new Set<string>();
  readonly xen = new XenMachine({ wrapDom0: (dom0) => this.#failingDom0(dom0) });
  readonly honest = [new HonestGuest({ settle: () => this.xen.turns() }, this.#device('bypass'))];
  readonly front = new HostileFrontend({ settle: () => this.xen.turns() }, this.xen.addGuest('bypass'));
  readonly context: number;
  readonly guest: Guest;
  readonly counts: Float64Array;

  constructor() {
    expect(this.front.connect()).to.equal(true);
    this.honest.push(new HonestGuest({ settle: () => this.xen.turns() }, this.#device('basic')));
    this.context = this.front.call(OPEN_CONTEXT, {}).context;
    this.guest = this.xen.dom0.backend.guests.find(({ domid }) => domid === this.front.guest.domid)!;
    this.counts = this.guest.counts;
  }

  /** The reason that the front-end is told. */
  get error(): string {
    const { domain, path } = this.front.guest;
    return domain.xenstore.read(`${domain.xenstore.read(`${path}/backend`)}/error`);
  }

  /** Puts a send where the scheduler finds it. */
  queueSend(): void {
    const { front, context, guest } = this;
    const { pd } = front.call(ALLOC_PD, { context });
    const { cq } = front.call(CREATE_CQ, { ...CQ, context });
    const { qp } = front.call(CREATE_QP, { ...QP, context, pd, sendCq: cq, recvCq: cq, cap: CAP });
    const lower = guest.context(context).qps.get(qp).qp;
    lower.postSend = fail;
    guest.requests.queue.push(lower, [{ sgList: [], opcode: 0, bindMw: null } as never]);
  }

  close(): void {
    for (const { context } of this.honest) context[Symbol.dispose]();
    this.xen.close();
  }

  #device(mode: 'basic' | 'bypass'): ReturnType<XenMachine['deviceOf']> {
    return this.xen.deviceOf(this.xen.addGuest(mode));
  }

  #failingDom0(dom0: Domain): Domain {
    const { eventChannels } = dom0;
    const close = (port: number): void => {
      if (this.failing.delete('close')) fail();
      eventChannels.close(port);
    };
    const notify = (port: number): void => {
      if (this.failing.delete('notify')) fail();
      eventChannels.notify(port);
    };
    const { xenstore } = dom0;
    const write: Xenstore['write'] = (path, ...rest) => {
      if (this.failing.has('offer') && path.endsWith(`/${BackendKey.VERSION}`)) fail();
      xenstore.write(path, ...rest);
    };
    return replacingPart(replacingPart(dom0, 'eventChannels', { close, notify }), 'xenstore', { write });
  }
}

const faults: readonly Fault[] = [
  {
    when: 'it closes',
    begin({ failing, front }) {
      failing.add('close');
      front.setState(CLOSING);
    },
  },
  {
    when: 'it answers',
    begin({ failing, front, context }) {
      failing.add('notify');
      const { i32, word } = front.page(0);
      i32[word + SharedRing.RSP_EVENT] = 2; // it asks to be told of the second answer
      front.call(ALLOC_PD, { context });
    },
  },
  {
    when: 'it posts what has waited',
    begin(world) {
      world.queueSend();
      world.xen.turns();
    },
  },
  {
    when: 'it forwards events',
    begin({ guest, xen, context }) {
      Object.defineProperty(guest.context(context).lower.routing, 'dispatch', { value: fail });
      xen.turns();
    },
  },
  {
    when: 'it counts',
    begin({ guest, xen }) {
      guest.sample = () => {
        delete (guest as Partial<Guest>).sample;
        fail();
      };
      xen.dom0.backend.sample();
    },
  },
];

describe('a fault of the back-end at one guest', () => {
  let world: World;

  beforeEach(() => {
    world = new World();
  });
  afterEach(() => {
    world.close();
  });

  for (const { when, begin } of faults) {
    it(`when ${when} ends that guest with a reason, and counts`, () => {
      const { front, xen, counts, guest } = world;
      begin(world);
      xen.turns();
      expect(front.state).to.equal(CLOSED);
      expect(world.error).to.equal('the back-end failed at this guest');
      expect(counts[Account.FAULTS]).to.equal(1);
      expect(xen.dom0.backend.fault).to.be.instanceOf(TypeError);
      expect(xen.dom0.backend.guests).not.to.include(guest);
      expect(guest.quota.used).to.deep.include({ contexts: 0, pds: 0, cqs: 0, qps: 0 });
      for (const honest of world.honest) honest.pulse();
      expect(front.connect()).to.equal(true);
      expect(front.state).to.equal(CONNECTED);
      front.call(OPEN_CONTEXT, {});
    });
  }

  it('when it offers that guest the device is told once: what tells of it makes the back-end look again', () => {
    const { failing, front, xen } = world;
    failing.add('offer');
    const { xenstore } = xen.toolstack;
    const path = front.guest.domain.xenstore.read(`${front.guest.path}/backend`);
    front.setState(CLOSING);
    front.write('state', String(INITIALISING));
    xenstore.write(`${path}/state`, String(INITIALISING));
    xen.turns();
    expect(front.state).to.equal(CLOSED);
    expect(world.error).to.equal('the back-end failed at this guest');
    failing.delete('offer');
    expect(front.connect()).to.equal(true);
  });

  it('when it lets go of what a ring was in that made no sense is counted, and the guest is told of its own', () => {
    const { failing, front, xen, counts } = world;
    failing.add('close');
    front.show(1000);
    xen.turns();
    expect(front.state).to.equal(CLOSED);
    expect(world.error).to.contain('more requests wait than the ring holds');
    expect(counts[Account.FAULTS]).to.equal(1);
    expect(xen.dom0.backend.fault).to.be.instanceOf(TypeError);
  });

  it('when that guest is no more, keeps its directory from nobody', () => {
    const { failing, front, xen } = world;
    failing.add('close');
    xen.destroyUnseen(front.guest);
    xen.turns();
    expect(xen.dom0.backend.fault).to.be.instanceOf(TypeError);
    expect(xen.toolstack.xenstore.directory('/local/domain/0/backend/vib')).not.to.include(String(front.guest.domid));
    for (const honest of world.honest) honest.pulse();
  });

  it('when it takes back a UAR that was mapped ends that guest alone', () => {
    const { front, xen, guest } = world;
    const { context, userHalf } = front.call(OPEN_CONTEXT, {});
    const { lower } = guest.context(context);
    const mapping = front.guest.domain.grantTable.map(0, userHalf!.refs);
    front.call(CLOSE_CONTEXT, { context });
    mapping.unmap();
    Object.defineProperty(lower, Symbol.dispose, { value: fail });
    xen.dom0.backend.sample();
    expect(front.state).to.equal(CLOSED);
    expect(world.counts[Account.FAULTS]).to.equal(1);
    for (const honest of world.honest) honest.pulse();
  });
});
