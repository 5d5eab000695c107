/**
 * The hypervisor's tables in machine memory, as word offsets.
 *
 * All state of the hypervisor lives here and none in objects, so that domains may run in any thread and a thread that dies takes
 * nothing with it. Pointers are word indices into the machine's memory, sizes are in words. Of each entry the first word makes
 * it exist: it is stored last, and cleared first.
 */
import { IndexAllocator } from '@openverbs/machine';
import type { HypervisorLimits } from '../limits.ts';

/** First page: limits, and where the tables are. */
export const HvHeader = {
  /** Takeovers of the machine's lock that the tables have been made whole after. */
  TAKEOVERS: 0,
  NEXT_DOMID: 1,
  DOMAIN_TABLE: 2,
  FRAME_TABLE: 3,
  XENSTORE: 4,
  /** Threads that had domains open, ended, and were cleaned up behind. */
  THREAD_DEATHS: 5,
  /** When somebody should look next whether threads have ended, in time of the host clock, a double. */
  NEXT_LOOK_NS: 6,
  /** The limits, in the order of {@link LIMIT_WORDS}. */
  LIMITS: 16,
  /** One word for each thread slot of the machine: token of the thread that has domains open, or 0. */
  THREADS: 64,
  WORDS: 256,
} as const;

/** Order in which the limits stand in the header. */
export const LIMIT_WORDS: readonly (keyof HypervisorLimits)[] = [
  'domainsMax',
  'grantsMax',
  'mappingsMax',
  'portsMax',
  'pinnedRunsMax',
  'xenstoreBytesMax',
  'xenstoreNodesMax',
  'xenstoreWatchesMax',
  'xenstoreTransactionsMax',
  'xenstoreEntryBytesMax',
  'xenstoreMemoryBytesMax',
];

/** A domain. */
export const DomainRecord = {
  /** One of {@link DomainState}. */
  STATE: 0,
  DOMID: 1,
  /** Token of the thread that executes it, and with which it ends, or 0. Of dom0 it means nothing. */
  THREAD: 2,
  MAX_PAGES: 3,
  TOT_PAGES: 4,
  NAME_BYTES: 5,
  /** Where its tables begin, or 0. They stay with the slot: a late notification must not hit what the memory has become. */
  TABLES: 6,
  /** Token of the thread that made it, until a thread opens it; then 0. */
  CREATOR: 7,
  NAME: 8,
  /** Raised by one for each event; who waits for any sleeps on it. Has a cache line of its own. */
  UPCALL: 32,
  WORDS: 64,
} as const;

/** What a slot of the domain table holds. */
export const DomainState = {
  FREE: 0,
  RUNNING: 1,
  /** Destroyed, but others use its pages, or its destruction was cut off. */
  DYING: 2,
} as const;

/** Entry of a grant table. */
export const Grant = {
  /** {@link GrantFlag} bits; 0 when the entry is free. */
  FLAGS: 0,
  /** Who may map. */
  DOMID: 1,
  FRAME: 2,
  /** How often it is mapped: for reading only, and for writing. */
  READERS: 3,
  WRITERS: 4,
  /** Of a page of I/O memory: token of the thread that granted it, with which it ends. Of a page of memory: 0. */
  THREAD: 5,
  WORDS: 8,
} as const;

/** Bits of a grant; Xen's values. */
export const GrantFlag = { PERMIT_ACCESS: 1, READONLY: 4 } as const;

/** A page that a domain has mapped: entry of its maptrack table. */
export const Maptrack = {
  /** Granter plus one; 0 when the entry is free, {@link WITHDRAWN} when nothing is mapped there any more. */
  GRANTER: 0,
  REF: 1,
  FRAME: 2,
  /** 1 when mapped for reading only. */
  READONLY: 3,
  /** Token of the thread that mapped. */
  THREAD: 4,
  WORDS: 8,
} as const;

/** Stands for the granter of a page of I/O memory whose device has gone with the domain that drove it. */
export const WITHDRAWN = 0x7fffffff;

/** A run of pages that a domain has pinned. */
export const PinnedRun = {
  /** Pages; 0 when the entry is free. */
  COUNT: 0,
  FRAME: 1,
  /** Token of the thread that pinned. */
  THREAD: 2,
  WORDS: 4,
} as const;

/** A port. Its pending and mask bits are in bitmaps. */
export const Port = {
  /** One of {@link PortState}. */
  STATE: 0,
  REMOTE_DOMID: 1,
  REMOTE_PORT: 2,
  /** Slot of the remote domain. */
  REMOTE_SLOT: 3,
  /** Token of the thread that bound it. */
  THREAD: 4,
  WORDS: 8,
} as const;

/** States of a port; Xen's values (ECS_FREE …). */
export const PortState = { FREE: 0, UNBOUND: 2, INTERDOMAIN: 3 } as const;

/** What is counted of each page of the machine; derived from the maptrack and pin tables. */
export const Frame = { MAPPINGS: 0, PINS: 1, WORDS: 2 } as const;

/** Where the tables of a slot are, relative to their beginning. */
export interface SlotLayout {
  readonly grants: number;
  readonly grantAllocator: number;
  readonly maptrack: number;
  readonly maptrackAllocator: number;
  readonly pins: number;
  readonly pinAllocator: number;
  readonly ports: number;
  readonly portAllocator: number;
  readonly pending: number;
  readonly masked: number;
  readonly words: number;
}

/** Lays the tables of a slot out one after the other. */
export function slotLayout(limits: HypervisorLimits): SlotLayout {
  let end = 0;
  const take = (words: number): number => {
    const start = end;
    end += Math.ceil(words / 32) * 32;
    return start;
  };
  const allocator = (capacity: number): number => take(IndexAllocator.bytes(capacity) / 4);
  return {
    grants: take(limits.grantsMax * Grant.WORDS),
    grantAllocator: allocator(limits.grantsMax),
    maptrack: take(limits.mappingsMax * Maptrack.WORDS),
    maptrackAllocator: allocator(limits.mappingsMax),
    pins: take(limits.pinnedRunsMax * PinnedRun.WORDS),
    pinAllocator: allocator(limits.pinnedRunsMax),
    ports: take(limits.portsMax * Port.WORDS),
    portAllocator: allocator(limits.portsMax),
    pending: take(Math.ceil(limits.portsMax / 32)),
    masked: take(Math.ceil(limits.portsMax / 32)),
    words: end,
  };
}

/** Where xenstore's parts are, relative to its beginning: a line for its head, and two halves that hold the contents by turns. */
export interface XenstoreLayout {
  readonly halves: number;
  readonly halfWords: number;
  readonly words: number;
}

/** Lays xenstore out. */
export function xenstoreLayout({ xenstoreBytesMax }: HypervisorLimits): XenstoreLayout {
  const halves = 32;
  const halfWords = Math.ceil(xenstoreBytesMax / 4);
  return { halves, halfWords, words: halves + 2 * halfWords };
}
