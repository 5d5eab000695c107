/** The faults of the link, as configurations and tests name them: checked, and devices turned into their numbers. */
import type { Engine } from '@openverbs/hca';
import type { FaultInjector } from '@openverbs/netdev';
import { DELAY_US_MAX } from '@openverbs/netdev';
import { badConfig, checkRecord } from '@openverbs/verbs/driver';
import type { FaultControl, Faults } from '@openverbs/verbs/driver';

const PROBABILITIES = ['drop', 'duplicate', 'reorder', 'corrupt'] as const;
const KEYS = ['seed', ...PROBABILITIES, 'delay', 'partition'] as const;

/** Checks faults; `devices` are the names of the devices that there are. */
export function parseFaults(where: string, value: unknown, devices: readonly string[]): Partial<Faults> {
  const faults = checkRecord(where, value, KEYS);
  for (const name of PROBABILITIES) range(`${where}.${name}`, faults[name], 1);
  range(`${where}.delay`, faults['delay'], DELAY_US_MAX);
  const { seed, partition } = faults;
  if (seed !== undefined && !Number.isSafeInteger(seed)) throw badConfig(`${where}.seed`, seed, 'a safe integer');
  if (partition !== undefined) checkPartition(`${where}.partition`, partition, devices);
  return Object.fromEntries(Object.entries(faults).filter(([, each]) => each !== undefined));
}

/** What a provider instance gives out. */
export function faultControl(engine: Engine, injector: FaultInjector, devices: readonly string[]): FaultControl {
  return {
    get faults() {
      const { partition, ...faults } = injector.faults;
      return { ...faults, partition: partition.map((group) => group.map((index) => devices[index])) };
    },
    get counters() {
      return injector.counters;
    },
    set(value) {
      const { partition, ...faults } = parseFaults('faults', value, devices);
      const groups = partition?.map((group) => group.map((name) => devices.indexOf(name)));
      engine.command(() => {
        injector.set(groups === undefined ? faults : { ...faults, partition: groups });
      });
    },
  };
}

function range(where: string, value: unknown, max: number): void {
  if (value === undefined || (typeof value === 'number' && value >= 0 && value <= max)) return;
  throw badConfig(where, value, `a number from 0 to ${max}`);
}

function checkPartition(where: string, value: unknown, devices: readonly string[]): void {
  const right = `a list of lists of device names, each name once; the devices are ${devices.join(', ')}`;
  if (!Array.isArray(value) || !value.every((group) => Array.isArray(group))) throw badConfig(where, value, right);
  const names = value.flat() as unknown[];
  const wrong = names.find((name, index) => !devices.includes(name as string) || names.indexOf(name) !== index);
  if (wrong !== undefined) throw badConfig(where, wrong, right);
}
