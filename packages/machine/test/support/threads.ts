/** Worker threads of a test, ended after it whatever happens. */
import { Worker } from 'node:worker_threads';
import type { Machine } from '../../src/index.ts';

export type Role = 'hold' | 'linger' | 'count' | 'churn' | 'clock' | 'answer';

const running = new Set<Worker>();

/** Starts a thread, and returns it with its first message. */
export async function startThread(
  machine: Machine,
  role: Role,
  argument = 0,
): Promise<{ worker: Worker; first: unknown }> {
  const workerData = { handle: machine.handle, role, argument };
  const worker = new Worker(new URL('./thread.js', import.meta.url), { workerData });
  running.add(worker);
  const first = await new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  return { worker, first };
}

/** Ends all threads that a test started. */
export async function stopThreads(): Promise<void> {
  await Promise.all([...running].map((worker) => worker.terminate()));
  running.clear();
}
