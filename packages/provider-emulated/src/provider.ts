/** The emulated HCA as a provider. */
import { Engine, reap } from '@openverbs/hca';
import { asVerbsError, HcaDevice, TRACE_CHANNELS, traceEngine, userDriver } from '@openverbs/hca/driver';
import { hostClock, Machine } from '@openverbs/machine';
import type { MachineHandle } from '@openverbs/machine';
import { VerbsError } from '@openverbs/verbs';
import { defineProvider, DRIVER_ABI } from '@openverbs/verbs/driver';
import type {
  ProviderClock,
  ProviderDefinition,
  ProviderEnvironment,
  ProviderFinding,
  ProviderInstance,
  ProviderPrng,
} from '@openverbs/verbs/driver';
import { CONFIG_KEYS, parseConfig } from './config.ts';
import type { EmulatedConfig } from './config.ts';
import { faultControl } from './faults.ts';
import { EngineThread } from './engine-thread.ts';

/** First byte of the GUIDs: locally administered, so that they are nobody's (IEEE 802, EUI-64). The number of the machine follows. */
const GUID_HI = 0x02000000;
const GUID_LO_FIRST = 0x4f560000;
/** Between two devices there is room for the GUIDs of their ports. */
const GUIDS_PER_DEVICE = 256;

/** The emulated HCA: a software RNIC on the caller's thread or in a worker. */
export const provider: ProviderDefinition<EmulatedConfig> = defineProvider({
  name: 'emulated',
  driverAbi: DRIVER_ABI,
  parseConfig,
  machineKeys: CONFIG_KEYS,
  userDrivers: [userDriver],
  diagnose,
  open,
});

function open(environment: ProviderEnvironment, config: EmulatedConfig): ProviderInstance {
  return asVerbsError(() => {
    const clock = environment.clock ?? hostClock;
    const joins = environment.machine !== undefined;
    if (!joins && config.placement === 'thread' && clock !== hostClock) {
      throw new VerbsError({
        code: 'EINVAL',
        message: 'a clock was handed in, but the thread that executes the devices cannot read it',
        hint: "leave the clock out, or set emulated.placement to 'inline'",
      });
    }
    const machine = joins
      ? Machine.attach(environment.machine as MachineHandle)
      : Machine.create({ memoryBytes: config.memoryBytes, name: 'emulated' });
    try {
      return openOn(machine, environment, clock, config);
    } catch (error) {
      machine.detach();
      throw error;
    }
  });
}

function openOn(
  machine: Machine,
  environment: ProviderEnvironment,
  clock: ProviderClock,
  config: EmulatedConfig,
): ProviderInstance {
  const joins = environment.machine !== undefined;
  // A fault injector or a tracer on the link has to see packets.
  const { packets = config.faults !== undefined || TRACE_CHANNELS.traced.packets } = config;
  const engine = new Engine(machine, config.placement, clock, packets);
  traceEngine(engine);
  if (joins) reap(engine);
  else createHcas(engine, config, machineNumber(machine, environment.prng));
  const names = engine.hcas.map(({ name }) => name);
  const faults = engine.faults === null ? undefined : faultControl(engine, engine.faults, names);
  if (!joins && config.faults !== undefined) faults?.set(config.faults);
  const thread = !joins && engine.placement === 'thread' ? new EngineThread(engine) : undefined;
  const devices = engine.hcas.map((hca) => new HcaDevice(engine, hca, clock)).filter(({ removed }) => !removed);
  return {
    devices,
    machine: machine.handle,
    faults,
    close() {
      try {
        for (const device of devices) device.closeAll();
      } finally {
        thread?.close();
        machine.detach();
      }
    },
  };
}

function createHcas(engine: Engine, config: EmulatedConfig, machineNumber: number): void {
  config.devices.forEach(({ name, ports, gids, pkeys, guid }, index) => {
    const bytes = gids.map(({ port, gid }) => ({ port, gid: gid.bytes }));
    const guidHi = guid === undefined ? GUID_HI | machineNumber : Number(guid >> 32n);
    const guidLo = guid === undefined ? GUID_LO_FIRST + index * GUIDS_PER_DEVICE : Number(guid & 0xffffffffn);
    engine.createHca({ name, ports, gids: bytes, pkeys, guidHi, guidLo });
  });
}

/**
 * 24 bits that differ from machine to machine, for the GUIDs: the GIDs made of these must lead to nobody else, in this process or
 * another. Of random numbers that were handed in, so that a run can be replayed with the same addresses.
 */
function machineNumber(machine: Machine, prng: ProviderPrng | undefined): number {
  const word = prng === undefined ? Number(machine.id & 0xffffffffn) : prng.nextUint32();
  return word >>> 8;
}

function diagnose(): readonly ProviderFinding[] {
  try {
    Machine.create().detach();
    return [{ check: 'machine memory', ok: true, found: '4 GiB of shared address space can be reserved', cure: '' }];
  } catch (error) {
    return [
      {
        check: 'machine memory',
        ok: false,
        found: error instanceof Error ? error.message : String(error),
        cure: 'raise the limit of address space (ulimit -v), or set emulated.memoryBytes to less',
      },
    ];
  }
}
