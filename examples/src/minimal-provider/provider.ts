/** A provider in plain TypeScript: a loopback device that connects the queue pairs of one thread. */
import { NodeType, TransportType, VerbsError } from '@openverbs/verbs';
import { defineProvider, DRIVER_ABI, type DeviceOps, type ProviderClock } from '@openverbs/verbs/driver';
import { Adapter } from './adapter.ts';
import { LoopbackContext } from './context.ts';
import { capabilities, GUID } from './device-attributes.ts';

export interface LoopbackConfig {
  /** How the device is called. */
  readonly name: string;
}

export const provider = defineProvider<LoopbackConfig>({
  name: 'loopback',
  driverAbi: DRIVER_ABI,
  parseConfig,
  open: ({ clock = hostClock }, { name }) => {
    const device = newDevice(name, new Adapter(clock));
    return { devices: [device], machine: undefined, close() {} };
  },
});

function parseConfig(value: unknown): LoopbackConfig {
  const { name = 'loopback0', ...rest } = (value ?? {}) as Partial<Record<string, unknown>>;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) {
    throw new VerbsError({ code: 'EINVAL', message: `loopback has no key '${unknown}'`, hint: 'its key is name' });
  }
  if (typeof name === 'string' && name !== '') return { name };
  throw new VerbsError({ code: 'EINVAL', message: `loopback.name is ${String(name)}`, hint: 'it must be a string' });
}

function newDevice(name: string, adapter: Adapter): DeviceOps {
  return {
    name,
    guid: GUID,
    nodeType: NodeType.CA,
    transportType: TransportType.IB,
    capabilities,
    open: () => new LoopbackContext(adapter),
  };
}

const hostClock: ProviderClock = {
  nowNs: () => performance.now() * 1e6,
  setTimer: (deadlineNs, callback) => {
    const timer = setTimeout(callback, Math.max(0, Math.ceil(deadlineNs / 1e6 - performance.now())));
    return () => {
      clearTimeout(timer);
    };
  },
};
