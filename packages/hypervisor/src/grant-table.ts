/**
 * Grant tables: how a domain gives another one access to some of its pages.
 *
 * @packageDocumentation
 */
import type { Page } from './memory.ts';

/** Pages of another domain, mapped. */
export interface Mapping {
  /** How many pages. */
  readonly count: number;
  /** Whether page follows page in memory, so that the whole can be used as one. Always so on real Xen. */
  readonly contiguous: boolean;
  /**
   * A page, in the order of the references.
   *
   * @throws HypervisorError `EINVAL` when there is no such page, it was unmapped, or it was of a device that is no more
   */
  page(index: number): Page;
  /** Ends it. A second call does nothing. */
  unmap(): void;
}

/** How to map. */
export interface MapOptions {
  /** Refuse stores. By contract in emulation, where nothing can trap; but then the owner may have granted for reading only. */
  readonly readonly?: boolean;
}

/** Pages of this domain that were allocated in order to be granted, as libxengnttab's `xengntshr_share_pages` does. */
export interface SharedPages {
  /** References, one a page. */
  readonly refs: readonly number[];
  /** The pages. */
  page(index: number): Page;
  /**
   * Revokes the grants and frees the pages.
   *
   * @throws HypervisorError `EBUSY` while one is mapped or pinned; nothing has happened then
   */
  unshare(): void;
}

/** The grant table of a domain, and what the domain has mapped of others. There is no transfer of pages. */
export interface GrantTable {
  /** Entries that are in use. */
  readonly inUse: number;
  /**
   * Allows a domain to map a page of this one.
   *
   * On real Xen kernels can grant any page, programs only what they allocate for it: see {@link GrantTable.sharePages}. A domain that may
   * access I/O memory, as dom0 may, can also grant pages of devices' registers. Real Xen looks at that permission when such a grant is
   * mapped, and maps it for a PV guest alone. Where emulation's device ends with the handle or the thread that drives it, so do these
   * grants, mapped or not.
   *
   * @returns the reference
   * @throws HypervisorError `EPERM` when the frame is not this domain's; `ENOSPC` when the table is full
   */
  grantAccess(domid: number, frame: number, readonly?: boolean): number;
  /**
   * Revokes a grant.
   *
   * @throws HypervisorError `EBUSY` while it is mapped, or its page is pinned; `ENOENT` when there is no such grant
   */
  endAccess(ref: number): void;
  /**
   * Allocates pages and grants them.
   *
   * @throws HypervisorError as {@link GrantTable.grantAccess}; `ENOMEM`
   */
  sharePages(domid: number, count: number, readonly?: boolean): SharedPages;
  /**
   * Maps granted pages of another domain: all of them or none.
   *
   * @throws HypervisorError `EINVAL` for a reference that is none, not for this domain, for reading only, or to a page that its
   *   granter does not own; `ESRCH` when there is no such domain; `ENOSPC` when this domain has too much mapped
   */
  map(domid: number, refs: ArrayLike<number>, options?: MapOptions): Mapping;
}
