/** The pages of a domain, and those it has pinned. */
import { PAGE_BYTES } from '@openverbs/machine';
import { HypervisorError } from '../errors.ts';
import { DOM0 } from '../limits.ts';
import type { AllocPagesOptions, DomainMemory, Page, PinnedPages } from '../memory.ts';
import type { DomainAccess } from './domain-access.ts';
import { DomainRecord } from './layout.ts';
import { allocPages, freePages, pinRuns, releasePages, runsOf, unpinRun } from './page-ownership.ts';
import type { Run } from './page-ownership.ts';

/** Runs that are pinned or unpinned before others have a turn with the lock. */
const RUNS_PER_STEP = 1024;

export class EmulatedMemory implements DomainMemory {
  readonly #access: DomainAccess;
  readonly #pinned = new Set<PinnedPages>();

  constructor(access: DomainAccess) {
    this.#access = access;
  }

  get maxPages(): number {
    return this.#access.tables.i32[this.#access.slot.record + DomainRecord.MAX_PAGES];
  }

  get totPages(): number {
    return this.#access.tables.i32[this.#access.slot.record + DomainRecord.TOT_PAGES];
  }

  get pinnedRunsMax(): number {
    return this.#access.tables.limits.pinnedRunsMax;
  }

  allocPages(count: number, { alignment = PAGE_BYTES }: AllocPagesOptions = {}): number {
    this.#access.check();
    if (!(Number.isSafeInteger(count) && count > 0)) {
      throw new HypervisorError('EINVAL', `${count} pages: the count is a positive integer`);
    }
    if (!(alignment >= PAGE_BYTES && Number.isInteger(Math.log2(alignment)))) {
      throw new HypervisorError('EINVAL', `alignment ${alignment} is not a power of two from ${PAGE_BYTES}`);
    }
    return allocPages(this.#access.tables, this.#access.domid, count, alignment);
  }

  freePages(frame: number): void {
    this.#access.check();
    freePages(this.#access.tables, this.#access.domid, frame);
  }

  page(frame: number): Page {
    const access = this.#access;
    access.check();
    const owner = Number.isInteger(frame) ? access.tables.ownerOf(frame) : -1;
    if (owner === access.domid) return pageOf(access, frame);
    throw new HypervisorError('EPERM', `frame ${frame} does not belong to domain ${access.domid}`);
  }

  dmaOwner(domid: number): number {
    const access = this.#access;
    access.check();
    if (access.domid !== DOM0 && access.domid !== domid) {
      const message = `domain ${access.domid} cannot have devices access pages of domain ${domid}`;
      throw new HypervisorError('EPERM', message, 'only dom0 asks for others');
    }
    access.tables.running(domid);
    return access.tables.pageOwner(domid);
  }

  pinPages(domid: number, frames: ArrayLike<number>): PinnedPages {
    const access = this.#access;
    if (access.domid !== DOM0 && access.domid !== domid) {
      const message = `domain ${access.domid} cannot pin pages of domain ${domid}`;
      throw new HypervisorError('EPERM', message, 'only dom0 pins pages of others');
    }
    const runs = runsOf(frames);
    const indices: number[] = [];
    try {
      for (let i = 0; i < runs.length; i += RUNS_PER_STEP) {
        const some = runs.slice(i, i + RUNS_PER_STEP);
        const step = (): number[] => {
          access.tables.running(domid);
          return pinRuns(access.tables, access.slot, domid, some);
        };
        indices.push(...access.locked(step));
      }
    } catch (error) {
      this.#unpin(domid, indices);
      throw error;
    }
    return this.#hold(domid, frames.length, runs, indices);
  }

  /** Unpins all that this handle has pinned. */
  close(): void {
    for (const pages of [...this.#pinned]) pages.unpin();
  }

  #hold(domid: number, count: number, runs: readonly Run[], indices: number[]): PinnedPages {
    const pages: PinnedPages = {
      count,
      addresses: () => addressesOf(runs),
      unpin: () => {
        if (this.#pinned.delete(pages)) this.#unpin(domid, indices);
      },
    };
    this.#pinned.add(pages);
    return pages;
  }

  #unpin(domid: number, indices: readonly number[]): void {
    const access = this.#access;
    const { tables, slot } = access;
    for (let i = 0; i < indices.length; i += RUNS_PER_STEP) {
      tables.locked(() => {
        // If the domain is gone, so are its pins.
        if (tables.find(access.domid) !== slot) return;
        for (const index of indices.slice(i, i + RUNS_PER_STEP)) unpinRun(tables, slot, index);
        const owner = tables.find(domid, true);
        if (owner !== undefined) releasePages(tables, owner);
      });
    }
  }
}

/** A page of the machine as code sees it. */
export function pageOf({ tables }: DomainAccess, frame: number): Page {
  return { i32: tables.i32, word: frame * (PAGE_BYTES / 4), u8: tables.machine.u8, address: frame * PAGE_BYTES };
}

function addressesOf(runs: readonly Run[]): number[] {
  return runs.flatMap(({ frame, count }) => Array.from({ length: count }, (_, n) => (frame + n) * PAGE_BYTES));
}
