/** Regions and memory windows in the TPT: entered, changed in place. All want the machine's lock, and the PD has been checked. */
import type { OwnedRegionInit, RegionInit, RegionPlace, WindowInit } from './command-init.ts';
import { DeviceError } from './device-error.ts';
import type { Engine } from './engine.ts';
import type { Hca } from './hca.ts';
import { allocWords } from './hca.ts';
import { Mpt, MPT_PD_SPECIAL, MptKind } from './layout.ts';
import { MPTS_MAX } from './limits.ts';

const VARIANT_MAX = 255;

/** Enters a region and returns its key. */
export function enterRegion(engine: Engine, hca: Hca, init: RegionInit): number {
  const { i32, pages } = engine.machine;
  const mtt = init.pages === undefined ? 0 : pageList(engine, init.pages);
  const entry = allocEntry(hca);
  if (entry < 0) {
    if (mtt !== 0) pages.free(mtt * 4);
    throw full();
  }
  storePlace(i32, entry, init, mtt);
  i32[entry + Mpt.KIND] = MptKind.REGION;
  i32[entry + Mpt.REGION] = 0;
  i32[entry + Mpt.PINS] = 0;
  i32[entry + Mpt.UAR] = init.uar;
  return storeKey(i32, hca.mptTable, entry);
}

/** Enters a null region, which has every address and no memory, and returns its key. */
export function enterNullRegion(engine: Engine, hca: Hca, uar: number, pd: number): number {
  const { i32 } = engine.machine;
  const entry = allocEntry(hca);
  if (entry < 0) throw full();
  i32.fill(0, entry, entry + Mpt.VARIANT);
  i32[entry + Mpt.PD] = pd | MPT_PD_SPECIAL;
  i32[entry + Mpt.KIND] = MptKind.NULL;
  i32[entry + Mpt.UAR] = uar;
  return storeKey(i32, hca.mptTable, entry);
}

/** Enters the region of whatever pages one owner has, and returns its key. */
export function enterOwnedRegion(engine: Engine, hca: Hca, init: OwnedRegionInit): number {
  const { i32 } = engine.machine;
  const entry = allocEntry(hca);
  if (entry < 0) throw full();
  i32.fill(0, entry, entry + Mpt.VARIANT);
  storePlace(i32, entry, init, 0);
  i32[entry + Mpt.PD] = init.pd | MPT_PD_SPECIAL;
  i32[entry + Mpt.KIND] = MptKind.OWNED;
  i32[entry + Mpt.OWNER] = init.owner;
  i32[entry + Mpt.UAR] = init.uar;
  i32[entry + Mpt.REGION] = 0;
  return storeKey(i32, hca.mptTable, entry);
}

/** Enters a memory window that is not bound, and returns its key. */
export function enterWindow(engine: Engine, hca: Hca, init: WindowInit): number {
  const { i32 } = engine.machine;
  const entry = allocEntry(hca);
  if (entry < 0) throw full();
  i32.fill(0, entry, entry + Mpt.VARIANT);
  i32[entry + Mpt.PD] = init.pd | MPT_PD_SPECIAL;
  i32[entry + Mpt.UAR] = init.uar;
  i32[entry + Mpt.KIND] = init.type2 ? MptKind.WINDOW_TYPE_2 : MptKind.WINDOW_TYPE_1;
  i32[entry + Mpt.REGION] = 0;
  i32[entry + Mpt.QPN] = 0;
  return storeKey(i32, hca.mptTable, entry);
}

/**
 * The entry of a memory window, 0 when there is none. Its number is the key that it had first: the low byte of the present one is
 * its owner's to choose.
 */
export function windowEntry(i32: Int32Array, table: number, number: number): number {
  const index = number >>> 8;
  const entry = table + index * Mpt.WORDS;
  if (index >= MPTS_MAX || i32[entry + Mpt.KEY] === 0 || i32[entry + Mpt.KIND] < MptKind.WINDOW_TYPE_1) return 0;
  return i32[entry + Mpt.VARIANT] === (number & 0xff) ? entry : 0;
}

/** Changes a region to another place, PD or access, and returns its new key. */
export function changeRegion(engine: Engine, hca: Hca, entry: number, place: RegionPlace): number {
  const { i32, pages } = engine.machine;
  const oldList = i32[entry + Mpt.MTT];
  const mtt = place.pages === undefined ? 0 : pageList(engine, place.pages);
  Atomics.store(i32, entry + Mpt.KEY, 0);
  storePlace(i32, entry, place, mtt);
  const key = storeKey(i32, hca.mptTable, entry);
  if (oldList !== 0) pages.free(oldList * 4);
  return key;
}

/** Refuses what a thing that lives in the region, or on it, would suffer from. */
export function checkUnpinned(i32: Int32Array, entry: number): void {
  if (i32[entry + Mpt.PINS] === 0) return;
  const name = `memory region ${i32[entry + Mpt.KEY] >>> 8}`;
  if (i32[entry + Mpt.PD] === 0) throw new DeviceError('EBUSY', `${name} holds the rings of a QP, CQ or SRQ`);
  const hint = 'invalidate or deallocate them first';
  throw new DeviceError('EBUSY', `memory windows are bound to ${name}: ${i32[entry + Mpt.PINS]}`, hint);
}

/** Refuses to change what is no region of memory, or is in use. */
export function checkChange(i32: Int32Array, entry: number): void {
  if (i32[entry + Mpt.KIND] !== MptKind.REGION || i32[entry + Mpt.PD] === 0) {
    throw new DeviceError('EINVAL', `entry ${i32[entry + Mpt.KEY] >>> 8} of the TPT is no region of memory`);
  }
  checkUnpinned(i32, entry);
}

/** Word index of a free entry; -1 when there is none. */
function allocEntry(hca: Hca): number {
  const index = hca.mpts.alloc();
  return index < 0 ? -1 : hca.mptTable + index * Mpt.WORDS;
}

function full(): DeviceError {
  const message = `all ${MPTS_MAX} entries of the TPT are taken`;
  return new DeviceError('ENOMEM', message, 'deregister memory, or register larger regions');
}

function storePlace(i32: Int32Array, entry: number, place: RegionPlace, mtt: number): void {
  i32[entry + Mpt.PD] = place.pd;
  i32[entry + Mpt.ACCESS] = place.access;
  i32[entry + Mpt.START_LO] = place.startLo;
  i32[entry + Mpt.START_HI] = place.startHi;
  i32[entry + Mpt.LENGTH] = place.length;
  i32[entry + Mpt.BASE] = place.base ?? 0;
  i32[entry + Mpt.MTT] = mtt;
  i32[entry + Mpt.OWNER] = 0;
  i32[entry + Mpt.FIRST_OFFSET] = place.firstOffset ?? 0;
}

/** Makes the entry exist: its key, another one than before, is stored last. */
function storeKey(i32: Int32Array, table: number, entry: number): number {
  i32[entry + Mpt.VARIANT] = (i32[entry + Mpt.VARIANT] % VARIANT_MAX) + 1;
  const index = (entry - table) / Mpt.WORDS;
  const key = (index << 8) | i32[entry + Mpt.VARIANT];
  Atomics.store(i32, entry + Mpt.KEY, key);
  return key;
}

/** Of the thread, so that reaping finds a list which its region never came to name. */
function pageList(engine: Engine, pages: ArrayLike<number>): number {
  const { machine } = engine;
  const mtt = allocWords(machine, pages.length, machine.threadIndex);
  for (let n = 0; n < pages.length; n++) machine.i32[mtt + n] = pages[n];
  return mtt;
}
