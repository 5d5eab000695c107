/** A provider whose devices do nothing, and which tells what was asked of it. */
import type { DeviceAttr, PortAttr } from '@openverbs/verbs';
import { defineProvider, DRIVER_ABI } from '@openverbs/verbs/driver';
import type { ContextOps, EventSource, ProviderDefinition, ProviderEnvironment } from '@openverbs/verbs/driver';

/** What a fake provider was asked. */
export interface FakeProvider {
  readonly definition: ProviderDefinition;
  readonly environments: ProviderEnvironment[];
  readonly configs: unknown[];
  /** `open`, `open context`, `close context`, `close`, each with the provider's name. */
  readonly log: string[];
}

/** What a fake provider does. */
export interface FakeProviderOptions {
  readonly devices?: readonly string[];
  readonly machine?: unknown;
  readonly openFails?: Error;
  readonly closeFails?: Error;
  /** Shared by several providers to see their order. */
  readonly log?: string[];
}

/** Makes one. */
export function fakeProvider(name: string, options: FakeProviderOptions = {}): FakeProvider {
  const { devices = [`${name}0`], machine, openFails, closeFails, log = [] } = options;
  const environments: ProviderEnvironment[] = [];
  const configs: unknown[] = [];
  const definition = defineProvider<unknown>({
    name,
    driverAbi: DRIVER_ABI,
    parseConfig: (value) => value,
    open(environment, config) {
      if (openFails !== undefined) throw openFails;
      environments.push(environment);
      configs.push(config);
      log.push(`open ${name}`);
      return {
        machine,
        devices: devices.map((device, index) => ({
          name: device,
          guid: BigInt(index + 1),
          nodeType: 1,
          transportType: 0,
          capabilities: { version: 1, supports: { completionEvents: true, asyncEvents: true } },
          open: () => fakeContext(device, log),
        })),
        close() {
          log.push(`close ${name}`);
          if (closeFails !== undefined) throw closeFails;
        },
      };
    },
  });
  return { definition, environments, configs, log };
}

function fakeContext(device: string, log: string[]): ContextOps {
  let pds = 0;
  log.push(`open context of ${device}`);
  return {
    events: silentEvents,
    close: () => void log.push(`close context of ${device}`),
    queryDevice: () => ({ physPortCnt: 1, fwVer: 'fake' }) as DeviceAttr,
    queryPort: () => ({}) as PortAttr,
    allocPd: () => ++pds,
    deallocPd: (pd) => void log.push(`dealloc PD ${pd} of ${device}`),
  };
}

const silentEvents: EventSource = {
  next: () => false,
  setInterruptHandler() {},
  hold() {},
  release() {},
};
