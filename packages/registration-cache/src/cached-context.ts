/** The operations of a context, of which those on memory regions go through the cache. */
import { EventType } from '@openverbs/verbs';
import type { ContextOps, DmaBufferOps, EventSource, Handle, MrOps, MrRequest } from '@openverbs/verbs/driver';

import type { Entry, Key, Region } from './entry.ts';
import { overriding } from './overriding.ts';
import type { Registrar, RegistrationTable } from './registration-table.ts';
import { isShareable } from './shareable.ts';

/** Handles of shared regions begin here, above those of all providers. */
const HANDLE_BASE = 2 ** 40;

/** The buffers of the contexts that one cache is attached to: a region may lie in a buffer of another context. */
const buffersOfTables = new WeakMap<RegistrationTable, Set<Uint8Array>>();

/** The memory side of an attached context. */
export class CachedContext {
  /** What the composition root takes in the place of the provider's. */
  readonly ops: ContextOps;
  readonly #table: RegistrationTable;
  readonly #target: ContextOps;
  readonly #anyMemory: boolean;
  readonly #onHit: (pages: number) => void;
  /** One object for each protection domain: the scope of its keys. */
  readonly #scopes = new Map<Handle, object>();
  readonly #allBuffers: Set<Uint8Array>;
  readonly #buffers = new Map<Handle, Uint8Array>();
  /** Regions of the application that share a registration. */
  readonly #regions = new Map<Handle, Entry>();
  #nextHandle = HANDLE_BASE;
  #failed = false;

  constructor(table: RegistrationTable, target: ContextOps, anyMemory: boolean, onHit: (pages: number) => void) {
    this.#table = table;
    this.#target = target;
    this.#anyMemory = anyMemory;
    this.#onHit = onHit;
    this.#allBuffers = buffersOfTables.get(table) ?? new Set();
    buffersOfTables.set(table, this.#allBuffers);
    this.ops = overriding(target, this.#overrides());
  }

  /** What a provider leaves out stays left out. */
  #overrides(): Partial<ContextOps> {
    const target = this.#target;
    if (target.regMr === undefined || target.deregMr === undefined) return {};
    return {
      events: this.#watch(target.events),
      close: () => this.#close(),
      regMr: (request) => this.#regMr(request),
      deregMr: (mr) => this.#deregMr(mr),
      ...(target.reregMr && { reregMr: (mr, flags, request) => this.#reregMr(mr, flags, request) }),
      ...(target.allocBuf && { allocBuf: (length, alignment) => this.#allocBuf(length, alignment) }),
      ...(target.freeBuf && { freeBuf: (buffer) => this.#freeBuf(buffer) }),
      ...(target.deallocPd && { deallocPd: (pd) => this.#deallocPd(pd, () => target.deallocPd!(pd)) }),
      ...(target.deallocParentDomain && {
        deallocParentDomain: (pd) => this.#deallocPd(pd, () => target.deallocParentDomain!(pd)),
      }),
    };
  }

  #regMr(request: MrRequest): MrOps {
    if (!this.#isCacheable(request)) return this.#target.regMr!(request);
    const key = this.#keyOf(request);
    const entry = this.#table.acquire(key, this.#registrar(request));
    const handle = this.#nextHandle++;
    this.#regions.set(handle, entry);
    return mrOps(handle, entry, key.start);
  }

  /** Gives the reference of a shared region back. */
  #deregMr(mr: Handle): void {
    const entry = this.#regions.get(mr);
    if (entry === undefined) return this.#target.deregMr!(mr);
    this.#table.release(entry);
    this.#regions.delete(mr);
  }

  /** Others may share the registration, so the region is given another one. When that fails, it is as it was. */
  #reregMr(mr: Handle, flags: number, request: MrRequest): MrOps {
    const entry = this.#regions.get(mr);
    if (entry === undefined) return this.#target.reregMr!(mr, flags, request);
    const key = this.#keyOf(request);
    const registrar = this.#registrar(request);
    const changed = this.#isCacheable(request)
      ? this.#table.acquire(key, registrar)
      : this.#table.acquireUncached(key, registrar);
    try {
      this.#table.release(entry);
    } catch (error) {
      this.#table.release(changed);
      throw error;
    }
    this.#regions.set(mr, changed);
    return mrOps(mr, changed, key.start);
  }

  #allocBuf(length: number, alignment: number): DmaBufferOps {
    const buffer = this.#target.allocBuf!(length, alignment);
    this.#buffers.set(buffer.handle, buffer.bytes);
    this.#allBuffers.add(buffer.bytes);
    return buffer;
  }

  /** Before the memory goes, so that no key gives it to anybody when it belongs to somebody else. */
  #freeBuf(buffer: Handle): void {
    const bytes = this.#buffers.get(buffer);
    if (bytes !== undefined) {
      const end = bytes.byteOffset + bytes.byteLength;
      const { buffer: memory, byteOffset: start } = bytes;
      this.#table.invalidate((entry) => entry.memory === memory && entry.start < end && entry.end > start);
    }
    this.#target.freeBuf!(buffer);
    this.#buffers.delete(buffer);
    if (bytes !== undefined) this.#allBuffers.delete(bytes);
  }

  #deallocPd(pd: Handle, dealloc: () => void): void {
    const scope = this.#scopes.get(pd);
    if (scope !== undefined) this.#table.invalidate((entry) => entry.scope === scope);
    dealloc();
    this.#scopes.delete(pd);
  }

  #close(): void {
    try {
      this.#invalidateAll();
    } finally {
      for (const bytes of this.#buffers.values()) this.#allBuffers.delete(bytes);
      this.#target.close();
    }
  }

  /** A device that has failed registers no more: nothing of it is given out from there on. */
  #watch(source: EventSource): EventSource {
    const next: EventSource['next'] = (event) => {
      if (!source.next(event)) return false;
      if (event.type === EventType.DEVICE_FATAL && !this.#failed) this.#fail();
      return true;
    };
    return overriding(source, { next });
  }

  #fail(): void {
    this.#failed = true;
    try {
      this.#invalidateAll();
    } catch {
      // What the device does not let go is tried again when its owner goes.
    }
  }

  #invalidateAll(): void {
    const scopes = new Set(this.#scopes.values());
    this.#table.invalidate(({ scope }) => scopes.has(scope));
  }

  #isCacheable({ access, iova, buffer, view }: MrRequest): boolean {
    return !this.#failed && iova === null && isShareable(access) && (buffer !== null || this.#isWatched(view));
  }

  /** Whether the cache learns of it when the memory is freed, or whether it lives as long as somebody holds it. */
  #isWatched(view: Uint8Array): boolean {
    let ofBuffers = false;
    for (const bytes of this.#allBuffers) {
      if (bytes.buffer !== view.buffer) continue;
      ofBuffers = true;
      const offset = view.byteOffset - bytes.byteOffset;
      if (offset >= 0 && offset + view.byteLength <= bytes.byteLength) return true;
    }
    return !ofBuffers && this.#anyMemory;
  }

  #keyOf({ pd, access, view }: MrRequest): Key {
    let scope = this.#scopes.get(pd);
    if (scope === undefined) this.#scopes.set(pd, (scope = {}));
    const { buffer: memory, byteOffset: start, byteLength } = view;
    return { scope, access, memory, start, end: start + byteLength };
  }

  #registrar(request: MrRequest): Registrar {
    const target = this.#target;
    return {
      register: () => new ProviderRegion(target, target.regMr!(request)),
      hit: this.#onHit,
      maxMr: () => target.queryDevice().maxMr,
    };
  }
}

function mrOps(handle: Handle, entry: Entry, start: number): MrOps {
  const { lkey, rkey } = entry.region;
  return { handle, lkey, rkey, addr: entry.addrOf(start) };
}

/** A region that the provider made. Nobody but the cache knows its handle. */
class ProviderRegion implements Region {
  readonly addr: number;
  readonly lkey: number;
  readonly rkey: number;
  readonly intact = true;
  readonly #ops: ContextOps;
  readonly #handle: Handle;

  constructor(ops: ContextOps, { handle, lkey, rkey, addr }: MrOps) {
    this.#ops = ops;
    this.#handle = handle;
    this.addr = addr;
    this.lkey = lkey;
    this.rkey = rkey;
  }

  deregister(): void {
    this.#ops.deregMr!(this.#handle);
  }
}
