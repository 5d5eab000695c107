/**
 * A hypervisor in machine memory, for domains on any threads of one process.
 *
 * @packageDocumentation
 */
import { Machine, PAGE_BYTES } from '@openverbs/machine';
import type { MachineHandle } from '@openverbs/machine';
import { HypervisorError } from '../errors.ts';
import type { Domain, DomainInfo, DomainInit, Hypervisor, Toolstack } from '../hypervisor.ts';
import { checkLimits, DOM0, DOMAIN_MEMORY_BYTES_MAX, DOMAIN_NAME_BYTES_MAX, GRANT_REFS_RESERVED } from '../limits.ts';
import type { HypervisorLimits } from '../limits.ts';
import { WordListeners } from './async-wait.ts';
import { DomainAccess } from './domain-access.ts';
import { EmulatedDomain } from './emulated-domain.ts';
import { DomainRecord, DomainState } from './layout.ts';
import { OpenThreads } from './open-threads.ts';
import type { EndedThread } from './open-threads.ts';
import { upcall } from './ports.ts';
import { giveBackThread, rebuild, tearDown } from './recovery.ts';
import { createTables, findTables, reserve } from './tables.ts';
import type { Slot, Tables } from './tables.ts';
import { directoriesOf, firstRecords, releaseRecords } from './xenstore/domain-directories.ts';
import { StoreLog } from './xenstore/log.ts';

/** What another thread needs to join. Plain data: send it by `postMessage` or as `workerData`. */
export interface HypervisorHandle {
  readonly kind: 'openverbs-hypervisor';
  readonly machine: MachineHandle;
}

/** Entries of the hypervisor's tables that a domain has, for those who look for leaks. */
export interface DomainUsage {
  /** Pages that it grants. */
  readonly grants: number;
  /** Pages of others that it has mapped. */
  readonly mappings: number;
  /** Runs of pages that it has pinned. */
  readonly pinnedRuns: number;
  /** Ports of event channels. */
  readonly ports: number;
}

/**
 * The emulated hypervisor, with Xen's semantics. One a machine; each thread has an object of its own.
 *
 * Domains share the memory of the process, so that they cannot be kept from storing where they should not: what is checked is all that
 * goes through the hypervisor.
 *
 * @example
 * ```ts
 * import { EmulatedHypervisor } from '@openverbs/hypervisor';
 * import { Machine } from '@openverbs/machine';
 *
 * const machine = Machine.create();
 * const hypervisor = EmulatedHypervisor.create(machine);
 * const guest = hypervisor.domain(hypervisor.createDomain({ name: 'guest', memoryBytes: 2 ** 20 }));
 * const shared = guest.grantTable.sharePages(0, 1);
 * const mapping = hypervisor.domain(0).grantTable.map(guest.domid, shared.refs);
 * ```
 */
export class EmulatedHypervisor implements Hypervisor, Toolstack {
  /** Structured-clonable: gives another thread access by {@link EmulatedHypervisor.join}. */
  readonly handle: HypervisorHandle;
  /** The memory of all domains. */
  readonly machine: Machine;
  /** Sizes of the tables. */
  readonly limits: HypervisorLimits;
  readonly #tables: Tables;
  readonly #log: StoreLog;
  readonly #listeners: WordListeners;
  readonly #threads: OpenThreads;
  readonly #open = new Set<EmulatedDomain>();

  private constructor(tables: Tables) {
    this.#tables = tables;
    this.machine = tables.machine;
    this.limits = tables.limits;
    this.handle = { kind: 'openverbs-hypervisor', machine: tables.machine.handle };
    this.#listeners = new WordListeners(tables.i32);
    this.#threads = new OpenThreads(tables);
    this.#log = new StoreLog(tables);
    tables.recover = () => {
      this.#recover();
    };
  }

  /**
   * Makes the hypervisor of a machine, with dom0.
   *
   * @throws HypervisorError `EEXIST` when there is one; `EINVAL` for a limit; `ENOMEM`
   */
  static create(machine: Machine, limits: Partial<HypervisorLimits> = {}): EmulatedHypervisor {
    const hypervisor = new EmulatedHypervisor(createTables(machine, checkLimits(limits)));
    hypervisor.#log.update(() => {
      hypervisor.#log.append(firstRecords());
      hypervisor.#addDomain('Domain-0', machine.u8.length / PAGE_BYTES);
    });
    return hypervisor;
  }

  /**
   * Joins from another thread.
   *
   * @param machine - the thread's machine, if it is attached already: one a thread
   * @throws HypervisorError `EINVAL` when the handle is none
   */
  static join(handle: HypervisorHandle, machine?: Machine): EmulatedHypervisor {
    if ((handle as Partial<HypervisorHandle> | undefined)?.kind !== 'openverbs-hypervisor') {
      throw new HypervisorError('EINVAL', 'not the handle of a hypervisor', 'pass `handle` of that of another thread');
    }
    return new EmulatedHypervisor(findTables(machine ?? Machine.attach(handle.machine)));
  }

  domain(domid: number): Domain {
    const slot = this.#tables.locked(() => {
      const running = this.#tables.running(domid);
      this.#signOn();
      const thread = running.record + DomainRecord.THREAD;
      if (this.#tables.i32[thread] === 0) this.#tables.i32[thread] = this.#tables.thread;
      this.#tables.i32[running.record + DomainRecord.CREATOR] = 0;
      return running;
    });
    const services = { listeners: this.#listeners, tend: this.#tend };
    const domain = new EmulatedDomain(new DomainAccess(this.#tables, slot, services), this.#log, () => {
      this.#closed(domain, slot);
    });
    this.#open.add(domain);
    return domain;
  }

  createDomain({ name, memoryBytes }: DomainInit): number {
    if (name !== undefined && (!/^[A-Za-z0-9_.+-]+$/.test(name) || name.length > DOMAIN_NAME_BYTES_MAX)) {
      const hint = `1 to ${DOMAIN_NAME_BYTES_MAX} letters, digits and _.+-`;
      throw new HypervisorError('EINVAL', `'${name.slice(0, 100)}' is no name of a domain`, hint);
    }
    if (!(memoryBytes > 0 && memoryBytes <= DOMAIN_MEMORY_BYTES_MAX)) {
      throw new HypervisorError(
        'EINVAL',
        `memoryBytes of ${name === undefined ? 'a domain' : `domain ${name}`} is ${memoryBytes}`,
      );
    }
    return this.#log.update(() => {
      this.#signOn();
      return this.#addDomain(name, Math.ceil(memoryBytes / PAGE_BYTES));
    });
  }

  destroyDomain(domid: number): void {
    if (domid === DOM0) throw new HypervisorError('EPERM', 'dom0 cannot be destroyed');
    this.#log.update(() => {
      this.#destroy(this.#tables.running(domid));
    });
  }

  domains(): DomainInfo[] {
    const infos = this.#tables.locked(() => this.#tables.existing().map((slot) => this.#infoOf(slot)));
    return infos.sort((a, b) => a.domid - b.domid);
  }

  /**
   * What a domain has in the tables.
   *
   * @throws HypervisorError `ESRCH` when there is no such domain
   */
  usageOf(domid: number): DomainUsage {
    return this.#tables.locked(() => {
      const { grantAllocator, maptrackAllocator, pinAllocator, portAllocator } = this.#tables.running(domid);
      return {
        grants: grantAllocator.inUse - GRANT_REFS_RESERVED,
        mappings: maptrackAllocator.inUse,
        pinnedRuns: pinAllocator.inUse,
        ports: portAllocator.inUse - 1, // port 0 is none
      };
    });
  }

  /**
   * Cleans up behind threads that have ended: destroys the domains that they executed, and gives back what they had in others. Waits do it
   * by themselves now and then.
   *
   * @returns how many threads
   */
  reap(): number {
    return this.#log.update(() => {
      const ended = this.#threads.ended();
      for (const thread of ended) this.#reapThread(thread);
      return ended.length;
    });
  }

  /** Closes all handles that this thread has open, and signs it off. The domains live on. */
  close(): void {
    for (const domain of [...this.#open]) domain.close();
    this.#threads.signOff();
  }

  readonly #tend = (): void => {
    if (this.#threads.isLookDue() && this.#threads.ended().length > 0) this.reap();
  };

  /** Notes that this thread has domains open. The lock must be held. */
  #signOn(): void {
    const predecessor = this.#threads.predecessor();
    if (predecessor !== undefined) this.#reapThread(predecessor);
    this.#threads.signOn();
  }

  #reapThread(thread: EndedThread): void {
    const { i32 } = this.#tables;
    const { index, token } = thread;
    this.#log.sync();
    for (const slot of this.#tables.existing()) {
      if (i32[slot.record + DomainRecord.STATE] !== DomainState.RUNNING) continue;
      // One that nobody has opened yet ends with who made it.
      const { THREAD, CREATOR } = DomainRecord;
      const executed = i32[slot.record + THREAD] === token || i32[slot.record + CREATOR] === token;
      if (executed && i32[slot.record + DomainRecord.DOMID] !== DOM0) this.#destroy(slot);
      else giveBackThread(this.#tables, slot, token);
    }
    this.machine.pages.freeOwned(this.#tables.zeroingOwner(index));
    this.#threads.forget(thread);
  }

  /** Makes a domain in a free slot. Within a step of the log. */
  #addDomain(given: string | undefined, maxPages: number): number {
    const tables = this.#tables;
    const { i32 } = tables;
    const index = tables.freeSlot();
    tables.giveTables(index);
    const slot = tables.slot(index);
    reserve(slot);
    const domid = tables.nextDomid();
    const name = given ?? `guest${domid}`;
    const bytes = Buffer.from(name);
    this.machine.u8.set(bytes, (slot.record + DomainRecord.NAME) * 4);
    i32[slot.record + DomainRecord.NAME_BYTES] = bytes.length;
    i32[slot.record + DomainRecord.DOMID] = domid;
    i32[slot.record + DomainRecord.THREAD] = 0;
    i32[slot.record + DomainRecord.CREATOR] = tables.thread;
    i32[slot.record + DomainRecord.MAX_PAGES] = maxPages;
    i32[slot.record + DomainRecord.TOT_PAGES] = 0;
    this.#log.append(directoriesOf(this.#log.replica, domid, name));
    Atomics.store(i32, slot.record + DomainRecord.STATE, DomainState.RUNNING);
    return domid;
  }

  /** Within a step of the log. May be repeated, when it was cut off. */
  #destroy(slot: Slot): void {
    const { i32 } = this.#tables;
    Atomics.store(i32, slot.record + DomainRecord.STATE, DomainState.DYING);
    this.#log.append(releaseRecords(this.#log.replica, this.#tables.domidOf(slot)), DOM0, true);
    tearDown(this.#tables, slot);
    upcall(this.#tables, slot);
  }

  #recover(): void {
    rebuild(this.#tables);
    this.#log.sync();
    for (const slot of this.#tables.existing()) {
      if (this.#tables.i32[slot.record + DomainRecord.STATE] === DomainState.DYING) this.#destroy(slot);
    }
  }

  #infoOf({ record }: Slot): DomainInfo {
    const { i32, machine } = this.#tables;
    const start = (record + DomainRecord.NAME) * 4;
    return {
      domid: i32[record + DomainRecord.DOMID],
      name: Buffer.from(machine.u8.slice(start, start + i32[record + DomainRecord.NAME_BYTES])).toString(),
      state: i32[record + DomainRecord.STATE] === DomainState.RUNNING ? 'running' : 'dying',
      totPages: i32[record + DomainRecord.TOT_PAGES],
      maxPages: i32[record + DomainRecord.MAX_PAGES],
    };
  }

  #closed(domain: EmulatedDomain, slot: Slot): void {
    this.#open.delete(domain);
    if ([...this.#open].some((other) => other.domid === domain.domid)) return;
    this.#tables.locked(() => {
      const { i32, thread } = this.#tables;
      if (this.#tables.find(domain.domid) !== slot) return;
      if (i32[slot.record + DomainRecord.THREAD] === thread) i32[slot.record + DomainRecord.THREAD] = 0;
    });
  }
}
