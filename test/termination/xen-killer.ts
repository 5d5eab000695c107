/**
 * A thread that starts and terminates the threads of guests, so that the main thread may stay within verbs. Has an honest guest of its own, which is
 * their peer and sees every byte of its traffic right.
 */
import { workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { Xoshiro128 } from '@openverbs/machine';
import { openVerbs } from 'openverbs';
import { letGo, type HeldBack } from '../conformance/held-back.ts';
import { Traffic } from '../two-threads/traffic.ts';
import { Lane, sacrificeAll } from './lane.ts';

/** What the thread is started with. */
export interface XenKillerData {
  readonly machine: unknown;
  readonly seed: number;
  readonly victims: number;
  /** Not 0 once it has said what went wrong, or nothing. */
  readonly done: Int32Array;
  /** What the main thread waits for to be let go, within a verb. */
  readonly heldBack: HeldBack | undefined;
  readonly port: MessagePort;
}

const { machine, seed, victims, done, heldBack, port } = workerData as XenKillerData;
const failures: string[] = [];
const verbs = openVerbs({ machine, provider: 'xen:bypass' });
const traffic = new Traffic(verbs, seed);
const lane = new Lane(verbs.device(), machine, new Xoshiro128(seed), 'xen-victim.js');
try {
  await sacrificeAll([lane], victims, seed, () => {
    traffic.play();
  });
} catch (error) {
  failures.push(String(error));
}
lane.close();
traffic.close();
verbs.close();
port.postMessage(failures);
port.close();
Atomics.store(done, 0, 1);
Atomics.notify(done, 0);
if (heldBack !== undefined) letGo(heldBack);
