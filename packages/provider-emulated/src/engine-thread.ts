/** Starts and stops the engine's thread. */
import { Worker } from 'node:worker_threads';
import { end, EngineState, stop } from '@openverbs/hca';
import type { Engine } from '@openverbs/hca';
import { hostClock, waitUntil } from '@openverbs/machine';
import type { EngineWorkerData } from './engine-worker.ts';
import { publishForwarded, traceRequest } from './traces.ts';
import type { ForwardedTrace } from './traces.ts';

/** How long the thread may take to start. */
const START_TIMEOUT_NS = 20e9;

/** The engine's thread. It lets Node exit, and needs nothing of this thread's event loop. */
export class EngineThread {
  readonly #engine: Engine;
  readonly #worker: Worker;

  constructor(engine: Engine) {
    this.#engine = engine;
    const traces = traceRequest();
    const workerData: EngineWorkerData = { machine: engine.machine.handle, traces };
    this.#worker = new Worker(new URL('./engine-worker.js', import.meta.url), {
      workerData,
      name: 'openverbs-engine',
      stdout: false,
      stderr: false,
    });
    if (traces.traced.packets || traces.traced.hca) {
      this.#worker.on('message', (trace: ForwardedTrace) => {
        publishForwarded(traces, trace);
      });
    }
    this.#worker.unref();
    // However it ended: who uses the devices executes them from now on.
    this.#worker.once('exit', () => {
      end(engine);
    });
    this.#worker.once('error', (error) => {
      process.emitWarning(`the engine thread of OpenVerbs has failed: ${String(error)}`);
    });
    const state = new EngineState(engine);
    waitUntil(
      engine.machine,
      () => state.running,
      hostClock.nowNs() + START_TIMEOUT_NS,
      () => 'the engine thread to start',
    );
  }

  /** Asks the thread to end; it does so by itself. */
  close(): void {
    stop(this.#engine);
  }
}
