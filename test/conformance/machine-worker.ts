/**
 * A thread that makes a machine with two devices, hands it out, and has traffic on it all the time: whoever joins shares the
 * lock, the tables and the execution of the devices with it.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { openVerbs } from 'openverbs';
import { Traffic } from '../two-threads/traffic.ts';

/** What the thread says first, and at its end. */
export type MachineWorkerMessage =
  { readonly machine: unknown } | { readonly rounds: number; readonly failure: string };

const port = parentPort;
if (port === null) throw new Error('this module is the program of a worker');
const say = (message: MachineWorkerMessage): void => {
  port.postMessage(message);
};
/** Not 0 once it should end. */
const stop = workerData as Int32Array;
/** Between two rounds it gives way, so that two threads and a test runner fit on two processors. */
const PAUSE_MS = 0.2;

const verbs = openVerbs({ provider: 'emulated', emulated: { devices: 2, placement: 'inline' } });
const traffic = new Traffic(verbs, 1);
say({ machine: verbs.machine });
let failure = '';
try {
  while (Atomics.wait(stop, 0, 0, PAUSE_MS) === 'timed-out') traffic.play();
} catch (error) {
  failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
}
say({ rounds: traffic.count, failure });
verbs[Symbol.dispose]();
