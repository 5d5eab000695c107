/**
 * Makes the tables whole after a thread died with the lock, and gives back what threads and domains had that are no more.
 *
 * Entries are at a step boundary always: the word that makes one exist is stored last. What may be torn is derived: free lists, the
 * counts of mappings and pins, the other half of a channel.
 */
import { PAGE_BYTES } from '@openverbs/machine';
import { GRANT_REFS_RESERVED } from '../limits.ts';
import { countMapping, endGrantOfTheDead, unmapEntry, withdrawGrant } from './grant-entries.ts';
import { DomainRecord, Frame, Grant, Maptrack, PinnedRun, Port, PortState } from './layout.ts';
import { addPins, releasePages, unpinRun } from './page-ownership.ts';
import { closePort, isOtherBound } from './ports.ts';
import type { Slot, Tables } from './tables.ts';

/** Derives all that is derived. The lock must be held. */
export function rebuild(tables: Tables): void {
  const { i32, frames } = tables;
  const slots = tables.existing();
  const end = frames + (tables.machine.u8.length / PAGE_BYTES) * Frame.WORDS;
  // Most of the table was never written, and a store would make it cost memory.
  for (let word = frames; word < end; word++) if (i32[word] !== 0) i32[word] = 0;
  for (const slot of tables.withTables()) rebuildAllocators(tables, slot);
  for (const slot of slots) clearCounts(tables, slot);
  for (const slot of slots) recount(tables, slot);
  for (const slot of slots) mendPorts(tables, slot);
}

function rebuildAllocators({ i32 }: Tables, slot: Slot): void {
  const { grants, maptrack, pins, ports } = slot;
  slot.grantAllocator.rebuild((ref) => ref < GRANT_REFS_RESERVED || i32[grants + ref * Grant.WORDS] !== 0);
  slot.maptrackAllocator.rebuild((index) => i32[maptrack + index * Maptrack.WORDS] !== 0);
  slot.pinAllocator.rebuild((index) => i32[pins + index * PinnedRun.WORDS] !== 0);
  slot.portAllocator.rebuild((port) => port === 0 || i32[ports + port * Port.WORDS] !== 0);
}

function clearCounts({ i32 }: Tables, slot: Slot): void {
  for (let ref = 0; ref < slot.grantAllocator.highWater; ref++) {
    i32[slot.grants + ref * Grant.WORDS + Grant.READERS] = 0;
    i32[slot.grants + ref * Grant.WORDS + Grant.WRITERS] = 0;
  }
}

function recount(tables: Tables, slot: Slot): void {
  const { i32, machine } = tables;
  for (let index = 0; index < slot.maptrackAllocator.highWater; index++) {
    const entry = slot.maptrack + index * Maptrack.WORDS;
    // None of an entry that is free.
    const granter = tables.find(i32[entry + Maptrack.GRANTER] - 1, true);
    if (granter !== undefined) countMapping(tables, granter, entry, 1);
  }
  for (let index = 0; index < slot.pinAllocator.highWater; index++) {
    const entry = slot.pins + index * PinnedRun.WORDS;
    addPins(tables, i32[entry + PinnedRun.FRAME], i32[entry + PinnedRun.COUNT], 1);
  }
  const owned = machine.pages.ownedBy(tables.pageOwner(tables.domidOf(slot)));
  const bytes = owned.reduce((sum, address) => sum + machine.pages.sizeOf(address), 0);
  i32[slot.record + DomainRecord.TOT_PAGES] = bytes / PAGE_BYTES;
}

/** A bound port whose other end is not was being bound or closed: it waits for somebody to bind again. */
function mendPorts(tables: Tables, slot: Slot): void {
  const { i32 } = tables;
  for (let port = 1; port < slot.portAllocator.highWater; port++) {
    const entry = slot.ports + port * Port.WORDS;
    if (i32[entry + Port.STATE] !== PortState.INTERDOMAIN || isOtherBound(tables, slot, port)) continue;
    Atomics.store(i32, entry + Port.STATE, PortState.UNBOUND);
  }
}

/** Gives back all that a domain had of others, and those of its pages that nobody uses. May be repeated. The lock must be held. */
export function tearDown(tables: Tables, slot: Slot): void {
  giveBack(tables, slot, () => true);
  for (let ref = GRANT_REFS_RESERVED; ref < slot.grantAllocator.highWater; ref++) {
    if (tables.i32[slot.grants + ref * Grant.WORDS] !== 0) endGrantOfTheDead(tables, slot, ref);
  }
  releasePages(tables, slot);
}

/** Gives back what one thread had bound, mapped and pinned in a domain, and granted of devices. The lock must be held. */
export function giveBackThread(tables: Tables, slot: Slot, thread: number): void {
  giveBack(tables, slot, (token) => token === thread);
  const { i32 } = tables;
  for (let ref = GRANT_REFS_RESERVED; ref < slot.grantAllocator.highWater; ref++) {
    const entry = slot.grants + ref * Grant.WORDS;
    if (i32[entry + Grant.FLAGS] !== 0 && i32[entry + Grant.THREAD] === thread) withdrawGrant(tables, slot, ref);
  }
}

function giveBack(tables: Tables, slot: Slot, isOf: (thread: number) => boolean): void {
  const { i32 } = tables;
  for (let port = 1; port < slot.portAllocator.highWater; port++) {
    if (isOf(i32[slot.ports + port * Port.WORDS + Port.THREAD])) closePort(tables, slot, port);
  }
  for (let index = 0; index < slot.maptrackAllocator.highWater; index++) {
    if (isOf(i32[slot.maptrack + index * Maptrack.WORDS + Maptrack.THREAD])) unmapEntry(tables, slot, index);
  }
  for (let index = 0; index < slot.pinAllocator.highWater; index++) {
    if (isOf(i32[slot.pins + index * PinnedRun.WORDS + PinnedRun.THREAD])) unpinRun(tables, slot, index);
  }
  for (const other of tables.existing()) if (other !== slot) releasePages(tables, other);
}
