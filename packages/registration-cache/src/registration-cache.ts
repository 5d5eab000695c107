/** The registration cache. */
import { DmaBuffer, type MemoryRegion, type ProtectionDomain } from '@openverbs/verbs';
import type { ContextOps, DeviceOps } from '@openverbs/verbs/driver';

import { CachedContext } from './cached-context.ts';
import { CachedRegistration } from './cached-registration.ts';
import type { Entry, Key, Region } from './entry.ts';
import type { RegistrationCacheLimits } from './limits.ts';
import { overriding } from './overriding.ts';
import { type Registrar, RegistrationTable } from './registration-table.ts';
import { isShareable } from './shareable.ts';
import type { RegistrationCacheStatistics } from './statistics.ts';

/** What `openVerbs({ use: { registrationCache } })` takes. */
export interface RegistrationCacheOps {
  /** What it has done. */
  readonly statistics: RegistrationCacheStatistics;
  /** The device, whose contexts register through the cache. */
  attach(device: DeviceOps): DeviceOps;
}

/**
 * Keeps registrations that are not used any more, and gives them to whoever asks for the same memory again, with the same rights, in
 * the same protection domain. Memory that lies within a registered range is a hit, too. Registrations in use are counted and never
 * evicted; idle ones end in the order in which they were given back, or when their buffer is freed, their domain or device ends, or the
 * device has no room.
 *
 * Overlapping memory is registered anew and not merged; {@link RegistrationCacheStatistics.mergedHits} says whether merging would have
 * paid. Regions with `MW_BIND`, `ZERO_BASED`, `ON_DEMAND` or `HUGETLB` are never shared.
 *
 * Mind that the keys of an idle registration still work: who deregisters memory so that peers can't reach it any more must not
 * use a cache.
 *
 * @example
 * ```ts
 * import { RegistrationCache } from '@openverbs/registration-cache';
 * import { AccessFlags, SendFlags, WrOpcode, type ProtectionDomain, type QueuePair } from '@openverbs/verbs';
 *
 * const cache = new RegistrationCache({ idleBytesMax: 64 * 2 ** 20 });
 *
 * function send(pd: ProtectionDomain, qp: QueuePair, bytes: Uint8Array): Disposable {
 *   const registration = cache.regMr(pd, bytes, AccessFlags.LOCAL_WRITE);
 *   const sgList = [registration.sge()];
 *   qp.postSend({ wrId: 1, opcode: WrOpcode.SEND, sendFlags: SendFlags.SIGNALED, sgList });
 *   return registration; // to be disposed when the send has completed
 * }
 * ```
 */
export class RegistrationCache implements RegistrationCacheOps {
  readonly #table: RegistrationTable;
  readonly #regions = new WeakMap<Entry, MemoryRegion>();

  /** `limits` are {@link REGISTRATION_CACHE_LIMITS} where they are left out. Throws EINVAL for a wrong one. */
  constructor(limits: Partial<RegistrationCacheLimits> = {}) {
    this.#table = new RegistrationTable(limits);
  }

  /** What it has done. */
  get statistics(): RegistrationCacheStatistics {
    return this.#table.statistics();
  }

  /**
   * Registers memory, as `pd.regMr` does, or takes a registration that contains it. Throws what `pd.regMr` throws. At ENOMEM all that
   * is idle is given up and the registration tried again; the error then says how much is in use, and the limit.
   */
  regMr(pd: ProtectionDomain, memory: DmaBuffer | ArrayBufferView, access: number): CachedRegistration {
    const view = memory instanceof DmaBuffer ? memory.bytes : memory;
    // `pd.regMr` says what is wrong with memory that is none, and an empty range would be a hit in everything.
    if (!ArrayBuffer.isView(view) || view.byteLength === 0) pd.regMr(memory, access);
    const { buffer, byteOffset: start, byteLength: length } = view;
    const key: Key = { scope: pd, access, memory: buffer, start, end: start + length };
    let made: VerbsRegion | null = null;
    const registrar: Registrar = {
      register: () => (made = new VerbsRegion(pd.regMr(memory, access))),
      maxMr: () => pd.context.queryDevice().maxMr,
    };
    const entry = isShareable(access)
      ? this.#table.acquire(key, registrar)
      : this.#table.acquireUncached(key, registrar);
    const region = made as VerbsRegion | null;
    if (region !== null) {
      this.#regions.set(entry, region.mr);
      region.mr.beforeOwnerEnds(() => this.#yield(entry));
    }
    return new CachedRegistration(this.#table, entry, this.#regions.get(entry)!, entry.addrOf(start), length);
  }

  /** Ends all registrations that are idle, and returns how many there were. */
  flush(): number {
    return this.#table.flush();
  }

  /**
   * The device, but `ibv_reg_mr` and `ibv_dereg_mr` of its contexts go through the cache, so that programs use it without knowing. Their
   * regions have the address and the length that they asked for, and the keys of the registration that contains them. A program that
   * attaches a device by itself gives the result to its composition root; `openVerbs({ registrationCache: true })` does it for all devices.
   */
  attach(device: DeviceOps): DeviceOps {
    const anyMemory = device.capabilities.supports.registersAnyMemory === true;
    const onHit = (pages: number): void => device.registrationSaved?.(pages);
    const open = (): ContextOps => new CachedContext(this.#table, device.open(), anyMemory, onHit).ops;
    return overriding(device, { open });
  }

  /** Idle registrations end before what they hang on. */
  #yield(entry: Entry): void {
    if (entry.references === 0) this.#table.invalidate((each) => each === entry);
  }
}

/** A region that was registered through its protection domain. */
class VerbsRegion implements Region {
  readonly mr: MemoryRegion;
  readonly addr: number;
  readonly lkey: number;
  readonly rkey: number;
  readonly #pd: ProtectionDomain;
  readonly #length: number;
  readonly #access: number;

  constructor(mr: MemoryRegion) {
    this.mr = mr;
    this.addr = mr.addr;
    this.lkey = mr.lkey;
    this.rkey = mr.rkey;
    this.#pd = mr.pd;
    this.#length = mr.length;
    this.#access = mr.access;
  }

  get intact(): boolean {
    const { mr } = this;
    if (mr.destroyed || mr.pd !== this.#pd || mr.access !== this.#access) return false;
    return mr.addr === this.addr && mr.length === this.#length && mr.lkey === this.lkey;
  }

  deregister(): void {
    if (!this.mr.destroyed) this.mr.dereg();
  }
}
