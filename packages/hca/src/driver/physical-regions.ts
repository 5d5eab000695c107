/** Regions of memory by bus addresses, which are machine addresses here. */
import { PAGE_BYTES } from '@openverbs/machine';
import type { Machine } from '@openverbs/machine';
import type { DmaMapping, PhysMrRequest } from '@openverbs/verbs/driver';
import type { RegionPlace } from '../command-init.ts';
import { checkPages, dmaBounds } from './page-list.ts';

/** What a list of pages is to the TPT: one run where it is one, which costs DMA less. */
export function physicalPlace(machine: Machine, request: PhysMrRequest): RegionPlace {
  const { pd, pages, firstOffset, length, access, iova } = request;
  const oneRun = checkPages(machine, pages);
  const place = { pd, access, length, ...words(iova) };
  return oneRun ? { ...place, base: pages[0] + firstOffset } : { ...place, pages, firstOffset };
}

/** All memory but the machine's own tables. */
export function dmaPlace(machine: Machine, pd: number, access: number): RegionPlace {
  const { firstBytes, endBytes } = dmaBounds(machine);
  return { pd, access, length: endBytes - firstBytes, base: firstBytes, ...words(firstBytes) };
}

/** The pages of a run. */
export function mappingOf(machineAddr: number, length: number): DmaMapping {
  const firstOffset = machineAddr % PAGE_BYTES;
  const pages = new Float64Array(Math.ceil((firstOffset + length) / PAGE_BYTES));
  for (let n = 0; n < pages.length; n++) pages[n] = machineAddr - firstOffset + n * PAGE_BYTES;
  return { pages, firstOffset, length };
}

/** An address in words, as the TPT has it. */
export function words(addr: number): { readonly startLo: number; readonly startHi: number } {
  return { startLo: addr | 0, startHi: Math.floor(addr / 4294967296) | 0 };
}
