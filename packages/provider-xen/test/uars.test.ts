/** The UARs of guests: granted, mapped, given back; and what a guest that does not give its own back gets of it. */
import { expect } from 'chai';
import { DoorbellKind, Engine, EngineState, UarPage } from '@openverbs/hca';
import { HypervisorError, XenbusState } from '@openverbs/hypervisor';
import type { Domain, Mapping } from '@openverbs/hypervisor';
import { QpState, Sge } from '@openverbs/verbs';
import { userHalfOf } from '@openverbs/verbs/driver';
import type { ContextOps, DirectAccessOps } from '@openverbs/verbs/driver';
import { Commands } from '../src/protocol/commands.ts';
import { HonestGuest } from './support/honest-guest.ts';
import { HostileFrontend, requestWords } from './support/hostile-frontend.ts';
import { hookingPart, replacing } from './support/replacing.ts';
import { XenMachine } from './support/xen-machine.ts';
import type { GuestParts } from './support/xen-machine.ts';

const { OPEN_CONTEXT, CLOSE_CONTEXT, ALLOC_PD } = Commands;
const CONTEXTS = 4;

/** A context of a hostile guest. */
interface Opened {
  readonly context: number;
  readonly refs: readonly number[];
}

describe('UARs of guests', () => {
  let xen: XenMachine;
  let honest: HonestGuest;
  let front: HostileFrontend;
  let before: Record<string, number>;
  /** Called when the back-end grants a UAR. */
  let onGrant = (): void => undefined;

  beforeEach(() => {
    onGrant = () => undefined;
    const wrapDom0 = (dom0: Domain): Domain => hookingPart(dom0, 'grantTable', 'grantAccess', () => onGrant());
    xen = new XenMachine({ wrapDom0, quotas: { contexts: CONTEXTS } });
    honest = new HonestGuest(xen, xen.deviceOf(xen.addGuest('bypass')));
    // The tables of their domains stay, for the next ones.
    for (const guest of [xen.addGuest('bypass'), xen.addGuest('bypass')]) xen.destroy(guest);
    before = xen.counts();
    front = new HostileFrontend(xen, xen.addGuest('bypass'));
    expect(front.connect()).to.equal(true);
  });
  afterEach(() => {
    honest.pulse();
    if (front.guest.domain.alive) xen.destroy(front.guest);
    expect(xen.counts()).to.deep.equal(before);
    honest.context[Symbol.dispose]();
    xen.close();
  });

  function open(): Opened {
    const { context, userHalf } = front.call(OPEN_CONTEXT, {});
    return { context, refs: userHalf!.refs };
  }

  const map = ({ refs }: Opened): Mapping => front.guest.domain.grantTable.map(0, refs);

  /** Looks for what was unmapped, as the back-end does at each sample. */
  function sweep(): void {
    xen.dom0.backend.sample();
  }

  it('each context has one, granted to its guest alone and named by a reference', () => {
    const guest = xen.addGuest('bypass');
    const { grants } = xen.counts();
    const device = xen.deviceOf(guest);
    const contexts = [device.open(), device.open()];
    expect(xen.counts()['grants']).to.equal(grants + 2);
    const [mine] = xen.dom0.backend.guests.filter(({ domid }) => domid === guest.domid);
    for (const { lower, userHalf } of mine.contexts) {
      const { driver, pages, words } = userHalfOf(lower);
      expect(userHalf).to.deep.equal({ driver, refs: userHalf!.refs, words });
      expect(userHalf!.refs).to.have.length(pages.length);
      expect(() => front.guest.domain.grantTable.map(0, userHalf!.refs)).to.throw('is for domain');
    }
    contexts[0].close();
    expect(xen.counts()['grants']).to.equal(grants + 1);
    contexts[1].close();
    device.open(); // it ends with the domain
    xen.destroy(guest);
    expect(xen.counts()['grants']).to.equal(grants);
  });

  it('a guest in basic has none', () => {
    const guest = xen.addGuest('basic');
    const { grants, uars } = xen.counts();
    const basic = new HostileFrontend(xen, guest);
    basic.connect();
    expect(basic.call(OPEN_CONTEXT, {}).userHalf).to.equal(null);
    expect(xen.counts()).to.include({ grants, uars: uars + 1 });
    xen.destroy(guest);
  });

  it('doorbells are written where the guest has it mapped', () => {
    const guest = xen.addGuest('bypass');
    const program = new HonestGuest(xen, xen.deviceOf(guest));
    const [mine] = xen.dom0.backend.guests.filter(({ domid }) => domid === guest.domid);
    const [{ userHalf }] = mine.contexts;
    const { i32, word } = guest.domain.grantTable.map(0, userHalf!.refs).page(0);
    const [qp] = program.qps;
    const [{ addr, lkey }] = program.mrs;
    qp.modify({ qpState: QpState.ERR });
    const written = i32[word + UarPage.PRODUCER];
    qp.postRecv({ wrId: 1, sgList: [new Sge(addr, 8, lkey)] });
    expect(i32[word + UarPage.PRODUCER]).to.equal(written + 1);
    xen.destroy(guest);
  });

  it('a page that was not granted, or not for that, is not mapped', () => {
    const first = open();
    const { grantTable } = front.guest.domain;
    for (const ref of [first.refs[0] + 1, first.refs[0] - 1, 0, 7, -1, 0xffffffff]) {
      expect(() => grantTable.map(0, [ref]), String(ref)).to.throw(HypervisorError);
    }
    const { pages } = userHalfOf([...xen.dom0.backend.guests[0].contexts][0].lower);
    expect(() => grantTable.grantAccess(0, pages[0] / 4096)).to.throw('does not belong to domain');
    expect(() => front.guest.domain.memory.page(pages[0] / 4096)).to.throw('does not belong to domain');
    front.call(CLOSE_CONTEXT, { context: first.context });
    expect(() => map(first)).to.throw('is not in use');
  });

  for (const readonly of [false, true]) {
    it(`that are kept mapped ${readonly ? 'for reading ' : ''}when their context is closed are nobody else’s until they are unmapped`, () => {
      const { uars, grants } = xen.counts();
      const opened = open();
      front.call(ALLOC_PD, { context: opened.context });
      const mapping = front.guest.domain.grantTable.map(0, opened.refs, { readonly });
      front.call(CLOSE_CONTEXT, { context: opened.context });
      expect(front.refusal(ALLOC_PD, { context: opened.context })).to.match(/^EINVAL: there is no context/);
      sweep();
      expect(xen.counts()).to.include({ uars: uars + 1, grants: grants + 1, uarsKept: 1, pds: before['pds'] });
      const kept = mapping.page(0).word;
      for (let n = 0; n < 3; n++) {
        const other = open();
        const again = map(other);
        expect(again.page(0).word).not.to.equal(kept);
        again.unmap();
        front.call(CLOSE_CONTEXT, { context: other.context });
      }
      mapping.unmap();
      sweep();
      expect(xen.counts()).to.include({ uars, grants, uarsKept: 0 });
    });
  }

  it('one that was kept rings for nobody', () => {
    const engine = Engine.of(xen.machine)!;
    const state = new EngineState(engine);
    const { context, userHalf } = front.call(OPEN_CONTEXT, {});
    map({ context, refs: userHalf!.refs });
    front.call(CLOSE_CONTEXT, { context });
    const dropped = state.doorbellsDropped;
    for (const kind of [DoorbellKind.SQ, DoorbellKind.RQ]) {
      for (const { qpNum } of honest.qps) engine.uars.write(userHalf!.words[0], kind, qpNum);
    }
    honest.pulse();
    expect(state.doorbellsDropped - dropped).to.equal(2 * honest.qps.length);
  });

  it('those kept count as contexts, over connections, so that no guest takes those of the others', () => {
    const mappings: Mapping[] = [];
    for (let round = 0; round < 3; round++) {
      for (let n = mappings.length; n < CONTEXTS; n++) mappings.push(map(open()));
      expect(front.refusal(OPEN_CONTEXT, {})).to.match(/^ENOMEM/);
      expect(front.connect()).to.equal(true);
      expect(xen.counts()['uarsKept']).to.equal(CONTEXTS);
      expect(front.refusal(OPEN_CONTEXT, {})).to.equal('ENOMEM: this guest may have 4 contexts, and has 4');
      mappings.pop()!.unmap();
      map(open()).unmap();
      expect(front.refusal(OPEN_CONTEXT, {})).to.match(/^ENOMEM/);
      front.connect();
    }
    const beside = xen.addGuest('bypass');
    new HonestGuest(xen, xen.deviceOf(beside)).pulse();
    xen.destroy(beside);
    for (const mapping of mappings) mapping.unmap();
    sweep();
    expect(xen.counts()['uarsKept']).to.equal(0);
  });

  it('those kept by a guest whose device the toolstack has taken away end with it', () => {
    map(open());
    xen.toolstack.xenstore.rm(`/local/domain/0/backend/vib/${front.guest.domid}`);
    xen.settle();
    expect(xen.counts()['uarsKept']).to.equal(1);
    xen.destroy(front.guest);
    expect(xen.counts()['uarsKept']).to.equal(0);
  });

  it('a grant table that is full refuses the context, and leaves nothing', () => {
    const counts = xen.counts();
    onGrant = () => {
      throw new HypervisorError('ENOSPC', 'the grant table of domain 0 is full');
    };
    expect(front.refusal(OPEN_CONTEXT, {})).to.equal('ENOMEM: the grant table of domain 0 is full');
    expect(xen.counts()).to.deep.equal(counts);
  });

  it('one of several pages is granted whole or not at all', () => {
    const twice = (ops: DirectAccessOps): DirectAccessOps => {
      const { userHalf } = ops;
      return replacing(ops, { userHalf: { ...userHalf, pages: [...userHalf.pages, ...userHalf.pages] } });
    };
    const wrapContext = (ops: ContextOps): ContextOps =>
      replacing(ops, { directAccess: () => twice(ops.directAccess!()) });
    let grants = 0;
    const wrapDom0 = (dom0: Domain): Domain =>
      hookingPart(dom0, 'grantTable', 'grantAccess', () => {
        if (grants++ > 0) throw new HypervisorError('ENOSPC', 'the grant table of domain 0 is full');
      });
    const other = new XenMachine({
      wrapDom0,
      wrapLower: (ops) => replacing(ops, { open: () => wrapContext(ops.open()) }),
    });
    try {
      const guest = new HostileFrontend(other, other.addGuest('bypass'));
      expect(guest.connect()).to.equal(true);
      const counts = other.counts();
      expect(guest.refusal(OPEN_CONTEXT, {})).to.match(/^ENOMEM/);
      expect(grants).to.equal(2);
      expect(other.counts()).to.deep.equal(counts);
    } finally {
      other.close();
    }
  });

  it('a front-end that can’t make its half of the driver gives the UAR back', () => {
    const guest = xen.addGuest('bypass');
    const { grants, uars } = xen.counts();
    const device = xen.deviceOf(guest);
    const { open: openHalf } = xen.userDriver;
    Object.assign(xen.userDriver, {
      open: () => {
        throw new Error('this half does not open');
      },
    });
    try {
      expect(() => device.open()).to.throw('this half does not open');
    } finally {
      Object.assign(xen.userDriver, { open: openHalf });
    }
    expect(xen.counts()).to.include({ grants, uars });
    xen.destroy(guest);
  });

  it('a device domain that ends takes back what a guest has mapped', () => {
    const own = new XenMachine();
    const guest = own.addGuest('bypass');
    const hostile = new HostileFrontend(own, guest);
    hostile.connect();
    const mapping = guest.domain.grantTable.map(0, hostile.call(OPEN_CONTEXT, {}).userHalf!.refs);
    own.dom0.close();
    expect(() => mapping.page(0)).to.throw('has gone');
    expect(own.toolstack.grantTable.inUse).to.equal(0);
    own.close();
  });

  describe('of a guest that dies', () => {
    let opened: Opened;
    let mapping: Mapping;
    const steps: Record<string, (guest: GuestParts) => void> = {
      'was granted': () => {
        opened = open();
      },
      'was mapped': () => {
        mapping = map(opened);
      },
      'was rung': () => {
        const { i32, word } = mapping.page(0);
        i32[word + UarPage.DOORBELL] = honest.qps[0].qpNum;
        i32[word + UarPage.PRODUCER] = 1;
      },
      'was told to be closed, unseen': () => {
        const { context } = opened;
        front.put({ number: CLOSE_CONTEXT.number, words: requestWords(CLOSE_CONTEXT, { context }) });
      },
      'was closed while mapped': () => {
        xen.settle();
        expect(xen.counts()['uarsKept']).to.equal(1);
      },
      'was left by a connection that ended': () => {
        front.setState(XenbusState.CLOSING);
        expect(xen.counts()['uarsKept']).to.equal(1);
      },
      'was unmapped': () => {
        mapping.unmap();
      },
      'was swept': () => {
        sweep();
        expect(xen.counts()['uarsKept']).to.equal(0);
      },
    };
    Object.keys(steps).forEach((what, last) => {
      it(`after its UAR ${what}, all is taken back`, () => {
        for (const step of Object.values(steps).slice(0, last + 1)) step(front.guest);
        xen.destroy(front.guest);
        expect(xen.counts()).to.deep.equal(before);
      });
    });

    it('while its UAR is granted, all is taken back', () => {
      onGrant = () => {
        onGrant = () => undefined;
        xen.hypervisor.destroyDomain(front.guest.domid);
      };
      expect(() => front.call(OPEN_CONTEXT, {})).to.throw();
      xen.settle();
    });
  });
});
