/** Bus addresses of memory, by their C names: for SGEs of {@link ib_get_dma_mr}, and for {@link ib_reg_phys_mr}. */
import { VerbsError } from '@openverbs/verbs';
import type { Device, DmaBuffer } from '@openverbs/verbs';

import { aBuffer, aDevice, attributes } from '../gen2/first-argument.ts';
import { firstBytes } from '../gen2/first-bytes.ts';
import { inTerms } from '../gen2/terms.ts';
import { DMA_BIDIRECTIONAL, DMA_FROM_DEVICE, DMA_TO_DEVICE } from './constants.ts';
import { kernelDevice } from './kernel-device.ts';

const PAGE_BYTES = 4096;
const DIRECTIONS: readonly number[] = [DMA_BIDIRECTIONAL, DMA_TO_DEVICE, DMA_FROM_DEVICE];

/** An out-parameter for a bus address. */
export interface DmaHandle {
  /** The bus address. */
  addr?: number;
}

/** C's `struct scatterlist`: memory, and where the device finds it. */
export interface Scatterlist {
  /** The memory: a buffer of {@link ib_dma_alloc_coherent}, or a view into one. */
  readonly cpuAddr: DmaBuffer | ArrayBufferView;
  /** Bytes of it. */
  readonly length: number;
  /** Its bus address, which {@link ib_dma_map_sg} fills in. */
  dmaAddress?: number;
  /** Bytes there, likewise. */
  dmaLength?: number;
}

/**
 * Allocates `size` bytes, zeroed, that lie together for the device, and writes their bus address to `dma_handle.addr`. `flag` has no meaning
 * here.
 *
 * @throws VerbsError ENOMEM when there is no such memory.
 */
export function ib_dma_alloc_coherent(device: Device, size: number, dma_handle: DmaHandle = {}, _flag = 0): DmaBuffer {
  const verb = 'ib_dma_alloc_coherent';
  const buffer = inTerms(verb, () => kernelDevice(aDevice(verb, device)).context.allocBuf(size));
  try {
    dma_handle.addr = inTerms(verb, () => busAddress(verb, 'ENOMEM', device, buffer));
    return buffer;
  } catch (error) {
    buffer.free();
    throw error;
  }
}

/**
 * Frees what {@link ib_dma_alloc_coherent} gave.
 *
 * @throws VerbsError EBUSY while it is registered.
 */
export function ib_dma_free_coherent(device: Device, size: number, cpu_addr: DmaBuffer, _dma_handle = 0): void {
  const verb = 'ib_dma_free_coherent';
  aDevice(verb, device);
  const buffer = aBuffer(verb, cpu_addr);
  if (buffer.length !== size) {
    const message = `size is ${String(size)}, but ${buffer.length} bytes were allocated`;
    throw new VerbsError({ code: 'EINVAL', verb, message, details: { size, length: buffer.length } });
  }
  inTerms(verb, () => {
    buffer.free();
  });
}

/**
 * The bus address of memory that the device reaches: of a buffer, which stands for its first byte, or of a view into one. Nothing has to be
 * synchronised, since the device sees memory as the program does.
 *
 * One address stands for all of the memory, so its pages have to lie together for the device, as those of `kmalloc` do. Every buffer of the
 * emulated HCA and of the split driver does; where a provider scatters them, {@link ib_dma_map_sg} takes the pages one by one.
 *
 * @throws VerbsError EFAULT for other memory, EINVAL for memory whose pages do not lie together for the device.
 */
export function ib_dma_map_single(
  device: Device,
  cpu_addr: DmaBuffer | ArrayBufferView,
  size: number,
  direction: number,
): number {
  const verb = 'ib_dma_map_single';
  aDevice(verb, device);
  checkDirection(verb, direction);
  return inTerms(verb, () => busAddress(verb, 'EINVAL', device, firstBytes(verb, cpu_addr, size)));
}

/** Ends a mapping. There is nothing to do. */
export function ib_dma_unmap_single(device: Device, _addr: number, _size: number, direction: number): void {
  aDevice('ib_dma_unmap_single', device);
  checkDirection('ib_dma_unmap_single', direction);
}

/** Whether {@link ib_dma_map_single} failed. It throws when it does: 0. */
export function ib_dma_mapping_error(device: Device, _dma_addr: number): number {
  aDevice('ib_dma_mapping_error', device);
  return 0;
}

/**
 * Maps each of the first `nents` entries, as {@link ib_dma_map_single} does, and returns their number; none is merged with the next. Memory whose
 * pages do not lie together is mapped by an entry for each page, which {@link ib_reg_phys_mr} makes one region of.
 *
 * @throws VerbsError as {@link ib_dma_map_single}, with the entry in `details.entry`; then no entry is mapped.
 *
 * @example
 * ```ts
 * import { DMA_BIDIRECTIONAL, ib_dma_map_sg, ib_reg_phys_mr, ib_sg_dma_address, ib_sg_dma_len, type Scatterlist } from 'openverbs/kernel';
 * import type { Device, DmaBuffer, MemoryRegion, ProtectionDomain } from 'openverbs';
 *
 * function register(device: Device, pd: ProtectionDomain, buffer: DmaBuffer, access: number): MemoryRegion {
 *   const sg: Scatterlist[] = [];
 *   for (let at = 0; at < buffer.length; at += 4096) {
 *     const length = Math.min(4096, buffer.length - at);
 *     sg.push({ cpuAddr: buffer.bytes.subarray(at, at + length), length });
 *   }
 *   ib_dma_map_sg(device, sg, sg.length, DMA_BIDIRECTIONAL);
 *   const places = sg.map((each) => ({ addr: ib_sg_dma_address(device, each), size: ib_sg_dma_len(device, each) }));
 *   return ib_reg_phys_mr(pd, places, places.length, access, 0);
 * }
 * ```
 */
export function ib_dma_map_sg(device: Device, sg: Scatterlist[], nents: number, direction: number): number {
  const verb = 'ib_dma_map_sg';
  aDevice(verb, device);
  checkDirection(verb, direction);
  const entries = entriesOf(verb, sg, nents);
  // All or none: addresses are written when each was found.
  const found = entries.map(({ cpuAddr, length }, entry) =>
    inTerms(verb, () => busAddress(verb, 'EINVAL', device, firstBytes(verb, cpuAddr, length), entry)),
  );
  entries.forEach((entry, i) => Object.assign(entry, { dmaAddress: found[i], dmaLength: entry.length }));
  return nents;
}

/** Ends mappings. There is nothing to do. */
export function ib_dma_unmap_sg(device: Device, sg: Scatterlist[], nents: number, direction: number): void {
  const verb = 'ib_dma_unmap_sg';
  aDevice(verb, device);
  checkDirection(verb, direction);
  entriesOf(verb, sg, nents);
}

/** The bus address of an entry that was mapped. */
export function ib_sg_dma_address(device: Device, sg: Scatterlist): number {
  aDevice('ib_sg_dma_address', device);
  return mapped('ib_sg_dma_address', attributes('ib_sg_dma_address', 'sg', sg).dmaAddress);
}

/** The length of an entry that was mapped. */
export function ib_sg_dma_len(device: Device, sg: Scatterlist): number {
  aDevice('ib_sg_dma_len', device);
  return mapped('ib_sg_dma_len', attributes('ib_sg_dma_len', 'sg', sg).dmaLength);
}

function busAddress(
  verb: string,
  code: 'EINVAL' | 'ENOMEM',
  device: Device,
  memory: DmaBuffer | ArrayBufferView,
  entry?: number,
): number {
  const { pages, firstOffset } = kernelDevice(device).context.mapDma(memory);
  for (let page = 1; page < pages.length; page++) {
    if (pages[page] === pages[0] + page * PAGE_BYTES) continue;
    const what = entry === undefined ? 'the memory' : `the memory of sg[${entry}]`;
    const message = `${what} does not lie together for the device: its page ${page} of ${pages.length} is elsewhere`;
    const hint = 'give ib_dma_map_sg an entry for each page, and register what it finds by ib_reg_phys_mr';
    throw new VerbsError({ code, verb, message, hint, details: { page, ...(entry !== undefined && { entry }) } });
  }
  return pages[0] + firstOffset;
}

function checkDirection(verb: string, direction: number): void {
  if (DIRECTIONS.includes(direction)) return;
  throw new VerbsError({ code: 'EINVAL', verb, message: `direction is ${String(direction)}`, hint: 'one of DMA_*' });
}

function entriesOf(verb: string, sg: Scatterlist[], nents: number): Scatterlist[] {
  if (Array.isArray(sg) && Number.isInteger(nents) && nents >= 0 && nents <= sg.length)
    return sg.slice(0, nents).map((entry, i) => attributes(verb, `sg[${i}]`, entry));
  throw new VerbsError({ code: 'EINVAL', verb, message: `nents is ${String(nents)}, more than the list has` });
}

function mapped(verb: string, value: number | undefined): number {
  if (value !== undefined) return value;
  throw new VerbsError({ code: 'EINVAL', verb, message: 'the entry was not mapped', hint: 'call ib_dma_map_sg first' });
}
