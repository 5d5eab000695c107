/**
 * A thread with a guest of its own, which joins the device domain of another thread, and is busy until it is terminated, wherever it is
 * then: with posts, polls and commands, or, one in three, with connecting and going again and again.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { EventDispatcher } from '@openverbs/event-dispatcher';
import { provider as emulated } from '@openverbs/provider-emulated';
import { provider as xen } from '@openverbs/provider-xen';
import { Device } from '@openverbs/verbs';
import type { ProviderInstance } from '@openverbs/verbs/driver';
import { Chaos } from './chaos.ts';
import type { VictimReport, VictimTask } from './victim-protocol.ts';

const GUEST_MEMORY_BYTES = 32 * 2 ** 20;

const port = parentPort;
if (port === null) throw new Error('this module is the program of a worker');
const { machine, seed, partner } = workerData as VictimTask;
const report = (message: VictimReport): void => {
  port.postMessage(message);
};
const lower = { definition: emulated, config: emulated.parseConfig({}), modulePath: '' };
const dispatcher = new EventDispatcher();

function open(): ProviderInstance {
  const mode = seed % 2 === 0 ? 'basic' : 'bypass';
  const environment = { machine, clock: undefined, prng: undefined, lower: () => lower };
  return xen.open(environment, xen.parseConfig({ mode, guests: [{ memoryBytes: GUEST_MEMORY_BYTES }] }));
}

function devicesOf({ devices }: ProviderInstance): Device[] {
  return devices.map((ops) => new Device(ops, xen.name, dispatcher));
}

/** One guest after the other, each with a few objects. */
function comeAndGo(): never {
  report({ running: null });
  for (;;) {
    const instance = open();
    const [device] = devicesOf(instance);
    const context = device.open();
    context.allocPd().regMr(context.allocBuf(3 * 4096), 1);
    context.createCq({ cqe: 8 });
    context[Symbol.dispose]();
    instance.close();
  }
}

function work(): never {
  const chaos = new Chaos(devicesOf(open()), seed, partner);
  report({ running: chaos.endpoint });
  for (;;) chaos.step();
}

try {
  if (seed % 3 === 0) comeAndGo();
  else work();
} catch (error) {
  report({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}
