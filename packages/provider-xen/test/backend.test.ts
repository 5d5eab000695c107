/** The turns of a back-end that has no guests. */
import { expect } from 'chai';
import { EmulatedHypervisor } from '@openverbs/hypervisor';
import type { Domain } from '@openverbs/hypervisor';
import { Machine } from '@openverbs/machine';
import { Backend } from '../src/backend/backend.ts';
import { backendRoot } from '../src/protocol/handshake.ts';

/** Time between two looks at what is not counted as it happens. */
const SAMPLE_NS = 50e6;

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
    while (backend.run());
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
