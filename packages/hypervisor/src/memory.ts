/**
 * Pages of domains.
 *
 * @packageDocumentation
 */

/** A page as code reads and writes it, whoever owns it. */
export interface Page {
  /** Words that contain the page. */
  readonly i32: Int32Array;
  /** Index of the page's first word in {@link Page.i32}. */
  readonly word: number;
  /** Bytes that contain the page, from `4 * word` on. */
  readonly u8: Uint8Array;
  /** Where devices of this domain find it. Emulated: its machine address. */
  readonly address: number;
}

/** Where to allocate. */
export interface AllocPagesOptions {
  /** Bytes that the address of the first page is a multiple of: a power of two from 4096, the default. */
  readonly alignment?: number;
}

/** Pages that devices may access, so that they stay with their owner. */
export interface PinnedPages {
  /** How many. */
  readonly count: number;
  /** Where devices of the domain that pinned them find each, in the order of the list. Emulated: their machine addresses. */
  addresses(): number[];
  /** Gives them free. A second call does nothing. */
  unpin(): void;
}

/** The pages of a domain. A frame is the number of a page in machine memory. */
export interface DomainMemory {
  /** Pages that the domain may have. */
  readonly maxPages: number;
  /** Pages that it has. */
  readonly totPages: number;
  /** Runs of pages that follow each other that the domain may have pinned, whosever they are. */
  readonly pinnedRunsMax: number;
  /**
   * Takes a run of zeroed pages.
   *
   * @returns the first frame; the others follow it
   * @throws HypervisorError `ENOMEM` when the domain or the machine has no room; `EINVAL`
   */
  allocPages(count: number, options?: AllocPagesOptions): number;
  /**
   * Gives back what {@link DomainMemory.allocPages} returned, all of it.
   *
   * @throws HypervisorError `EBUSY` while another domain has one of the pages mapped, or one is pinned; `EINVAL`
   */
  freePages(frame: number): void;
  /**
   * A page of this domain.
   *
   * @throws HypervisorError `EPERM` when it is not
   */
  page(frame: number): Page;
  /**
   * What a device of this machine knows the pages of a domain by, at the time of each access: pages that the domain gets later are its own
   * then, and pages that it gives back are not. A device that takes an address as one of this owner's reaches no other page. dom0 may
   * ask for all domains, others for their own.
   *
   * @throws HypervisorError `EPERM` for another domain; `ESRCH` when the domain is gone
   */
  dmaOwner(domid: number): number;
  /**
   * Pins pages for DMA: until they are unpinned nobody can free them, give them away or revoke their grants. dom0 may pin pages of
   * all domains, others their own. The pages have to belong to the domain that is named: this is the check of a page list.
   *
   * @throws HypervisorError `EPERM` for a page of another domain, or one that is none, named; `ESRCH` when the domain is gone;
   *   `ENOSPC` when the table of pinned runs is full
   */
  pinPages(domid: number, frames: ArrayLike<number>): PinnedPages;
}
