/** The turns of a back-end: what it says of them, and what it does when it is time. */
import { expect } from 'chai';
import { EmulatedHypervisor, SharedRing } from '@openverbs/hypervisor';
import type { Domain } from '@openverbs/hypervisor';
import { Machine } from '@openverbs/machine';
import { Backend } from '../src/backend/backend.ts';
import { Commands } from '../src/protocol/commands.ts';
import { backendRoot } from '../src/protocol/handshake.ts';
import { HostileFrontend } from './support/hostile-frontend.ts';
import { XenMachine } from './support/xen-machine.ts';

/** Time between two looks at what is not counted as it happens. */
const SAMPLE_NS = 50e6;
/** Turns after which a back-end that always finds something to do goes on for ever. */
const TURNS_MAX = 100;

describe('a turn of the back-end', () => {
  let machine: Machine;
  let dom0: Domain;
  let backend: Backend;
  let nowNs: number;

  beforeEach(() => {
    machine = Machine.create();
    dom0 = EmulatedHypervisor.create(machine).domain(0);
    nowNs = 0;
    const clock = { nowNs: () => nowNs, setTimer: () => () => undefined };
    backend = new Backend({ dom0, devices: [], clock, quotas: {}, bandwidthBytesPerS: 0 });
    for (let turns = 0; backend.run(); turns++) expect(turns, 'turns').to.be.below(TURNS_MAX);
  });
  afterEach(() => {
    backend.close();
    machine.detach();
  });

  it('in which it has looked at a change in xenstore had something to do', () => {
    dom0.xenstore.write(`${backendRoot(0)}/7/0/state`, '1');
    expect(backend.run()).to.equal(true);
    expect(backend.run()).to.equal(false);
  });

  it('brings up to date what is not counted as it happens, when it is time', () => {
    const samples: number[] = [];
    backend.sample = (atNs) => {
      samples.push(atNs!);
      Backend.prototype.sample.call(backend, atNs);
    };
    for (nowNs of [1, SAMPLE_NS - 1, SAMPLE_NS, SAMPLE_NS + 1, 2 * SAMPLE_NS - 1, 2 * SAMPLE_NS]) backend.run();
    expect(samples).to.deep.equal([SAMPLE_NS, 2 * SAMPLE_NS]);
  });
});

describe('a turn of the back-end in which it serves', () => {
  const REQUEST = { number: Commands.OPEN_CONTEXT.number, words: [] };
  let xen: XenMachine;
  let fronts: readonly HostileFrontend[];

  beforeEach(() => {
    xen = new XenMachine();
    fronts = [1, 2].map(() => new HostileFrontend(xen, xen.addGuest('basic')));
    for (const front of fronts) expect(front.connect()).to.equal(true);
  });
  afterEach(() => {
    xen.close();
  });

  it('one guest had something to do, whichever it is of several', () => {
    const { backend } = xen.dom0;
    for (const front of fronts) {
      front.put(REQUEST);
      expect(backend.run()).to.equal(true);
      expect(backend.run()).to.equal(false);
    }
  });

  it('all that a guest has asked for ends with a request to be told of more', () => {
    for (const front of fronts) {
      for (const requests of [1, 2]) {
        front.send(REQUEST);
        const { i32, word } = front.page(0);
        expect(i32[word + SharedRing.REQ_EVENT]).to.equal(requests + 1);
      }
    }
  });
});
