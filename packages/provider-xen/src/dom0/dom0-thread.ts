/** Starts and stops the device domain's thread. */
import { Worker } from 'node:worker_threads';
import { hostClock, waitUntil, wakeAll } from '@openverbs/machine';
import type { Machine } from '@openverbs/machine';
import { VerbsError } from '@openverbs/verbs';
import type { XenMessage } from '@openverbs/verbs';
import { Dom0State } from './dom0-state.ts';
import type { Dom0WorkerData } from './dom0-worker.ts';
import { publishForwarded, traceRequest } from './traces.ts';

/** How long the thread may take to start, and to end. */
const START_TIMEOUT_NS = 20e9;
const STOP_TIMEOUT_NS = 10e9;

/** The device domain's thread. It lets Node exit. */
export class Dom0Thread {
  readonly #machine: Machine;
  readonly #state = new Int32Array(new SharedArrayBuffer(4));

  constructor(machine: Machine, data: Omit<Dom0WorkerData, 'machine' | 'state' | 'traces'>) {
    this.#machine = machine;
    const traces = traceRequest();
    const workerData: Dom0WorkerData = { ...data, machine: machine.handle, state: this.#state, traces };
    const worker = new Worker(new URL('./dom0-worker.js', import.meta.url), { workerData, name: 'openverbs-dom0' });
    if (traces.wanted) {
      worker.on('message', (message: XenMessage) => {
        publishForwarded(traces, message);
      });
    }
    worker.unref();
    worker.once('error', (error) => {
      process.emitWarning(`the device domain of OpenVerbs has failed: ${String(error)}`);
    });
    this.#await(Dom0State.RUNNING, START_TIMEOUT_NS, 'the device domain to start');
  }

  /** Has it take everything back from its guests and end. */
  close(): void {
    if (Atomics.compareExchange(this.#state, 0, Dom0State.RUNNING, Dom0State.STOPPING) !== Dom0State.RUNNING) return;
    wakeAll(this.#machine);
    this.#await(Dom0State.STOPPED, STOP_TIMEOUT_NS, 'the device domain to end');
  }

  #await(state: number, timeoutNs: number, what: string): void {
    try {
      waitUntil(
        this.#machine,
        () => Atomics.load(this.#state, 0) === state,
        hostClock.nowNs() + timeoutNs,
        () => what,
      );
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new VerbsError({ code: 'ETIMEDOUT', message, hint: 'a warning of Node tells why it failed', cause });
    }
  }
}
