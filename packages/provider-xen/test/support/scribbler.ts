/** Starts and stops a thread that stores into a guest's pages while others read them. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Machine } from '@openverbs/machine';
import { ScribblerState, ScribblerWord } from './scribbler-states.ts';
import type { ScribblerData, ScribblerTask } from './scribbler-thread.ts';

/** It may have to wait for a processor. */
const WAIT_MS_MAX = 20_000;

export class Scribbler {
  readonly #control = new Int32Array(new SharedArrayBuffer(4 * ScribblerWord.COUNT));
  readonly #worker: Worker;
  readonly #exit: Promise<unknown>;

  constructor(machine: Machine, seed: number) {
    const workerData: ScribblerData = { machine: machine.handle, control: this.#control, seed };
    this.#worker = new Worker(new URL('scribbler-thread.js', import.meta.url), { workerData });
    this.#exit = once(this.#worker, 'exit');
  }

  /** Rounds of stores so far. */
  get rounds(): number {
    return Atomics.load(this.#control, ScribblerWord.ROUNDS);
  }

  /** Scribbles while `during` runs, and not any more when this returns. */
  scribbleDuring(task: ScribblerTask, during: () => void): void {
    const before = this.rounds;
    this.#worker.postMessage(task);
    this.#set(ScribblerState.SCRIBBLING);
    try {
      this.#await(() => this.rounds > before, 'to begin');
      during();
    } finally {
      this.#set(ScribblerState.PAUSING);
      this.#await(() => this.#state === ScribblerState.PAUSED, 'to pause');
    }
  }

  async close(): Promise<void> {
    this.#set(ScribblerState.ENDING);
    await this.#exit;
  }

  get #state(): number {
    return Atomics.load(this.#control, ScribblerWord.STATE);
  }

  #set(state: number): void {
    Atomics.store(this.#control, ScribblerWord.STATE, state);
    Atomics.notify(this.#control, ScribblerWord.STATE);
  }

  /** Without an event loop. */
  #await(condition: () => boolean, what: string): void {
    for (const untilMs = performance.now() + WAIT_MS_MAX; !condition();) {
      if (performance.now() > untilMs) throw new Error(`waited ${WAIT_MS_MAX} ms for the scribbler ${what}`);
      Atomics.wait(this.#control, ScribblerWord.STATE, this.#state, 1);
    }
  }
}
