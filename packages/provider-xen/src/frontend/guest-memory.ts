/**
 * The memory of a guest: buffers at addresses of its own.
 *
 * A verbs address is the guest's virtual address. All guests count from the same base, so two of them hold the same addresses, and
 * only the keys tell them apart.
 */
import type { Domain } from '@openverbs/hypervisor';
import { HypervisorError, XEN_PAGE_BYTES } from '@openverbs/hypervisor';
import { VerbsError } from '@openverbs/verbs';
import type { DmaBufferOps, MrRequest } from '@openverbs/verbs/driver';
import { asVerbsError } from '../hypervisor-errors.ts';

/** Where a guest's address space shows the memory that its programs allocate. */
export const GUEST_ADDRESS_BASE = 0x200000000000;

/** A run of pages of the guest. */
export interface GuestRun {
  readonly frame: number;
  readonly pages: number;
  /** Verbs address of the first byte. */
  readonly addr: number;
  /** Where it lies in the memory that this thread sees. */
  readonly at: number;
  /** Bytes that were asked for. */
  readonly length: number;
}

/** Pages of a run, by frame number, from the one with the byte at `offset`. */
export interface PageRun {
  readonly frames: readonly number[];
  /** Where in the first page the bytes begin. */
  readonly firstOffset: number;
}

const NONE: GuestRun = { frame: 0, pages: 0, addr: 0, at: 0, length: 0 };

/** All memory of a domain that this thread's programs have, whatever context it came from. */
export class GuestMemory {
  readonly domain: Domain;
  readonly #runs = new Set<GuestRun>();
  #nextAddr = GUEST_ADDRESS_BASE;
  /** The run of the last inline data. */
  #last = NONE;
  /** Runs that are free as soon as nothing is registered on them. */
  #pinned: GuestRun[] = [];

  constructor(domain: Domain) {
    this.domain = domain;
  }

  /** Takes zeroed pages. */
  alloc(length: number, alignment: number): GuestRun {
    if (this.#pinned.length > 0) this.#freeUnpinned();
    const pages = Math.ceil(length / XEN_PAGE_BYTES);
    const frame = this.#allocPages(pages, alignment);
    const { word, address } = this.domain.memory.page(frame);
    if (address !== frame * XEN_PAGE_BYTES)
      throw new Error('a device finds the page elsewhere than its frame number says');
    const addr = Math.ceil(this.#nextAddr / alignment) * alignment;
    this.#nextAddr = addr + pages * XEN_PAGE_BYTES;
    const run = { frame, pages, addr, at: word * 4, length };
    this.#runs.add(run);
    return run;
  }

  /**
   * Gives pages back. Those that are still registered, by their bus addresses and so unknown to the buffer, stay with the guest until that
   * has ended: the hypervisor lets nobody else have them.
   */
  free(run: GuestRun): void {
    this.#runs.delete(run);
    this.#last = NONE;
    this.#pinned.push(run);
    this.#freeUnpinned();
  }

  #freeUnpinned(): void {
    this.#pinned = this.#pinned.filter(({ frame }) => {
      try {
        this.domain.memory.freePages(frame);
        return false;
      } catch (error) {
        if (error instanceof HypervisorError && error.code === 'EBUSY') return true;
        throw error;
      }
    });
  }

  /** The bytes of a run, in memory that this thread sees. */
  bytesOf({ frame, at, length }: GuestRun): Uint8Array {
    return new Uint8Array(this.domain.memory.page(frame).u8.buffer, at, length);
  }

  /** Where `length` bytes at a verbs address lie in the memory that this thread sees; -1 when they are none of a program's. */
  locate(addr: number, length: number): number {
    if (contains(this.#last, addr, length)) return this.#last.at + (addr - this.#last.addr);
    for (const run of this.#runs) {
      if (!contains(run, addr, length)) continue;
      this.#last = run;
      return run.at + (addr - run.addr);
    }
    return -1;
  }

  /** The bytes at a verbs address; null when they are none of a program's. */
  view(addr: number, length: number): Uint8Array | null {
    const at = this.locate(addr, length);
    return at < 0 ? null : new Uint8Array(this.domain.memory.page(this.#last.frame).u8.buffer, at, length);
  }

  /** The run that a view lies in. */
  runOf(view: Uint8Array): GuestRun | undefined {
    for (const run of this.#runs) {
      const { u8 } = this.domain.memory.page(run.frame);
      if (view.buffer !== u8.buffer) return undefined;
      if (view.byteOffset >= run.at && view.byteOffset + view.byteLength <= run.at + run.length) return run;
    }
    return undefined;
  }

  #allocPages(pages: number, alignment: number): number {
    return asVerbsError(() => this.domain.memory.allocPages(pages, { alignment: Math.max(alignment, XEN_PAGE_BYTES) }));
  }
}

/** The buffers of one context. */
export class GuestBuffers {
  readonly #memory: GuestMemory;
  readonly #runs = new Map<number, GuestRun>();
  #lastHandle = 0;

  constructor(memory: GuestMemory) {
    this.#memory = memory;
  }

  alloc(length: number, alignment: number): DmaBufferOps {
    const run = this.#memory.alloc(length, alignment);
    const handle = ++this.#lastHandle;
    this.#runs.set(handle, run);
    return { handle, addr: run.addr, bytes: this.#memory.bytesOf(run) };
  }

  free(handle: number): void {
    this.#memory.free(this.#get(handle));
    this.#runs.delete(handle);
  }

  freeAll(): void {
    for (const handle of [...this.#runs.keys()]) this.free(handle);
  }

  /** The memory of a request: its verbs address and its pages. */
  locate({
    buffer,
    offset,
    view,
    length,
  }: Pick<MrRequest, 'buffer' | 'offset' | 'view' | 'length'>): PageRun & { readonly addr: number } {
    const run = buffer === null ? this.#memory.runOf(view) : this.#get(buffer);
    if (run === undefined) {
      throw new VerbsError({
        code: 'EFAULT',
        message: 'this memory is not of the guest',
        hint: 'allocate it with context.allocBuf() and work on buffer.bytes',
      });
    }
    const start = buffer === null ? view.byteOffset - run.at : offset;
    return { ...pagesOf(run.frame, start, length), addr: run.addr + start };
  }

  #get(handle: number): GuestRun {
    const run = this.#runs.get(handle);
    if (run !== undefined) return run;
    throw new VerbsError({ code: 'EINVAL', message: `there is no buffer ${handle}` });
  }
}

/** The pages of `length` bytes from `offset` on in a run that begins at `frame`. */
export function pagesOf(frame: number, offset: number, length: number): PageRun {
  const first = frame + Math.floor(offset / XEN_PAGE_BYTES);
  const firstOffset = offset % XEN_PAGE_BYTES;
  const count = Math.ceil((firstOffset + length) / XEN_PAGE_BYTES);
  return { frames: Array.from({ length: count }, (_, n) => first + n), firstOffset };
}

function contains(run: GuestRun, addr: number, length: number): boolean {
  return addr >= run.addr && addr + length <= run.addr + run.pages * XEN_PAGE_BYTES && run.pages !== 0;
}
