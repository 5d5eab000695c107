/** The emulated provider with another manifest and another behaviour than its own. */
import { provider as emulated } from '@openverbs/provider-emulated';
import type { ConformanceSession } from '@openverbs/conformance';
import type {
  CapabilityManifest,
  ContextOps,
  DeviceFaults,
  DeviceOps,
  ProviderDefinition,
} from '@openverbs/verbs/driver';
import { openVerbs, type OpenVerbs } from 'openverbs';
import { sessionOf } from '../emulated.ts';
import type { Ops } from './behaviours.ts';

const EMULATED = { provider: 'emulated', emulated: { placement: 'inline', devices: 2 } } as const;

/** What is changed. */
export interface Falsification {
  /** What the manifest says. */
  readonly claims: CapabilityManifest['supports'];
  /** Changes a context that was opened. */
  readonly change: (ops: Ops) => void;
  /** Changes what causes faults of devices. */
  readonly changeFaults?: ((faults: DeviceFaults) => DeviceFaults | undefined) | undefined;
  /** Changes what another thread would join with; `other` is the machine of somebody else. */
  readonly changeMachine?: ((machine: unknown, other: () => unknown) => unknown) | undefined;
}

/** The provider. `other` makes a machine of somebody else. */
export function falsified(falsification: Falsification, other: () => unknown = () => undefined): ProviderDefinition {
  const { claims, change, changeFaults = (faults) => faults } = falsification;
  const { changeMachine = (machine) => machine } = falsification;
  const falsify = (device: DeviceOps): DeviceOps => {
    const { name, guid, nodeType, transportType, faults } = device;
    const capabilities: CapabilityManifest = { ...device.capabilities, supports: claims };
    const open = (): ContextOps => {
      const ops = device.open();
      change(ops);
      return ops;
    };
    const changed = changeFaults(faults!);
    const changedDevice = {
      name,
      guid,
      nodeType,
      transportType,
      capabilities,
      open,
      ...(changed && { faults: changed }),
    };
    return Object.defineProperty(changedDevice, 'removed', { get: () => device.removed });
  };
  return {
    ...(emulated as ProviderDefinition),
    open: (environment, config) => {
      const instance = (emulated as ProviderDefinition).open(environment, config);
      return {
        devices: instance.devices.map(falsify),
        machine: changeMachine(instance.machine, other),
        close: () => {
          instance.close();
        },
      };
    },
  };
}

/** Opens it. */
export function openFalsified(falsification: Falsification): ConformanceSession {
  const others: OpenVerbs[] = [];
  const other = (): unknown => {
    const verbs = openVerbs(EMULATED);
    others.push(verbs);
    return verbs.machine;
  };
  const verbs = openVerbs({ ...EMULATED, provider: falsified(falsification, other) });
  return {
    ...sessionOf(verbs),
    close: () => {
      verbs[Symbol.dispose]();
      for (const each of others) each[Symbol.dispose]();
    },
  };
}
