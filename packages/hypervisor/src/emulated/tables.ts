/**
 * The tables of one hypervisor as a thread sees them: where they are, and the step under the lock.
 */
import { IndexAllocator, OWNER_IOMEM, PAGE_BYTES } from '@openverbs/machine';
import type { Machine } from '@openverbs/machine';
import { HypervisorError } from '../errors.ts';
import { DOM0, DOMID_FIRST_RESERVED, GRANT_REFS_RESERVED, isDomid } from '../limits.ts';
import type { HypervisorLimits } from '../limits.ts';
import { DomainRecord, DomainState, Frame, HvHeader, LIMIT_WORDS, slotLayout, xenstoreLayout } from './layout.ts';
import type { SlotLayout } from './layout.ts';

/** Root word of the machine by which threads find the header. */
const ROOT_HYPERVISOR = 6;
/** Owner of the tables' buffers. */
const OWNER_HYPERVISOR = 0x10006;
/** Owner of a buffer that a thread zeroes for a domain is this plus the thread's index: nobody's pages, until they are zero. */
const OWNER_ZEROING = 0x10100;
/** Owner of a domain's buffers is this plus its number: the record of who owns a page. */
const OWNER_DOMAIN = 0x100000;

/** The tables of a slot, as word indices and allocators over them. */
export interface Slot {
  readonly index: number;
  /** Word index of the domain's record. */
  readonly record: number;
  readonly grants: number;
  readonly maptrack: number;
  readonly pins: number;
  readonly ports: number;
  readonly pending: number;
  readonly masked: number;
  readonly grantAllocator: IndexAllocator;
  readonly maptrackAllocator: IndexAllocator;
  readonly pinAllocator: IndexAllocator;
  readonly portAllocator: IndexAllocator;
}

/** Finds tables and domains. Makes no decision. */
export class Tables {
  readonly machine: Machine;
  readonly i32: Int32Array;
  readonly limits: HypervisorLimits;
  /** Word index of the header. */
  readonly header: number;
  /** Word index of the frame table. */
  readonly frames: number;
  /** What is written into entries to name this thread. */
  readonly thread: number;
  /** Brings the tables back to a step boundary; set by whoever knows all of them. */
  recover: () => void = () => {};
  #recovering = false;
  readonly #domains: number;
  readonly #layout: SlotLayout;
  readonly #slots: (Slot | undefined)[] = [];

  constructor(machine: Machine, header: number) {
    this.machine = machine;
    this.i32 = machine.i32;
    this.header = header;
    this.frames = this.i32[header + HvHeader.FRAME_TABLE];
    this.#domains = this.i32[header + HvHeader.DOMAIN_TABLE];
    this.thread = machine.threads.token(machine.threadIndex);
    const limits: Partial<Record<keyof HypervisorLimits, number>> = {};
    LIMIT_WORDS.forEach((name, n) => (limits[name] = this.i32[header + HvHeader.LIMITS + n]));
    this.limits = limits as HypervisorLimits;
    this.#layout = slotLayout(this.limits);
  }

  /** Runs a step with the machine lock held, after the tables were made whole if a thread died with the lock. */
  locked<T>(step: () => T): T {
    const { lock } = this.machine;
    const entered = lock.enter();
    try {
      if (this.i32[this.header + HvHeader.TAKEOVERS] !== (lock.takeovers | 0)) this.#recoverOnce();
      return step();
    } finally {
      if (entered) lock.release();
    }
  }

  #recoverOnce(): void {
    // Recovery itself runs steps.
    if (this.#recovering) return;
    const takeovers = this.machine.lock.takeovers | 0;
    this.#recovering = true;
    try {
      this.recover();
    } finally {
      this.#recovering = false;
    }
    this.i32[this.header + HvHeader.TAKEOVERS] = takeovers;
  }

  /** Word index of a slot's record. */
  recordAt(index: number): number {
    return this.#domains + index * DomainRecord.WORDS;
  }

  /** The slot of a domain that exists, in one of some states, or undefined. */
  find(domid: number, dying = false): Slot | undefined {
    for (let index = 0; index < this.limits.domainsMax; index++) {
      const record = this.recordAt(index);
      if (this.i32[record + DomainRecord.DOMID] !== domid) continue;
      const state = Atomics.load(this.i32, record + DomainRecord.STATE);
      if (state === DomainState.RUNNING || (dying && state === DomainState.DYING)) return this.slot(index);
    }
    return undefined;
  }

  /** The slot of a domain that lives. */
  running(domid: number): Slot {
    const slot = this.find(domid);
    if (slot === undefined) throw new HypervisorError('ESRCH', `there is no domain ${domid}`);
    return slot;
  }

  /** All slots that hold a domain. */
  existing(): Slot[] {
    const found: Slot[] = [];
    for (let index = 0; index < this.limits.domainsMax; index++) {
      if (this.i32[this.recordAt(index) + DomainRecord.STATE] !== DomainState.FREE) found.push(this.slot(index));
    }
    return found;
  }

  /** All slots that hold or held a domain. */
  withTables(): Slot[] {
    const found: Slot[] = [];
    for (let index = 0; index < this.limits.domainsMax; index++) {
      if (this.i32[this.recordAt(index) + DomainRecord.TABLES] !== 0) found.push(this.slot(index));
    }
    return found;
  }

  /** A free slot. The lock must be held. */
  freeSlot(): number {
    for (let index = 0; index < this.limits.domainsMax; index++) {
      if (this.i32[this.recordAt(index) + DomainRecord.STATE] === DomainState.FREE) return index;
    }
    const hint = 'destroy domains, unmap and unpin pages of those that are dying, or raise domainsMax';
    throw new HypervisorError('ENOSPC', `all ${this.limits.domainsMax} domains are in use (domainsMax)`, hint);
  }

  /** The tables of a slot that has or had a domain. */
  slot(index: number): Slot {
    return (this.#slots[index] ??= this.#openSlot(index));
  }

  /** Gives a slot its tables, if it never had any. The lock must be held. */
  giveTables(index: number): void {
    const record = this.recordAt(index);
    if (this.i32[record + DomainRecord.TABLES] !== 0) return;
    this.i32[record + DomainRecord.TABLES] = allocate(this.machine, this.#layout.words, 'the tables of a domain');
  }

  /** A domain number that is not in use. The lock must be held. */
  nextDomid(): number {
    const word = this.header + HvHeader.NEXT_DOMID;
    for (;;) {
      const domid = this.i32[word];
      this.i32[word] = domid + 1 < DOMID_FIRST_RESERVED ? domid + 1 : 1;
      if (this.find(domid, true) === undefined) return domid;
    }
  }

  /** Number of the domain that owns a page of the machine, or -1. */
  ownerOf(frame: number): number {
    const owner = this.machine.pages.ownerOf(frame * PAGE_BYTES) - OWNER_DOMAIN;
    return isDomid(owner) ? owner : -1;
  }

  /** Whether a page is registers of a device, which are nobody's memory. */
  isIomem(frame: number): boolean {
    return this.machine.pages.ownerOf(frame * PAGE_BYTES) === OWNER_IOMEM;
  }

  /** Whether a domain may grant a page: one of its own memory, or of I/O memory that it may access, which is what dom0 may. */
  mayGrant(domid: number, frame: number): boolean {
    return this.ownerOf(frame) === domid || (domid === DOM0 && this.isIomem(frame));
  }

  /** Number of the domain in a slot. */
  domidOf({ record }: Slot): number {
    return this.i32[record + DomainRecord.DOMID];
  }

  /** What the page allocator knows a domain as. */
  pageOwner(domid: number): number {
    return OWNER_DOMAIN + domid;
  }

  /** What the page allocator knows the pages as that a thread zeroes. */
  zeroingOwner(threadIndex: number): number {
    return OWNER_ZEROING + threadIndex;
  }

  /** Word index of what is counted of a page. */
  frame(frame: number): number {
    return this.frames + frame * Frame.WORDS;
  }

  /** Whether the thread that wrote a token into an entry has ended. */
  hasEnded(token: number): boolean {
    const { threads } = this.machine;
    const index = token & 0xff;
    return token !== 0 && (threads.token(index) !== token || !threads.isAlive(index));
  }

  #openSlot(index: number): Slot {
    const record = this.recordAt(index);
    const tables = this.i32[record + DomainRecord.TABLES];
    const { limits } = this;
    const layout = this.#layout;
    const allocator = (offset: number, capacity: number): IndexAllocator =>
      new IndexAllocator(this.machine, (tables + offset) * 4, capacity);
    return {
      index,
      record,
      grants: tables + layout.grants,
      maptrack: tables + layout.maptrack,
      pins: tables + layout.pins,
      ports: tables + layout.ports,
      pending: tables + layout.pending,
      masked: tables + layout.masked,
      grantAllocator: allocator(layout.grantAllocator, limits.grantsMax),
      maptrackAllocator: allocator(layout.maptrackAllocator, limits.mappingsMax),
      pinAllocator: allocator(layout.pinAllocator, limits.pinnedRunsMax),
      portAllocator: allocator(layout.portAllocator, limits.portsMax),
    };
  }
}

/** Indices that are never handed out: reserved references, and port 0. */
export function reserve({ grantAllocator, portAllocator }: Slot): void {
  while (grantAllocator.highWater < GRANT_REFS_RESERVED) grantAllocator.alloc();
  while (portAllocator.highWater < 1) portAllocator.alloc();
}

/** Makes the tables of a machine that has none. */
export function createTables(machine: Machine, limits: HypervisorLimits): Tables {
  const { i32, lock } = machine;
  const entered = lock.enter();
  try {
    if (machine.root(ROOT_HYPERVISOR) !== 0) {
      throw new HypervisorError('EEXIST', 'the machine has a hypervisor', 'join it with its handle');
    }
    const framesWords = (machine.u8.length / PAGE_BYTES) * Frame.WORDS;
    const header = allocate(machine, HvHeader.WORDS, 'the hypervisor');
    i32[header + HvHeader.DOMAIN_TABLE] = allocate(machine, limits.domainsMax * DomainRecord.WORDS, 'domains');
    i32[header + HvHeader.FRAME_TABLE] = allocate(machine, framesWords, 'the frame table');
    i32[header + HvHeader.XENSTORE] = allocate(machine, xenstoreLayout(limits).words, 'xenstore');
    i32[header + HvHeader.TAKEOVERS] = lock.takeovers | 0;
    LIMIT_WORDS.forEach((name, n) => (i32[header + HvHeader.LIMITS + n] = limits[name]));
    machine.setRoot(ROOT_HYPERVISOR, header * 4);
    return new Tables(machine, header);
  } finally {
    if (entered) lock.release();
  }
}

/** Finds the tables that another thread made. */
export function findTables(machine: Machine): Tables {
  const found = machine.root(ROOT_HYPERVISOR);
  if (found === 0) {
    throw new HypervisorError('EINVAL', 'the machine has no hypervisor', 'create it before other threads join');
  }
  return new Tables(machine, found / 4);
}

function allocate(machine: Machine, words: number, what: string): number {
  const address = machine.pages.alloc(words * 4, PAGE_BYTES, OWNER_HYPERVISOR);
  if (address === 0) {
    const hint = 'give the machine more memory, or the hypervisor smaller limits';
    throw new HypervisorError('ENOMEM', `the machine has no ${words * 4} bytes for ${what}`, hint);
  }
  return address / 4;
}
