/** Worker threads of a test, ended after it whatever happens. */
import { Worker } from 'node:worker_threads';
import type { EmulatedHypervisor } from '../../src/index.ts';

export type Role = 'front-end' | 'back-end' | 'storm' | 'idle' | 'toolstack';

/** Words of a report. */
export const Report = { DONE: 0, ROUNDS: 1, FAILED: 2 } as const;
/** Words of the entries of the tests' rings. */
export const ENTRY_WORDS = 8;
const OWNER_TEST = 0x7000;

const running = new Set<Worker>();

/** A thread and where it reports. */
export interface Thread {
  readonly worker: Worker;
  /** Word index in the machine's memory. */
  readonly report: number;
  /** What went wrong in it, if anything. */
  readonly errors: unknown[];
}

/** Starts a thread. */
export function startThread(hypervisor: EmulatedHypervisor, role: Role, domid: number, rounds = 0): Thread {
  const report = hypervisor.machine.pages.alloc(4096, 4096, OWNER_TEST) / 4;
  const workerData = { handle: hypervisor.handle, role, domid, report, rounds };
  const worker = new Worker(new URL('./thread.js', import.meta.url), { workerData });
  const errors: unknown[] = [];
  worker.on('error', (error) => errors.push(error));
  running.add(worker);
  return { worker, report, errors };
}

/** Ends all threads that a test started. */
export async function stopThreads(): Promise<void> {
  await Promise.all([...running].map((worker) => worker.terminate()));
  running.clear();
}
