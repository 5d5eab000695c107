/** Guests over one emulated HCA, with their device domain on this thread, or on one of its own where the settings say so. */
import { fileURLToPath } from 'node:url';
import { EventDispatcher } from '@openverbs/event-dispatcher';
import { DOM0, EmulatedHypervisor } from '@openverbs/hypervisor';
import type { Domain, HypervisorHandle } from '@openverbs/hypervisor';
import { hostClock } from '@openverbs/machine';
import type { Clock, Machine, MachineHandle } from '@openverbs/machine';
import { provider as emulated } from '@openverbs/provider-emulated';
import { Device } from '@openverbs/verbs';
import { provider as xen } from '../../src/index.ts';
import type { XenSettings } from '../../src/index.ts';

/** What is open. */
export interface OpenedXen {
  /** A device of each guest. */
  readonly devices: readonly Device[];
  /** A handle of dom0, for the toolstack. */
  readonly dom0: Domain;
  /** What all of it lies in. */
  readonly machine: Machine;
  /** Numbers of the guests' domains. */
  readonly domids: readonly number[];
  [Symbol.dispose](): void;
}

export function openXen(settings: XenSettings, clock: Clock = hostClock): OpenedXen {
  const lower = {
    definition: emulated,
    config: emulated.parseConfig({ placement: 'inline' }),
    modulePath: fileURLToPath(import.meta.resolve('@openverbs/provider-emulated')),
  };
  const environment = { machine: undefined, clock, prng: undefined, lower: () => lower };
  const instance = xen.open(environment, xen.parseConfig(settings));
  const machine = instance.machine as MachineHandle;
  const handle: HypervisorHandle = { kind: 'openverbs-hypervisor', machine };
  const hypervisor = EmulatedHypervisor.join(handle);
  const dom0 = hypervisor.domain(DOM0);
  const dispatcher = new EventDispatcher();
  return {
    devices: instance.devices.map((ops) => new Device(ops, 'xen', dispatcher)),
    dom0,
    machine: hypervisor.machine,
    domids: hypervisor.domains().flatMap(({ domid }) => (domid === DOM0 ? [] : [domid])),
    [Symbol.dispose]: () => {
      dom0.close();
      hypervisor.machine.detach();
      instance.close();
    },
  };
}
