/**
 * What all parts of a domain's handle have in common: which domain it is, whether it lives, and how to wait.
 */
import { MachineTimeoutError, waitUntil } from '@openverbs/machine';
import { HypervisorError } from '../errors.ts';
import type { WaitOptions } from '../event-channels.ts';
import { AsyncWait } from './async-wait.ts';
import type { WordListeners } from './async-wait.ts';
import { DomainRecord, DomainState } from './layout.ts';
import type { Slot, Tables } from './tables.ts';

/** What a handle of a domain needs of its thread. */
export interface ThreadServices {
  readonly listeners: WordListeners;
  /** Looks, not too often, whether threads have ended. */
  tend(): void;
}

export class DomainAccess {
  readonly tables: Tables;
  readonly domid: number;
  readonly slot: Slot;
  readonly #services: ThreadServices;
  #closed = false;

  constructor(tables: Tables, slot: Slot, services: ThreadServices) {
    this.tables = tables;
    this.slot = slot;
    this.domid = tables.domidOf(slot);
    this.#services = services;
  }

  /** Whether the domain lives and the handle is open. */
  get alive(): boolean {
    const { i32 } = this.tables;
    const { record } = this.slot;
    const running = Atomics.load(i32, record + DomainRecord.STATE) === DomainState.RUNNING;
    return running && i32[record + DomainRecord.DOMID] === this.domid && !this.#closed;
  }

  /** @throws HypervisorError `ESRCH` when the domain is gone or the handle is closed */
  check(): void {
    if (this.alive) return;
    const what = this.#closed ? 'this handle of it was closed' : 'it was destroyed';
    throw new HypervisorError('ESRCH', `domain ${this.domid} cannot be used: ${what}`);
  }

  /** All calls are refused from here on. */
  close(): void {
    this.#closed = true;
  }

  /** Runs a step with the lock held, if the domain lives. */
  locked<T>(step: () => T): T {
    return this.tables.locked(() => {
      this.check();
      return step();
    });
  }

  /** Waits until there is something to take; undefined is nothing. */
  wait<T>(take: () => T | undefined, deadlineNs: number, describe: () => string, parkMsMax?: number): T {
    let taken: T | undefined;
    const look = (): boolean => {
      this.check();
      taken = take();
      if (taken === undefined) this.#services.tend();
      return taken !== undefined;
    };
    try {
      waitUntil(this.tables.machine, look, deadlineNs, describe, parkMsMax);
    } catch (error) {
      if (!(error instanceof MachineTimeoutError)) throw error;
      throw new HypervisorError('ETIMEDOUT', error.message, error.hint);
    }
    return taken as T;
  }

  /** The same without blocking the thread. */
  waitAsync<T>(take: () => T | undefined, word: number, options: WaitOptions): Promise<T> {
    const look = (): T | undefined => {
      // Whatever is taken so far checks by itself, too; what does not would wait for ever.
      this.check();
      const taken = take();
      if (taken === undefined) this.#services.tend();
      return taken;
    };
    return new AsyncWait(this.#services.listeners, this.tables.i32, word, look, options).promise;
  }
}
