/** The device domain's own thread, as the provider has it. */
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { EmulatedHypervisor } from '@openverbs/hypervisor';
import { hostClock, Machine } from '@openverbs/machine';
import type { MachineHandle } from '@openverbs/machine';
import { provider } from '@openverbs/provider-emulated';
import { VerbsError } from '@openverbs/verbs';
import { Dom0Thread } from '../src/dom0/dom0-thread.ts';

const modulePath = fileURLToPath(import.meta.resolve('@openverbs/provider-emulated'));

describe('the thread of a device domain', () => {
  const config = provider.parseConfig({});
  let lower: ReturnType<typeof provider.open>;
  let machine: Machine;
  let hypervisor: EmulatedHypervisor;

  beforeEach(() => {
    lower = provider.open({ machine: undefined, clock: undefined, prng: undefined }, config);
    machine = Machine.attach(lower.machine as MachineHandle);
    hypervisor = EmulatedHypervisor.create(machine);
  });
  afterEach(() => {
    hypervisor.close();
    machine.detach();
    lower.close();
  });

  it('that was told to end is not told again', () => {
    const thread = new Dom0Thread(machine, { modulePath, config, quotas: {}, bandwidthBytesPerS: 0 });
    thread.close();
    // Nobody is there any more who would answer: it would wait for that.
    expect(() => {
      thread.close();
    }).not.to.throw();
  });

  it('that fails to start is not waited for without end, and a warning tells why', async () => {
    const emitWarning = process.emitWarning.bind(process);
    const warned = new Promise<string>((resolve) => {
      process.emitWarning = (warning: string | Error) => {
        resolve(String(warning));
      };
    });
    const missing = `${modulePath}.missing`;
    // The clock of this thread alone: each look at it takes a second.
    let nowNs = hostClock.nowNs();
    Object.defineProperty(hostClock, 'nowNs', { configurable: true, value: () => (nowNs += 1e9) });
    try {
      const start = (): unknown =>
        new Dom0Thread(machine, { modulePath: missing, config, quotas: {}, bandwidthBytesPerS: 0 });
      expect(start)
        .to.throw(VerbsError, 'timed out waiting for the device domain to start')
        .with.property('hint', 'a warning of Node tells why it failed');
    } finally {
      delete (hostClock as { nowNs?: unknown }).nowNs;
    }
    try {
      expect(await warned)
        .to.include('the device domain of OpenVerbs has failed')
        .and.include(missing);
    } finally {
      process.emitWarning = emitWarning;
    }
  });
});
