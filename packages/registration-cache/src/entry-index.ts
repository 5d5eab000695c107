/** Finds entries: by memory, then by protection domain and access, then by range. */
import type { Entry, Key } from './entry.ts';
import { type Coverage, RangeIndex } from './range-index.ts';

/** The entries of one memory. */
interface Memory {
  /** Bytes that it had when the first of them was registered. */
  readonly byteLength: number;
  readonly scopes: Map<object, Map<number, RangeIndex<Entry>>>;
}

/** The entries that a lookup can find. */
export class EntryIndex implements Iterable<Entry> {
  readonly #entries = new Set<Entry>();
  readonly #memories = new Map<ArrayBufferLike, Memory>();

  get size(): number {
    return this.#entries.size;
  }

  [Symbol.iterator](): Iterator<Entry> {
    return this.#entries.values();
  }

  /** Whether the memory has another length than when it was registered: it was resized, or is gone. */
  hasChanged(memory: ArrayBufferLike): boolean {
    const known = this.#memories.get(memory);
    return known !== undefined && known.byteLength !== memory.byteLength;
  }

  containing(key: Key): Entry | undefined {
    return this.#ranges(key)?.containing(key);
  }

  coverage(key: Key): Coverage {
    return this.#ranges(key)?.coverage(key) ?? 'none';
  }

  add(entry: Entry): void {
    const { memory, scope, access } = entry;
    let known = this.#memories.get(memory);
    if (known === undefined) {
      known = { byteLength: memory.byteLength, scopes: new Map() };
      this.#memories.set(memory, known);
    }
    let accesses = known.scopes.get(scope);
    if (accesses === undefined) known.scopes.set(scope, (accesses = new Map<number, RangeIndex<Entry>>()));
    let ranges = accesses.get(access);
    if (ranges === undefined) accesses.set(access, (ranges = new RangeIndex<Entry>()));
    ranges.add(entry);
    this.#entries.add(entry);
  }

  delete(entry: Entry): void {
    if (!this.#entries.delete(entry)) return;
    const { memory, scope, access } = entry;
    const scopes = this.#memories.get(memory)!.scopes;
    const accesses = scopes.get(scope)!;
    const ranges = accesses.get(access)!;
    ranges.delete(entry);
    // What is empty goes, so that memory which nobody registers any more can be collected.
    if (ranges.size === 0) accesses.delete(access);
    if (accesses.size === 0) scopes.delete(scope);
    if (scopes.size === 0) this.#memories.delete(memory);
  }

  #ranges({ memory, scope, access }: Key): RangeIndex<Entry> | undefined {
    return this.#memories.get(memory)?.scopes.get(scope)?.get(access);
  }
}
