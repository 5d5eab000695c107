/**
 * The buffers of a context, and the address space of the host.
 *
 * A verbs address is a virtual address, never the offset in machine memory: here they differ by a constant above 2^32, so that
 * code which cuts an address to 32 bits fails at once.
 */
import { MEMORY_BYTES_MAX, PAGE_BYTES } from '@openverbs/machine';
import type { Machine } from '@openverbs/machine';
import type { DmaBufferOps, MrRequest } from '@openverbs/verbs/driver';
import { DeviceError } from '../device-error.ts';
import { MR_BYTES_MAX } from '../limits.ts';

/** Where the host's address space shows machine memory. */
export const HOST_ADDRESS_BASE = 0x100000000000;

interface Buffer {
  readonly machineAddr: number;
  readonly length: number;
}

const NONE: Buffer = { machineAddr: 0, length: 0 };

/** The buffers of all contexts of this thread in one machine: each device of the machine reaches all of them. */
class HostMemory {
  readonly buffers = new Set<Buffer>();
  /** The buffer that the last inline data came from. */
  last = NONE;
}

const hostMemories = new WeakMap<ArrayBufferLike, HostMemory>();

function hostMemoryOf({ u8: { buffer } }: Machine): HostMemory {
  let memory = hostMemories.get(buffer);
  if (memory === undefined) hostMemories.set(buffer, (memory = new HostMemory()));
  return memory;
}

export class BufferTable {
  readonly #machine: Machine;
  readonly #memory: HostMemory;
  /** Those of this context. */
  readonly #buffers = new Map<number, Buffer>();
  #nextHandle = 1;

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#memory = hostMemoryOf(machine);
  }

  /** Allocates zeroed memory. */
  alloc(length: number, alignment: number): DmaBufferOps {
    const machine = this.#machine;
    if (length > MR_BYTES_MAX)
      throw new DeviceError('ENOMEM', `a buffer has at most ${MR_BYTES_MAX} bytes, not ${length}`);
    const machineAddr = machine.pages.alloc(length, Math.max(alignment, PAGE_BYTES), machine.threadIndex);
    if (machineAddr === 0) {
      throw noMemory(machine, length);
    }
    const handle = this.#nextHandle++;
    const buffer = { machineAddr, length };
    this.#buffers.set(handle, buffer);
    this.#memory.buffers.add(buffer);
    const bytes = new Uint8Array(machine.u8.buffer, machineAddr, length);
    return { handle, addr: HOST_ADDRESS_BASE + machineAddr, bytes };
  }

  free(handle: number): void {
    const buffer = this.get(handle);
    this.#buffers.delete(handle);
    this.#memory.buffers.delete(buffer);
    this.#memory.last = NONE;
    this.#machine.pages.free(buffer.machineAddr);
  }

  get(handle: number): Buffer {
    const buffer = this.#buffers.get(handle);
    if (buffer === undefined) throw new DeviceError('EINVAL', `there is no buffer ${handle}`);
    return buffer;
  }

  freeAll(): void {
    for (const handle of [...this.#buffers.keys()]) this.free(handle);
  }

  /** Machine address of a run of bytes in a buffer of this or another context of the thread, or -1. */
  machineAddress(addr: number, length: number): number {
    const memory = this.#memory;
    const at = addr - HOST_ADDRESS_BASE;
    if (contains(memory.last, at, length)) return at;
    for (const buffer of memory.buffers) {
      if (!contains(buffer, at, length)) continue;
      memory.last = buffer;
      return at;
    }
    return -1;
  }

  /** See `Doorbell.inlineSource`. */
  inlineSource(addr: number, length: number): number {
    return this.machineAddress(addr, length);
  }

  /** Machine address of what is to be registered; -1 when it is in no buffer of the machine. */
  locate({ buffer, offset, view }: Pick<MrRequest, 'buffer' | 'offset' | 'view'>): number {
    if (buffer !== null) return this.get(buffer).machineAddr + offset;
    if (view.buffer !== this.#machine.u8.buffer) return -1;
    return this.machineAddress(HOST_ADDRESS_BASE + view.byteOffset, view.byteLength);
  }
}

function contains(buffer: Buffer, at: number, length: number): boolean {
  return at >= buffer.machineAddr && at + length <= buffer.machineAddr + buffer.length;
}

/** Blocks are powers of two of pages: what is free in all says nothing of what fits. */
function noMemory(machine: Machine, length: number): DeviceError {
  const { freeBytes, largestFreeBytes } = machine.pages.stats();
  const message = `no block for ${length} bytes is left in machine memory; the largest has ${largestFreeBytes}, of ${freeBytes} that are free`;
  const pieces = length <= freeBytes ? 'take several smaller buffers, or ' : '';
  const more = machine.u8.byteLength < MEMORY_BYTES_MAX ? ', or open with more memoryBytes (4 GiB at most)' : '';
  return new DeviceError('ENOMEM', message, `${pieces}free some${more}`);
}
