/**
 * Grants and mappings, as entries of tables. All functions want the lock.
 *
 * A grant table belongs to its domain, which may write anything into it: each word is read once, and checked.
 */
import { HypervisorError } from '../errors.ts';
import { GRANT_REFS_RESERVED } from '../limits.ts';
import { DomainRecord, DomainState, Frame, Grant, GrantFlag, Maptrack, WITHDRAWN } from './layout.ts';
import type { Slot, Tables } from './tables.ts';

/** Makes a grant; returns its reference. */
export function grant(tables: Tables, slot: Slot, domid: number, frame: number, readonly: boolean): number {
  const { i32 } = tables;
  const own = tables.domidOf(slot);
  if (!Number.isInteger(frame) || !tables.mayGrant(own, frame)) {
    throw new HypervisorError('EPERM', `frame ${frame} does not belong to domain ${own}`);
  }
  const ref = slot.grantAllocator.alloc();
  if (ref < 0) {
    const message = `the grant table of domain ${own} is full (grantsMax is ${slot.grantAllocator.capacity})`;
    throw new HypervisorError('ENOSPC', message, 'end grants that are not needed, or raise the limit');
  }
  const entry = slot.grants + ref * Grant.WORDS;
  i32[entry + Grant.DOMID] = domid;
  i32[entry + Grant.FRAME] = frame;
  i32[entry + Grant.READERS] = 0;
  i32[entry + Grant.WRITERS] = 0;
  i32[entry + Grant.THREAD] = tables.isIomem(frame) ? tables.thread : 0;
  Atomics.store(i32, entry + Grant.FLAGS, GrantFlag.PERMIT_ACCESS | (readonly ? GrantFlag.READONLY : 0));
  return ref;
}

/** Why a grant cannot be ended now, or undefined. */
export function refusalToEnd(tables: Tables, slot: Slot, ref: number): HypervisorError | undefined {
  const { i32 } = tables;
  const entry = grantEntry(tables, slot, ref);
  if (entry < 0 || i32[entry + Grant.FLAGS] === 0) {
    return new HypervisorError('ENOENT', `grant reference ${ref} of domain ${tables.domidOf(slot)} is not in use`);
  }
  const [readers, writers] = [i32[entry + Grant.READERS], i32[entry + Grant.WRITERS]];
  if (readers + writers > 0) {
    const message = `grant reference ${ref} is mapped ${readers + writers} times by domain ${i32[entry + Grant.DOMID]}`;
    return new HypervisorError('EBUSY', message, 'wait until the other domain has unmapped it');
  }
  const frame = i32[entry + Grant.FRAME];
  if (i32[tables.frame(frame) + Frame.PINS] > 0) {
    return new HypervisorError(
      'EBUSY',
      `frame ${frame} of grant reference ${ref} is pinned`,
      'deregister its memory first',
    );
  }
  return undefined;
}

/** Ends a grant that nothing stands against. */
export function endGrant(tables: Tables, slot: Slot, ref: number): void {
  Atomics.store(tables.i32, slot.grants + ref * Grant.WORDS + Grant.FLAGS, 0);
  if (slot.grantAllocator.isUsed(ref)) slot.grantAllocator.free(ref);
}

/** Maps grants of another domain; returns the entries. All or none. */
export function mapGrants(
  tables: Tables,
  slot: Slot,
  granter: Slot,
  refs: readonly number[],
  readonly: boolean,
): number[] {
  const mapper = tables.domidOf(slot);
  const frames = refs.map((ref) => checkGrant(tables, granter, ref, mapper, readonly));
  if (slot.maptrackAllocator.capacity - slot.maptrackAllocator.inUse < refs.length) {
    const message = `domain ${mapper} cannot map ${refs.length} pages more (mappingsMax is ${slot.maptrackAllocator.capacity})`;
    throw new HypervisorError('ENOSPC', message, 'unmap others, or raise the limit');
  }
  return refs.map((ref, i) => track(tables, slot, granter, ref, frames[i], readonly));
}

/** The frame that a reference grants to a domain. */
function checkGrant(tables: Tables, granter: Slot, ref: number, mapper: number, readonly: boolean): number {
  const { i32 } = tables;
  const domid = tables.domidOf(granter);
  const refuse = (why: string, hint = ''): HypervisorError =>
    new HypervisorError('EINVAL', `grant reference ${ref} of domain ${domid} ${why}`, hint);
  const entry = grantEntry(tables, granter, ref);
  const flags = entry < 0 ? 0 : Atomics.load(i32, entry + Grant.FLAGS);
  if ((flags & GrantFlag.PERMIT_ACCESS) === 0) throw refuse('is not in use');
  const allowed = i32[entry + Grant.DOMID];
  if (allowed !== mapper) throw refuse(`is for domain ${allowed}, not ${mapper}`);
  if (!readonly && (flags & GrantFlag.READONLY) !== 0) throw refuse('is for reading only', 'map it readonly');
  const frame = i32[entry + Grant.FRAME];
  if (!tables.mayGrant(domid, frame)) throw refuse(`names frame ${frame}, which is not that domain's`);
  return frame;
}

function track(tables: Tables, slot: Slot, granter: Slot, ref: number, frame: number, readonly: boolean): number {
  const { i32 } = tables;
  const index = slot.maptrackAllocator.alloc();
  const entry = slot.maptrack + index * Maptrack.WORDS;
  i32[entry + Maptrack.REF] = ref;
  i32[entry + Maptrack.FRAME] = frame;
  i32[entry + Maptrack.READONLY] = readonly ? 1 : 0;
  i32[entry + Maptrack.THREAD] = tables.thread;
  countMapping(tables, granter, entry, 1);
  Atomics.store(i32, entry + Maptrack.GRANTER, tables.domidOf(granter) + 1);
  return index;
}

/** The frame of a mapping. */
export function mappedFrame({ i32 }: Tables, slot: Slot, index: number): number {
  return i32[slot.maptrack + index * Maptrack.WORDS + Maptrack.FRAME];
}

/** Ends a mapping. The pages of a granter that is dying may be free after it. */
export function unmapEntry(tables: Tables, slot: Slot, index: number): void {
  const { i32 } = tables;
  const entry = slot.maptrack + index * Maptrack.WORDS;
  const granterDomid = i32[entry + Maptrack.GRANTER] - 1;
  if (granterDomid < 0) return;
  const granter = tables.find(granterDomid, true);
  Atomics.store(i32, entry + Maptrack.GRANTER, 0);
  if (granter !== undefined) {
    countMapping(tables, granter, entry, -1);
    endGrantOfTheDead(tables, granter, i32[entry + Maptrack.REF]);
  }
  slot.maptrackAllocator.free(index);
}

/**
 * Ends a grant of I/O memory whether it is mapped or not: its device goes with the domain that drove it, and what was registers becomes
 * memory of others. The mappings stay with who mapped, and are of nothing.
 */
export function withdrawGrant(tables: Tables, granter: Slot, ref: number): void {
  const { i32 } = tables;
  const named = tables.domidOf(granter) + 1;
  for (const { maptrack, maptrackAllocator } of tables.existing()) {
    for (let index = 0; index < maptrackAllocator.highWater; index++) {
      const entry = maptrack + index * Maptrack.WORDS;
      if (i32[entry + Maptrack.GRANTER] !== named || i32[entry + Maptrack.REF] !== ref) continue;
      Atomics.store(i32, entry + Maptrack.GRANTER, WITHDRAWN);
      countMapping(tables, granter, entry, -1);
    }
  }
  endGrant(tables, granter, ref);
}

/** Whether a mapping is of nothing any more, see {@link withdrawGrant}. */
export function isWithdrawn({ i32 }: Tables, slot: Slot, index: number): boolean {
  return i32[slot.maptrack + index * Maptrack.WORDS + Maptrack.GRANTER] === WITHDRAWN;
}

/** Counts a mapping at the grant and at the page. */
export function countMapping(tables: Tables, granter: Slot, entry: number, mappings: number): void {
  const { i32 } = tables;
  const kind = i32[entry + Maptrack.READONLY] === 0 ? Grant.WRITERS : Grant.READERS;
  i32[granter.grants + i32[entry + Maptrack.REF] * Grant.WORDS + kind] += mappings;
  i32[tables.frame(i32[entry + Maptrack.FRAME]) + Frame.MAPPINGS] += mappings;
}

/** A grant outlives its domain only as long as it is mapped. */
export function endGrantOfTheDead(tables: Tables, granter: Slot, ref: number): void {
  const { i32 } = tables;
  const entry = granter.grants + ref * Grant.WORDS;
  if (i32[granter.record + DomainRecord.STATE] !== DomainState.DYING) return;
  if (i32[entry + Grant.READERS] + i32[entry + Grant.WRITERS] === 0) endGrant(tables, granter, ref);
}

function grantEntry({ limits }: Tables, slot: Slot, ref: number): number {
  const exists = Number.isInteger(ref) && ref >= GRANT_REFS_RESERVED && ref < limits.grantsMax;
  return exists ? slot.grants + ref * Grant.WORDS : -1;
}
