/**
 * Buffers in machine memory: runs of 4 KiB pages, zeroed, each with an owner.
 *
 * @packageDocumentation
 */
import { BuddyHeap } from './buddy-heap.ts';
import type { Dma } from './dma.ts';
import { MachineError } from './errors.ts';
import { Header, MEMORY_BYTES_MAX, PAGE_BYTES, PAGE_SHIFT } from './header.ts';
import type { MachineLock } from './machine-lock.ts';

/** Owners are positive 31-bit numbers. What they mean is up to the packages that allocate. */
export const OWNER_MAX = 0x7fffffff;
/**
 * Owner of pages that are registers of a device, as the pages of a PCI BAR are: nobody's memory. A hypervisor lets only a domain that may
 * access I/O memory grant them.
 */
export const OWNER_IOMEM = 0x10200;

/** Where to allocate. */
export interface AllocOptions {
  /** Lowest address to use; for tests that want buffers above 2 GiB. Takes time linear in the number of free blocks. */
  readonly above?: number;
}

/** How machine memory is used, in bytes. */
export interface PageStats {
  /** All of the memory, the header and the tables included. */
  readonly totalBytes: number;
  readonly usedBytes: number;
  readonly freeBytes: number;
  /** The largest buffer that fits, for an alignment up to its size. */
  readonly largestFreeBytes: number;
  /** Number of buffers. */
  readonly buffers: number;
}

/**
 * A buddy allocator over the pages of machine memory. A buffer takes its exact number of pages, not a power of two.
 *
 * Methods take the machine lock, unless the calling thread holds it. Allocating and freeing cost O(log n) in the size of the memory,
 * whatever the number of buffers.
 */
export class PageAllocator {
  private readonly heap: BuddyHeap;
  private readonly i32: Int32Array;
  private readonly dma: Dma;
  private readonly lock: MachineLock;
  private readonly pages: number;
  private readonly touched: number;

  constructor(i32: Int32Array, dma: Dma, lock: MachineLock) {
    this.i32 = i32;
    this.dma = dma;
    this.lock = lock;
    this.pages = i32[Header.PAGES];
    this.touched = i32[Header.TOUCHED] >>> 2;
    this.heap = new BuddyHeap(i32, Header.HEAP, i32[Header.PAGE_TABLE] >>> 2, i32[Header.FIRST_PAGE], this.pages);
  }

  /** Makes all pages free; once, by the creator of the machine. */
  format(): void {
    this.heap.format();
  }

  /**
   * Allocates a zeroed buffer of whole pages.
   *
   * @param bytes - 1 or more; rounded up to pages
   * @param alignment - a power of two from 4096
   * @param owner - 1 to {@link OWNER_MAX}
   * @returns the address, or 0 when no run of free pages is long enough; 2 GiB is the most
   * @throws MachineError `EINVAL`
   */
  alloc(bytes: number, alignment: number, owner: number, options?: AllocOptions): number {
    const above = options?.above ?? 0;
    checkRequest(bytes, alignment, owner, above);
    const count = Math.ceil(bytes / PAGE_BYTES);
    if (count >= this.pages || alignment >= MEMORY_BYTES_MAX || above >= MEMORY_BYTES_MAX) return 0;
    const entered = this.lock.enter();
    let page: number;
    try {
      page = this.heap.alloc(count, 31 - Math.clz32(alignment) - PAGE_SHIFT, owner, Math.ceil(above / PAGE_BYTES));
    } finally {
      if (entered) this.lock.release();
    }
    // The pages are this thread's now, and nobody else knows them: zeroing needs no lock.
    if (page !== 0) this.zero(page, count);
    return page * PAGE_BYTES;
  }

  /**
   * Makes a buffer another owner's.
   *
   * @throws MachineError `EINVAL` when no buffer begins at the address
   */
  give(addr: number, owner: number): void {
    checkOwner(owner);
    const entered = this.lock.enter();
    try {
      const page = addr / PAGE_BYTES;
      if (Number.isInteger(page) && this.heap.give(page, owner)) return;
    } finally {
      if (entered) this.lock.release();
    }
    throw new MachineError({ code: 'EINVAL', message: `no buffer begins at ${hex(addr)}` });
  }

  /**
   * Frees a buffer.
   *
   * @throws MachineError `EINVAL` when no buffer begins at the address: it is wrong, or was freed before
   */
  free(addr: number): void {
    const entered = this.lock.enter();
    try {
      const page = addr / PAGE_BYTES;
      if (Number.isInteger(page) && this.heap.free(page) !== 0) return;
    } finally {
      if (entered) this.lock.release();
    }
    throw new MachineError({
      code: 'EINVAL',
      message: `no buffer begins at ${hex(addr)}`,
      hint: 'free takes the address that alloc returned, once',
    });
  }

  /**
   * Frees all buffers of an owner; walks all blocks once.
   *
   * @returns the number of buffers
   */
  freeOwned(owner: number): number {
    checkOwner(owner);
    const entered = this.lock.enter();
    let freed = 0;
    try {
      for (let page = this.heap.nextOwned(owner, 0); page !== 0; freed++) {
        // Look on before freeing joins the blocks around the buffer, because the walk must begin where a block does.
        const next = this.heap.nextOwned(owner, page + this.heap.sizeAt(page));
        this.heap.free(page);
        page = next;
      }
    } finally {
      if (entered) this.lock.release();
    }
    return freed;
  }

  /** First addresses of all buffers of an owner; walks all blocks once. */
  ownedBy(owner: number): number[] {
    checkOwner(owner);
    const entered = this.lock.enter();
    const found: number[] = [];
    try {
      for (let page = this.heap.nextOwned(owner, 0); page !== 0;) {
        found.push(page * PAGE_BYTES);
        page = this.heap.nextOwned(owner, page + this.heap.sizeAt(page));
      }
    } finally {
      if (entered) this.lock.release();
    }
    return found;
  }

  /** Owner of the buffer that contains an address, or 0. */
  ownerOf(addr: number): number {
    return this.withBuffer(addr, (page) => this.heap.ownerAt(page));
  }

  /**
   * Whether all pages from `from` to `to`, exclusive, are in buffers of an owner, now: by page numbers, which are small integers, since
   * devices ask it for each access.
   */
  isOwned(owner: number, from: number, to: number): boolean {
    const entered = this.lock.enter();
    try {
      return this.heap.isOwned(owner, from, to);
    } finally {
      if (entered) this.lock.release();
    }
  }

  /** First address of the buffer that contains an address, or 0. */
  baseOf(addr: number): number {
    return this.withBuffer(addr, (page) => page * PAGE_BYTES);
  }

  /** Bytes, in whole pages, of the buffer that contains an address, or 0. */
  sizeOf(addr: number): number {
    return this.withBuffer(addr, (page) => this.heap.sizeAt(page) * PAGE_BYTES);
  }

  /** Counts buffers and bytes; walks all blocks. */
  stats(): PageStats {
    const entered = this.lock.enter();
    try {
      const census = this.heap.census();
      return {
        totalBytes: this.pages * PAGE_BYTES,
        usedBytes: census.usedPages * PAGE_BYTES,
        freeBytes: census.freePages * PAGE_BYTES,
        largestFreeBytes: census.largestFreePages * PAGE_BYTES,
        buffers: census.buffers,
      };
    } finally {
      if (entered) this.lock.release();
    }
  }

  /** Derives the free lists from the records. Runs by itself after the holder of the lock vanished. */
  rebuild(): void {
    const entered = this.lock.enter();
    try {
      this.heap.rebuild();
    } finally {
      if (entered) this.lock.release();
    }
  }

  private withBuffer(addr: number, read: (page: number) => number): number {
    const entered = this.lock.enter();
    try {
      const page = addr >= 0 ? this.heap.find(Math.floor(addr / PAGE_BYTES)) : 0;
      return page === 0 ? 0 : read(page);
    } finally {
      if (entered) this.lock.release();
    }
  }

  /**
   * Zeroes those of some pages that were handed out before, and marks all of them. Pages never handed out are zero, and writing
   * to them would make them cost memory.
   */
  private zero(first: number, count: number): void {
    const end = first + count;
    let run = -1;
    for (let page = first; page < end;) {
      const stop = Math.min(end, (page | 31) + 1);
      const mask = (-1 >>> (32 - (stop - page))) << (page & 31);
      // Neighbours in the same word may belong to another thread.
      const before = Atomics.or(this.i32, this.touched + (page >>> 5), mask);
      for (; page < stop; page++) {
        const dirty = ((before >>> (page & 31)) & 1) !== 0;
        if (dirty && run < 0) run = page;
        if (!dirty && run >= 0) {
          this.dma.fill(run * PAGE_BYTES, 0, (page - run) * PAGE_BYTES);
          run = -1;
        }
      }
    }
    if (run >= 0) this.dma.fill(run * PAGE_BYTES, 0, (end - run) * PAGE_BYTES);
  }
}

function checkRequest(bytes: number, alignment: number, owner: number, above: number): void {
  if (!(bytes > 0 && Number.isSafeInteger(bytes))) {
    throw new MachineError({ code: 'EINVAL', message: `a buffer of ${bytes} bytes: the length is a positive integer` });
  }
  if (!(alignment >= PAGE_BYTES && Number.isSafeInteger(alignment) && Number.isInteger(Math.log2(alignment)))) {
    throw new MachineError({
      code: 'EINVAL',
      message: `alignment ${alignment} is not a power of two from ${PAGE_BYTES}`,
    });
  }
  if (!(above >= 0)) throw new MachineError({ code: 'EINVAL', message: `above: ${above} is no address` });
  checkOwner(owner);
}

function checkOwner(owner: number): void {
  if (!(owner >= 1 && owner <= OWNER_MAX && Number.isInteger(owner))) {
    throw new MachineError({ code: 'EINVAL', message: `owner ${owner} is not an integer from 1 to ${OWNER_MAX}` });
  }
}

function hex(addr: number): string {
  return Number.isInteger(addr) && addr >= 0 ? `0x${addr.toString(16)}` : String(addr);
}
