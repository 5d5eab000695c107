/**
 * The registrations: those in use with their reference counts, and the idle ones in an lru-cache. It knows nothing of verbs objects
 * or providers, whose registrations are {@link Region}s to it.
 */
import { VerbsError } from '@openverbs/verbs';
import { LRUCache } from 'lru-cache';

import { Entry, type Key, pagesOf, type Region } from './entry.ts';
import { EntryIndex } from './entry-index.ts';
import { completeLimits, type RegistrationCacheLimits } from './limits.ts';
import { type Counters, newCounters, type RegistrationCacheStatistics } from './statistics.ts';

/** Where registrations come from. */
export interface Registrar {
  /** Registers what the key names. */
  register(): Region;
  /** Is told of memory that was registered already, with its pages. */
  hit?(pages: number): void;
  /** How many registrations the device can have, for the error that says so. */
  maxMr(): number;
}

export class RegistrationTable {
  readonly #limits: RegistrationCacheLimits;
  readonly #index = new EntryIndex();
  /** Idle entries; the value is the key. All of them are in the index, too. */
  readonly #idle: LRUCache<Entry, Entry>;
  /** Evicted entries that the device did not let go. */
  readonly #refused = new Set<Entry>();
  readonly #counters: Counters = newCounters();
  #inUseBytes = 0;

  constructor(limits: Partial<RegistrationCacheLimits>) {
    this.#limits = completeLimits(limits);
    this.#idle = new LRUCache<Entry, Entry>({
      max: this.#limits.idleEntriesMax,
      maxSize: this.#limits.idleBytesMax,
      sizeCalculation: ({ bytes }) => bytes,
      // After the lru-cache is done with its own, because the device is called.
      disposeAfter: (entry, _, reason) => {
        if (reason === 'evict') this.#evict(entry);
      },
    });
  }

  statistics(): RegistrationCacheStatistics {
    this.#prune();
    const idle = this.#idle.size;
    const { calculatedSize: idleBytes } = this.#idle;
    return { ...this.#counters, inUse: this.#index.size - idle, inUseBytes: this.#inUseBytes, idle, idleBytes };
  }

  /** A registration that contains what `key` names, with one reference more. */
  acquire(key: Key, registrar: Registrar): Entry {
    if (this.#index.hasChanged(key.memory)) this.#forgetMemory(key.memory);
    const found = this.#find(key);
    if (found !== undefined) {
      registrar.hit?.(pagesOf(found.addrOf(key.start), key.end - key.start));
      return this.#use(found, key);
    }
    const coverage = this.#index.coverage(key);
    const entry = this.#register(key, registrar);
    if (!this.#hasRoom()) {
      this.#counters.uncached++;
      return entry;
    }
    this.#counters.misses++;
    if (coverage !== 'none') this.#counters.overlappingMisses++;
    if (coverage === 'all') this.#counters.mergedHits++;
    this.#index.add(entry);
    entry.kept = true;
    this.#inUseBytes += entry.bytes;
    return entry;
  }

  /** A registration that nobody else gets. */
  acquireUncached(key: Key, registrar: Registrar): Entry {
    const entry = this.#register(key, registrar);
    this.#counters.uncached++;
    return entry;
  }

  /** Takes a reference back. Throws what the device throws when the registration ends with it; then the reference stays. */
  release(entry: Entry): void {
    if (!entry.region.intact) this.#drop(entry);
    if (entry.references === 1 && !entry.kept) this.#deregister(entry);
    entry.references--;
    if (entry.references > 0 || !entry.kept) return;
    this.#inUseBytes -= entry.bytes;
    this.#idle.set(entry, entry);
    // Longer than all idle ones together may be.
    if (!this.#idle.has(entry)) this.#evict(entry);
  }

  /**
   * Forgets the entries that `concerns` names: idle ones end now, those in use with their last use. All are tried; throws the first error of
   * the device, and then what it did not let go can be tried again.
   */
  invalidate(concerns: (entry: Entry) => boolean): void {
    let failure: { readonly error: unknown } | null = null;
    for (const entry of [...this.#index, ...this.#refused]) {
      if (!concerns(entry)) continue;
      if (entry.kept) this.#counters.invalidations++;
      try {
        this.#forget(entry);
      } catch (error) {
        failure ??= { error };
      }
    }
    if (failure !== null) throw failure.error;
  }

  /** Ends all that is idle, and returns how many registrations that were. */
  flush(): number {
    const { deregistrations } = this.#counters;
    for (const entry of [...this.#idle.keys(), ...this.#refused]) this.#forgetQuietly(entry);
    return this.#counters.deregistrations - deregistrations;
  }

  #find(key: Key): Entry | undefined {
    for (;;) {
      const found = this.#index.containing(key);
      if (found === undefined || found.region.intact) return found;
      this.#forgetQuietly(found);
    }
  }

  #use(entry: Entry, { start, end }: Key): Entry {
    if (entry.references === 0) {
      this.#idle.delete(entry);
      this.#inUseBytes += entry.bytes;
    }
    entry.references++;
    this.#counters.hits++;
    this.#counters.pagesSaved += pagesOf(entry.addrOf(start), end - start);
    return entry;
  }

  /** ENOMEM may mean that idle registrations fill the device: then it is tried once more without them. */
  #register(key: Key, registrar: Registrar): Entry {
    try {
      return this.#made(key, registrar.register());
    } catch (error) {
      if (!isOutOfMemory(error)) throw error;
      this.#counters.flushes++;
      const flushed = this.flush();
      if (flushed === 0) throw this.#outOfMemory(error, flushed, registrar);
      return this.#registerAgain(key, registrar, flushed);
    }
  }

  #registerAgain(key: Key, registrar: Registrar, flushed: number): Entry {
    try {
      return this.#made(key, registrar.register());
    } catch (error) {
      throw isOutOfMemory(error) ? this.#outOfMemory(error, flushed, registrar) : error;
    }
  }

  #made(key: Key, region: Region): Entry {
    this.#counters.registrations++;
    this.#counters.pages += pagesOf(region.addr, key.end - key.start);
    return new Entry(key, region);
  }

  /** Whether a further entry fits; an idle one makes room. */
  #hasRoom(): boolean {
    const { entriesMax } = this.#limits;
    if (this.#index.size >= entriesMax) this.#prune();
    if (this.#index.size >= entriesMax) this.#idle.pop();
    return this.#index.size < entriesMax;
  }

  /** An entry whose memory, domain or device goes, or that has to make room. */
  #forget(entry: Entry): void {
    this.#drop(entry);
    if (entry.references > 0) return;
    try {
      this.#deregister(entry);
      this.#refused.delete(entry);
    } catch (error) {
      this.#refused.add(entry);
      throw error;
    }
  }

  #evict(entry: Entry): void {
    this.#counters.evictions++;
    this.#forgetQuietly(entry);
  }

  /** As `#forget`, where the caller of the verb has nothing to do with the entry. */
  #forgetQuietly(entry: Entry): void {
    try {
      this.#forget(entry);
    } catch {
      this.#counters.failures++;
    }
  }

  /** Makes sure that no lookup finds it. */
  #drop(entry: Entry): void {
    if (!entry.kept) return;
    entry.kept = false;
    this.#index.delete(entry);
    if (entry.references > 0) this.#inUseBytes -= entry.bytes;
    else this.#idle.delete(entry);
  }

  /** A resized memory may have moved or lost what was registered. */
  #forgetMemory(memory: ArrayBufferLike): void {
    try {
      this.invalidate((entry) => entry.memory === memory);
    } catch {
      this.#counters.failures++;
    }
  }

  /** Drops what has ended behind the cache's back, with the owner that was disposed. */
  #prune(): void {
    for (const entry of [...this.#index]) if (!entry.region.intact) this.#forgetQuietly(entry);
  }

  #deregister({ region }: Entry): void {
    region.deregister();
    this.#counters.deregistrations++;
  }

  #outOfMemory(error: VerbsError, flushed: number, registrar: Registrar): VerbsError {
    const { inUse, inUseBytes } = this.statistics();
    const maxMr = registrar.maxMr();
    const prefix = `${error.verb}: `;
    const told =
      error.verb !== '' && error.message.startsWith(prefix) ? error.message.slice(prefix.length) : error.message;
    return new VerbsError({
      code: 'ENOMEM',
      verb: error.verb,
      message: `${told}; the registration cache has nothing idle to give up: ${inUse} registrations with ${inUseBytes} bytes are in use, and maxMr of the device is ${maxMr}`,
      hint: 'deregister memory that is not needed',
      details: { ...error.details, flushed, inUse, inUseBytes, maxMr },
      cause: error,
    });
  }
}

function isOutOfMemory(error: unknown): error is VerbsError {
  return VerbsError.is(error) && error.code === 'ENOMEM';
}
