/** A thread that starts and terminates the threads of guests, so that the main thread may stay within verbs. Has a guest of its own for their peer. */
import { workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { Xoshiro128 } from '@openverbs/machine';
import { openVerbs } from 'openverbs';
import { Lane } from './lane.ts';

/** What the thread is started with. */
export interface XenKillerData {
  readonly machine: unknown;
  readonly seed: number;
  readonly victims: number;
  /** Not 0 once it has said what went wrong, or nothing. */
  readonly done: Int32Array;
  readonly port: MessagePort;
}

const { machine, seed, victims, done, port } = workerData as XenKillerData;
const failures: string[] = [];
const verbs = openVerbs({ machine, provider: 'xen:bypass' });
const lane = new Lane(verbs.device(), machine, new Xoshiro128(seed), 'xen-victim.js');
try {
  for (let n = 0; n < victims; n++) await lane.sacrifice();
} catch (error) {
  failures.push(String(error));
}
lane.close();
verbs.close();
port.postMessage(failures);
port.close();
Atomics.store(done, 0, 1);
Atomics.notify(done, 0);
