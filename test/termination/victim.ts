/**
 * A thread that joins a machine and is busy with it until it is terminated, wherever it is then.
 *
 * It loads the provider and no more: a thousand of these are started, and most of their life would be the loading of modules.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { EventDispatcher } from '@openverbs/event-dispatcher';
import { provider } from '@openverbs/provider-emulated';
import { Device } from '@openverbs/verbs';
import { Chaos } from './chaos.ts';
import type { VictimReport, VictimTask } from './victim-protocol.ts';

const port = parentPort;
if (port === null) throw new Error('this module is the program of a worker');
const { machine, seed, partner } = workerData as VictimTask;
const report = (message: VictimReport): void => {
  port.postMessage(message);
};

try {
  const dispatcher = new EventDispatcher();
  const environment = { machine, clock: undefined, prng: undefined };
  const { devices } = provider.open(environment, provider.parseConfig({}));
  const chaos = new Chaos(
    devices.map((ops) => new Device(ops, provider.name, dispatcher)),
    seed,
    partner,
  );
  report({ running: chaos.endpoint });
  for (;;) chaos.step();
} catch (error) {
  report({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}
