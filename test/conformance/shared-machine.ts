/**
 * Placement `inline` on a machine that another thread made and has traffic on: the suite's queues are executed by whichever
 * thread has the lock, and so are the other one's.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { ConformanceSession, ConformanceSubject } from '@openverbs/conformance';
import { openVerbs } from 'openverbs';
import { capabilities, deviations, sessionOf } from './emulated.ts';
import type { MachineWorkerMessage } from './machine-worker.ts';

async function openBusy(): Promise<ConformanceSession> {
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL('machine-worker.js', import.meta.url), { workerData: stop });
  const [first] = (await once(worker, 'message')) as [MachineWorkerMessage];
  if (!('machine' in first)) throw new Error(first.failure);
  const { machine } = first;
  const session = sessionOf(openVerbs({ machine }));
  return {
    ...session,
    close: async () => {
      const last = once(worker, 'message') as Promise<[MachineWorkerMessage]>;
      const exit = once(worker, 'exit');
      Atomics.store(stop, 0, 1);
      Atomics.notify(stop, 0);
      const [end] = await last;
      await exit;
      await session.close();
      if (!('rounds' in end) || end.failure !== '') throw new Error(`the other thread: ${JSON.stringify(end)}`);
      if (end.rounds < 100) throw new Error(`the other thread had ${end.rounds} rounds of traffic only`);
    },
  };
}

/** The subject. */
export function onSharedMachine(): ConformanceSubject {
  let opened = 0;
  return {
    name: 'the emulated provider, inline, two threads',
    // Devices that a test takes to their end are of no thread that has traffic on them.
    open: () => (opened++ === 0 ? openBusy() : sessionOf(openVerbs({ emulated: { devices: 2, placement: 'inline' } }))),
    capabilities,
    deviations,
  };
}
