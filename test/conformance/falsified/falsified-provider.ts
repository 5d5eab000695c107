/** The emulated provider with another manifest and another behaviour than its own. */
import { provider as emulated } from '@openverbs/provider-emulated';
import type { CapabilityManifest, ContextOps, DeviceOps, ProviderDefinition } from '@openverbs/verbs/driver';
import { openVerbs, type OpenVerbs } from 'openverbs';
import type { Ops } from './behaviours.ts';

/** What is changed. */
export interface Falsification {
  /** What the manifest says. */
  readonly claims: CapabilityManifest['supports'];
  /** Changes a context that was opened. */
  readonly change: (ops: Ops) => void;
  /** What is not there, beside. */
  readonly hides: 'machine' | 'faults' | undefined;
}

/** Opens it. */
export function openFalsified({ claims, change, hides }: Falsification): OpenVerbs {
  const falsify = (device: DeviceOps): DeviceOps => {
    const { name, guid, nodeType, transportType, faults } = device;
    const capabilities: CapabilityManifest = { ...device.capabilities, supports: claims };
    const open = (): ContextOps => {
      const ops = device.open();
      change(ops);
      return ops;
    };
    const hasFaults = faults !== undefined && hides !== 'faults';
    return { name, guid, nodeType, transportType, capabilities, open, ...(hasFaults && { faults }) };
  };
  const provider: ProviderDefinition = {
    ...(emulated as ProviderDefinition),
    open: (environment, config) => {
      const instance = (emulated as ProviderDefinition).open(environment, config);
      return {
        devices: instance.devices.map(falsify),
        machine: hides === 'machine' ? undefined : instance.machine,
        close: () => {
          instance.close();
        },
      };
    },
  };
  return openVerbs({ provider, emulated: { placement: 'inline', devices: 2 } });
}
