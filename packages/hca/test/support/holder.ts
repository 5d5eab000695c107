/** A thread that takes the lock and never gives it back. */
import { parentPort, workerData } from 'node:worker_threads';
import { Machine } from '@openverbs/machine';
import type { MachineHandle } from '@openverbs/machine';

Machine.attach(workerData as MachineHandle).lock.acquire();
parentPort?.postMessage('held');
for (;;);
