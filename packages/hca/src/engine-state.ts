/** What an engine counts, for tools and tests. */
import type { Engine } from './engine.ts';
import { EngineHeader } from './layout.ts';

export class EngineState {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Whether the engine thread serves; false in `inline` placement. */
  get running(): boolean {
    return this.#read(EngineHeader.RUNNING) !== 0;
  }

  /** Doorbells that named an object of another UAR, or none. */
  get doorbellsDropped(): number {
    return this.#read(EngineHeader.DOORBELLS_DROPPED) >>> 0;
  }

  /** How often the engine thread had to be woken. */
  get deviceWakes(): number {
    return this.#read(EngineHeader.DEVICE_WAKES) >>> 0;
  }

  /** How often the lock was taken over from a thread that had died. */
  get recoveries(): number {
    return this.#read(EngineHeader.RECOVERIES) >>> 0;
  }

  /** Threads whose objects were reclaimed after they had died. */
  get threadsReaped(): number {
    return this.#read(EngineHeader.THREADS_REAPED) >>> 0;
  }

  #read(word: number): number {
    return Atomics.load(this.#engine.machine.i32, this.#engine.header + word);
  }
}
