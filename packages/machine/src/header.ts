/**
 * Page 0 of machine memory: where everything else is found.
 *
 * Words that two threads contend for have a cache line each, 128 bytes apart, because the prefetcher fetches lines in pairs.
 * All offsets are in 32-bit words; addresses stored in the header are byte offsets as unsigned 32-bit numbers.
 *
 * @packageDocumentation
 */

/** Bytes of a machine page, the unit of the page allocator and of page lists. */
export const PAGE_BYTES = 4096;
/** log2 of {@link PAGE_BYTES}. */
export const PAGE_SHIFT = 12;
/** Bytes of a WebAssembly page, the unit in which machine memory is sized. */
export const WASM_PAGE_BYTES = 65536;
/** The most that WebAssembly's 32-bit addresses reach: 4 GiB. */
export const MEMORY_BYTES_MAX = 4294967296;
/** The least that holds the header and leaves something to allocate. */
export const MEMORY_BYTES_MIN = 262144;
/** Threads that can be attached at a time. */
export const THREADS_MAX = 64;
/** Words by which packages find their tables. */
export const ROOTS_MAX = 16;
/** Free lists of the page allocator: blocks of 1, 2, 4 … 2^19 pages. Page 0 is never free, so no block is larger than 2 GiB. */
export const ORDERS = 20;

/** First word of an initialised machine: "OVM1" in ASCII, little endian. */
export const MAGIC = 0x314d564f;
/** Version of everything in this file. Threads of one machine must agree on it. */
export const ABI = 1;

/** Words of the header. */
export const Header = {
  /** {@link MAGIC}, stored last by the creator. */
  MAGIC: 0,
  ABI: 1,
  /** Number of pages of the memory, the header included. */
  PAGES: 2,
  /** First page that the page allocator may hand out. */
  FIRST_PAGE: 3,
  /** Address of the page descriptors. */
  PAGE_TABLE: 4,
  /** Address of the bitmap of pages that have been handed out before. */
  TOUCHED: 5,
  /** Random: tells this machine from all others. Two words. */
  ID: 6,
  /** {@link ROOTS_MAX} addresses. */
  ROOTS: 16,
  /** Token of the thread that holds the lock, or 0: its index in the low byte, the generation of its slot above. */
  LOCK: 64,
  /** 1 when a thread may be parked on the lock. */
  LOCK_WAITERS: 96,
  /** Counts releases that saw a waiter: proof that a holder is not one and the same. */
  LOCK_PROGRESS: 128,
  /** Counts takeovers of the lock from vanished threads. */
  LOCK_TAKEOVERS: 129,
  /** Parking word of `waitUntil`, incremented at each wake-up. */
  WAKE: 160,
  /** 1 when a thread may be parked on {@link Header.WAKE}. */
  WAKE_SLEEPERS: 192,
  /** State of the page allocator: see `buddy-heap.ts`. */
  HEAP: 224,
  /** Thread slots, on a page of their own. */
  THREADS: 1024,
} as const;

/** Words of a thread slot; slot `i` (from 1) begins at `Header.THREADS + (i - 1) * THREAD_SLOT_WORDS`. */
export const ThreadSlot = {
  /** Identity of the thread, or 0: the slot is free. Stored first when it is claimed, last when it is freed. */
  TID: 0,
  /** 1 when the thread was declared dead. */
  DEAD: 1,
  /** Start time of the thread in clock ticks, a double; 0: not known. */
  START_F64: 2,
  /** Counts the threads that had the slot. */
  GENERATION: 4,
} as const;

/** Bits of a lock token that hold the thread index. */
export const TOKEN_INDEX_MASK = 0xff;

/** Words between two thread slots: a cache line. */
export const THREAD_SLOT_WORDS = 16;

/** Words of a page descriptor. */
export const PageWords = {
  /** Owner of the buffer that begins at this page, or 0. The commit store of the allocator. */
  OWNER: 0,
  /** Pages of that buffer; or, negative, the tag of a free block that begins here. */
  SIZE: 1,
  /** Neighbours in the free list, page numbers; 0 ends it. */
  NEXT: 2,
  PREV: 3,
} as const;

/** log2 of the words between two page descriptors. */
export const PAGE_WORDS_SHIFT = 2;

/** Where the tables of a memory of that many pages lie. */
export interface Layout {
  readonly pages: number;
  readonly pageTable: number;
  readonly touched: number;
  readonly firstPage: number;
}

/** Lays out the tables behind the header and the thread slots. */
export function layoutOf(memoryBytes: number): Layout {
  const pages = memoryBytes / PAGE_BYTES;
  const pageTable = 2 * PAGE_BYTES;
  const touched = pageTable + (pages << PAGE_WORDS_SHIFT) * 4;
  const end = touched + Math.ceil(pages / 32) * 4;
  return { pages, pageTable, touched, firstPage: Math.ceil(end / PAGE_BYTES) };
}
