/** The grant table of a domain, and what it has mapped. */
import { HypervisorError } from '../errors.ts';
import type { GrantTable, MapOptions, Mapping, SharedPages } from '../grant-table.ts';
import { GRANT_REFS_RESERVED, isDomid } from '../limits.ts';
import type { DomainMemory, Page } from '../memory.ts';
import type { DomainAccess } from './domain-access.ts';
import { pageOf } from './domain-memory.ts';
import {
  endGrant,
  grant,
  isWithdrawn,
  mapGrants,
  mappedFrame,
  refusalToEnd,
  unmapEntry,
  withdrawGrant,
} from './grant-entries.ts';
import { freePages, releasePages } from './page-ownership.ts';

/** References that are mapped or unmapped before others have a turn with the lock. */
const REFS_PER_STEP = 1024;

export class EmulatedGrantTable implements GrantTable {
  readonly #access: DomainAccess;
  readonly #memory: DomainMemory;
  readonly #mappings = new Set<EmulatedMapping>();
  /** Of pages of I/O memory, granted by this handle. */
  readonly #iomemRefs = new Set<number>();

  constructor(access: DomainAccess, memory: DomainMemory) {
    this.#access = access;
    this.#memory = memory;
  }

  get inUse(): number {
    return this.#access.slot.grantAllocator.inUse - GRANT_REFS_RESERVED;
  }

  grantAccess(domid: number, frame: number, readonly = false): number {
    if (!isDomid(domid)) {
      throw new HypervisorError('EINVAL', `${domid} is no domain that a page can be granted to`);
    }
    const access = this.#access;
    return access.locked(() => {
      const ref = grant(access.tables, access.slot, domid, frame, readonly);
      if (access.tables.isIomem(frame)) this.#iomemRefs.add(ref);
      return ref;
    });
  }

  endAccess(ref: number): void {
    this.#endAll([ref]);
  }

  sharePages(domid: number, count: number, readonly = false): SharedPages {
    const first = this.#memory.allocPages(count);
    const refs: number[] = [];
    try {
      for (let i = 0; i < count; i++) refs.push(this.grantAccess(domid, first + i, readonly));
    } catch (error) {
      this.#endAll(refs);
      this.#memory.freePages(first);
      throw error;
    }
    return {
      refs,
      page: (index) => this.#memory.page(first + checkIndex(index, count)),
      unshare: () => {
        const access = this.#access;
        access.locked(() => {
          this.#endAll(refs);
          freePages(access.tables, access.domid, first);
        });
      },
    };
  }

  map(domid: number, refs: ArrayLike<number>, { readonly = false }: MapOptions = {}): Mapping {
    const access = this.#access;
    const mapping = new EmulatedMapping(access, domid, this.#mappings);
    try {
      for (let i = 0; i < refs.length; i += REFS_PER_STEP) {
        const some = Array.from({ length: Math.min(REFS_PER_STEP, refs.length - i) }, (_, n) => refs[i + n]);
        access.locked(() => {
          const granter = access.tables.running(domid);
          mapping.add(mapGrants(access.tables, access.slot, granter, some, readonly));
        });
      }
    } catch (error) {
      mapping.unmap();
      throw error;
    }
    return mapping;
  }

  /** Unmaps all that this handle has mapped, and ends what it has granted of devices. */
  close(): void {
    for (const mapping of [...this.#mappings]) mapping.unmap();
    const { tables, slot } = this.#access;
    tables.locked(() => {
      // Only dom0 has any, and it stays.
      for (const ref of this.#iomemRefs) withdrawGrant(tables, slot, ref);
    });
    this.#iomemRefs.clear();
  }

  /** Ends all grants or none. */
  #endAll(refs: readonly number[]): void {
    const access = this.#access;
    access.locked(() => {
      for (const ref of refs) {
        const refusal = refusalToEnd(access.tables, access.slot, ref);
        if (refusal !== undefined) throw refusal;
      }
      for (const ref of refs) {
        endGrant(access.tables, access.slot, ref);
        this.#iomemRefs.delete(ref);
      }
    });
  }
}

class EmulatedMapping implements Mapping {
  readonly #access: DomainAccess;
  readonly #granter: number;
  readonly #open: Set<EmulatedMapping>;
  readonly #indices: number[] = [];
  readonly #frames: number[] = [];

  constructor(access: DomainAccess, granter: number, open: Set<EmulatedMapping>) {
    this.#access = access;
    this.#granter = granter;
    this.#open = open;
    open.add(this);
  }

  /** Adds entries of the maptrack table. The lock must be held. */
  add(indices: readonly number[]): void {
    const { tables, slot } = this.#access;
    this.#indices.push(...indices);
    for (const index of indices) this.#frames.push(mappedFrame(tables, slot, index));
  }

  get count(): number {
    return this.#frames.length;
  }

  get contiguous(): boolean {
    return this.#frames.every((frame, i) => frame === this.#frames[0] + i);
  }

  page(index: number): Page {
    this.#access.check();
    if (!this.#open.has(this)) throw new HypervisorError('EINVAL', 'these pages were unmapped');
    const { tables, slot } = this.#access;
    if (isWithdrawn(tables, slot, this.#indices[checkIndex(index, this.count)])) {
      throw new HypervisorError('EINVAL', 'the device of this page has gone with the domain that drove it');
    }
    return pageOf(this.#access, this.#frames[index]);
  }

  unmap(): void {
    if (!this.#open.delete(this)) return;
    const { tables, slot, domid } = this.#access;
    for (let i = 0; i < this.#indices.length; i += REFS_PER_STEP) {
      tables.locked(() => {
        // If the domain is gone, so are its mappings.
        if (tables.find(domid) !== slot) return;
        for (const index of this.#indices.slice(i, i + REFS_PER_STEP)) unmapEntry(tables, slot, index);
        const granter = tables.find(this.#granter, true);
        if (granter !== undefined) releasePages(tables, granter);
      });
    }
  }
}

function checkIndex(index: number, count: number): number {
  if (Number.isInteger(index) && index >= 0 && index < count) return index;
  throw new HypervisorError('EINVAL', `there is no page ${index}: they are 0 to ${count - 1}`);
}
