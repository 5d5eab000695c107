/** What `cache.regMr` returns. */
import { type MemoryRegion, Sge, VerbsError } from '@openverbs/verbs';

import type { Entry } from './entry.ts';
import type { RegistrationTable } from './registration-table.ts';

/**
 * Memory that is registered, perhaps by a region that holds more than it. Give it back by {@link CachedRegistration.release}, or by
 * `using`; the region stays registered for whoever asks next.
 */
export class CachedRegistration {
  /** The region, which contains the memory and is shared. Leave it to the cache to deregister it. */
  readonly mr: MemoryRegion;
  /** Verbs address of the first byte that was asked for. */
  readonly addr: number;
  /** Bytes that were asked for. */
  readonly length: number;
  readonly #table: RegistrationTable;
  readonly #entry: Entry;
  #released = false;

  /** @internal */
  constructor(table: RegistrationTable, entry: Entry, mr: MemoryRegion, addr: number, length: number) {
    this.#table = table;
    this.#entry = entry;
    this.mr = mr;
    this.addr = addr;
    this.length = length;
  }

  /** The key for SGEs. */
  get lkey(): number {
    return this.mr.lkey;
  }

  /** The key for peers. */
  get rkey(): number {
    return this.mr.rkey;
  }

  /** Whether it was given back. */
  get released(): boolean {
    return this.#released;
  }

  /** An SGE for `length` bytes from `offset`, the rest when it is left out. Throws EINVAL beyond the memory that was asked for. */
  sge(offset = 0, length = this.length - offset): Sge {
    const inside = Number.isInteger(offset) && Number.isInteger(length) && offset >= 0 && length >= 0;
    if (inside && offset + length <= this.length) return new Sge(this.addr + offset, length, this.lkey);
    const message = `offset ${offset} and length ${length} are not within the ${this.length} bytes that are registered`;
    throw new VerbsError({ code: 'EINVAL', message, details: { offset, length, max: this.length } });
  }

  /** Gives it back. Throws EINVAL the second time, as `mr.dereg()` does. */
  release(): void {
    if (this.#released) {
      const message = `the registration of ${this.mr.label} is already released`;
      throw new VerbsError({ code: 'EINVAL', verb: 'ibv_dereg_mr', message, hint: 'already released' });
    }
    this.#table.release(this.#entry);
    this.#released = true;
  }

  /** Gives it back; does nothing the second time, and never throws. */
  [Symbol.dispose](): void {
    if (this.#released) return;
    try {
      this.release();
    } catch (error) {
      // Thrown, it would take the place of the error that made the owner leave.
      process.emitWarning(error instanceof Error ? error : String(error));
    }
  }
}
