/** The device domain's own thread, as the provider has it. */
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { EmulatedHypervisor } from '@openverbs/hypervisor';
import { Machine } from '@openverbs/machine';
import type { MachineHandle } from '@openverbs/machine';
import { provider } from '@openverbs/provider-emulated';
import { Dom0Thread } from '../src/dom0/dom0-thread.ts';

const modulePath = fileURLToPath(import.meta.resolve('@openverbs/provider-emulated'));

describe('the thread of a device domain', () => {
  it('that was told to end is not told again', () => {
    const config = provider.parseConfig({});
    const lower = provider.open({ machine: undefined, clock: undefined, prng: undefined }, config);
    const machine = Machine.attach(lower.machine as MachineHandle);
    const hypervisor = EmulatedHypervisor.create(machine);
    const thread = new Dom0Thread(machine, { modulePath, config, quotas: {}, bandwidthBytesPerS: 0 });
    thread.close();
    // Nobody is there any more who would answer: it would wait for that.
    expect(() => {
      thread.close();
    }).not.to.throw();
    hypervisor.close();
    machine.detach();
    lower.close();
  });
});
