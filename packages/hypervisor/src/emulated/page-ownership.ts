/**
 * Who owns which page, and which of them devices use.
 *
 * The owner of a page is that of its buffer in the page allocator, so there is nothing that could disagree with it. What is counted here
 * (mappings and pins of a page) is derived from the tables of those who mapped and pinned.
 */
import { PAGE_BYTES } from '@openverbs/machine';
import { HypervisorError } from '../errors.ts';
import { DomainRecord, DomainState, Frame, PinnedRun } from './layout.ts';
import type { Slot, Tables } from './tables.ts';

/** A run of pages. */
export interface Run {
  readonly frame: number;
  readonly count: number;
}

/**
 * Takes pages for a domain; returns the first frame. They are the domain's from the moment on in which they are zero: devices look at
 * the owner alone, and would read there what the former owner left.
 */
export function allocPages(tables: Tables, domid: number, count: number, alignment: number): number {
  const { pages } = tables.machine;
  const slot = tables.locked(() => checkRoom(tables, tables.running(domid), count));
  // Without the lock, because zeroing takes long.
  const address = pages.alloc(count * PAGE_BYTES, alignment, tables.zeroingOwner(tables.machine.threadIndex));
  if (address === 0) {
    throw new HypervisorError('ENOMEM', `the machine has no run of ${count} pages`, 'give the machine more memory');
  }
  tables.locked(() => {
    try {
      if (tables.find(domid) !== slot) throw new HypervisorError('ESRCH', `domain ${domid} was destroyed`);
      checkRoom(tables, slot, count); // other threads of the domain allocate, too
    } catch (error) {
      pages.free(address);
      throw error;
    }
    pages.give(address, tables.pageOwner(domid));
    tables.i32[slot.record + DomainRecord.TOT_PAGES] += count;
  });
  return address / PAGE_BYTES;
}

function checkRoom({ i32 }: Tables, slot: Slot, count: number): Slot {
  const total = i32[slot.record + DomainRecord.TOT_PAGES] + count;
  const max = i32[slot.record + DomainRecord.MAX_PAGES];
  if (total <= max) return slot;
  const domid = i32[slot.record + DomainRecord.DOMID];
  const message = `${count} pages more would make ${total} of domain ${domid}, which may have ${max}`;
  throw new HypervisorError('ENOMEM', message, 'free pages, or create the domain with more memoryBytes');
}

/** Gives a run back that {@link allocPages} returned. */
export function freePages(tables: Tables, domid: number, frame: number): void {
  tables.locked(() => {
    const slot = tables.running(domid);
    const { pages } = tables.machine;
    const address = frame * PAGE_BYTES;
    if (tables.ownerOf(frame) !== domid || pages.baseOf(address) !== address) {
      throw new HypervisorError('EINVAL', `no run of pages of domain ${domid} begins at frame ${frame}`);
    }
    const count = pages.sizeOf(address) / PAGE_BYTES;
    refuseInUse(tables, frame, count);
    pages.free(address);
    tables.i32[slot.record + DomainRecord.TOT_PAGES] -= count;
  });
}

function refuseInUse({ i32, frames }: Tables, first: number, count: number): void {
  for (let frame = first; frame < first + count; frame++) {
    const mappings = i32[frames + frame * Frame.WORDS + Frame.MAPPINGS];
    const pins = i32[frames + frame * Frame.WORDS + Frame.PINS];
    if (mappings === 0 && pins === 0) continue;
    const message = `frame ${frame} is mapped ${mappings} and pinned ${pins} times`;
    throw new HypervisorError('EBUSY', message, 'deregister memory and let the other domain unmap first');
  }
}

/** Runs that some frames consist of, in their order. */
export function runsOf(frames: ArrayLike<number>): Run[] {
  const runs: Run[] = [];
  for (let i = 0; i < frames.length;) {
    const frame = frames[i];
    let count = 1;
    while (i + count < frames.length && frames[i + count] === frame + count) count++;
    runs.push({ frame, count });
    i += count;
  }
  return runs;
}

/** Pins runs of a domain's pages for another one; returns the entries. All or none. The lock must be held. */
export function pinRuns(tables: Tables, slot: Slot, domid: number, runs: readonly Run[]): number[] {
  for (const run of runs) checkRun(tables, domid, run);
  if (slot.pinAllocator.capacity - slot.pinAllocator.inUse < runs.length) {
    const message = `${runs.length} runs more do not fit the table of pinned runs (pinnedRunsMax is ${slot.pinAllocator.capacity})`;
    throw new HypervisorError('ENOSPC', message, 'unpin others, use pages that follow each other, or raise the limit');
  }
  return runs.map((run) => pinRun(tables, slot, run));
}

function checkRun(tables: Tables, domid: number, { frame, count }: Run): void {
  const { pages } = tables.machine;
  const end = frame + count;
  // Not while it is less: a number that is none would pass.
  for (let next = frame; next !== end;) {
    const owner = Number.isInteger(next) ? tables.ownerOf(next) : -1;
    if (owner !== domid) {
      const whose = owner < 0 ? 'no domain' : `domain ${owner}`;
      throw new HypervisorError('EPERM', `frame ${next} belongs to ${whose}, not to domain ${domid}`);
    }
    const address = next * PAGE_BYTES;
    next = Math.min(end, (pages.baseOf(address) + pages.sizeOf(address)) / PAGE_BYTES);
  }
}

function pinRun(tables: Tables, slot: Slot, { frame, count }: Run): number {
  const { i32 } = tables;
  const index = slot.pinAllocator.alloc();
  const entry = slot.pins + index * PinnedRun.WORDS;
  i32[entry + PinnedRun.FRAME] = frame;
  i32[entry + PinnedRun.THREAD] = tables.thread;
  addPins(tables, frame, count, 1);
  Atomics.store(i32, entry + PinnedRun.COUNT, count);
  return index;
}

/** Ends an entry. The lock must be held. The pages of a domain that is dying may be free after it: see {@link releasePages}. */
export function unpinRun(tables: Tables, slot: Slot, index: number): void {
  const { i32 } = tables;
  const entry = slot.pins + index * PinnedRun.WORDS;
  const count = i32[entry + PinnedRun.COUNT];
  if (count === 0) return;
  Atomics.store(i32, entry + PinnedRun.COUNT, 0);
  addPins(tables, i32[entry + PinnedRun.FRAME], count, -1);
  slot.pinAllocator.free(index);
}

/** Adds to the pins of some pages. */
export function addPins({ i32, frames }: Tables, frame: number, count: number, pins: number): void {
  const end = frames + (frame + count) * Frame.WORDS;
  for (let word = frames + frame * Frame.WORDS; word < end; word += Frame.WORDS) i32[word + Frame.PINS] += pins;
}

/**
 * Frees the pages of a dying domain that nobody uses any more, and its number with the last of them. The lock must be held; all that the
 * domain itself had of others has been given back.
 */
export function releasePages(tables: Tables, slot: Slot): void {
  const { i32, machine } = tables;
  if (i32[slot.record + DomainRecord.STATE] !== DomainState.DYING) return;
  let left = 0;
  for (const address of machine.pages.ownedBy(tables.pageOwner(tables.domidOf(slot)))) {
    const count = machine.pages.sizeOf(address) / PAGE_BYTES;
    if (isInUse(tables, address / PAGE_BYTES, count)) left += count;
    else machine.pages.free(address);
  }
  i32[slot.record + DomainRecord.TOT_PAGES] = left;
  if (left === 0) Atomics.store(i32, slot.record + DomainRecord.STATE, DomainState.FREE);
}

function isInUse({ i32, frames }: Tables, frame: number, count: number): boolean {
  const end = frames + (frame + count) * Frame.WORDS;
  for (let word = frames + frame * Frame.WORDS; word < end; word += Frame.WORDS) {
    if (i32[word + Frame.MAPPINGS] !== 0 || i32[word + Frame.PINS] !== 0) return true;
  }
  return false;
}
