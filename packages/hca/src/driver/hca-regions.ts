/** The memory of a context: its memory regions and memory windows, and where in machine memory they lie. */
import type { Machine } from '@openverbs/machine';
import { MwType, VerbsError } from '@openverbs/verbs';
import type { DmaMapping, MrOps, MrRequest, MwOps, PhysMrRequest } from '@openverbs/verbs/driver';
import type { RegionPlace } from '../command-init.ts';
import type { CommandInterface } from '../command-interface.ts';
import { type BufferTable, HOST_ADDRESS_BASE } from './buffer-table.ts';
import { asVerbsError } from './errors.ts';
import { dmaPlace, mappingOf, physicalPlace, words } from './physical-regions.ts';

/** PD of the driver's own regions: the rings. */
const DRIVER_PD = 0;

/** What the regions of a context work with. */
export interface RegionParts {
  readonly machine: Machine;
  readonly commands: CommandInterface;
  readonly uar: number;
  /** The memory that the program has from its context. */
  readonly buffers: BufferTable;
  /** Runs an allocation, once more if threads that have ended were the reason that it failed. */
  readonly withReaping: <T>(allocate: () => T) => T;
}

export class HcaRegions {
  readonly #parts: RegionParts;
  /** The present key of each region, by the one that it had first, which is its handle. */
  readonly #keys = new Map<number, number>();
  readonly #windows = new Set<number>();

  constructor(parts: RegionParts) {
    this.#parts = parts;
  }

  reg(request: MrRequest): MrOps {
    const place = this.#place(request);
    return this.#enter(HOST_ADDRESS_BASE + place.base, () => place);
  }

  rereg(mr: number, request: MrRequest): MrOps {
    const place = this.#place(request);
    return this.#change(mr, HOST_ADDRESS_BASE + place.base, () => place);
  }

  regPhys(request: PhysMrRequest): MrOps {
    return this.#enter(0, () => physicalPlace(this.#parts.machine, request));
  }

  reregPhys(mr: number, request: PhysMrRequest): MrOps {
    return this.#change(mr, 0, () => physicalPlace(this.#parts.machine, request));
  }

  /** All memory, by machine addresses. */
  dma(pd: number, access: number): MrOps {
    return this.#enter(0, () => dmaPlace(this.#parts.machine, pd, access));
  }

  /** The same, of which only the pages of one owner are within reach. */
  dmaOf(pd: number, access: number, owner: number): MrOps {
    const { commands, machine, uar, withReaping } = this.#parts;
    const init = { uar, ...dmaPlace(machine, pd, access), owner };
    const key = withReaping(() => commands.createOwnedMpt(init));
    this.#keys.set(key, key);
    return { handle: key, lkey: key, rkey: key, addr: 0 };
  }

  nullRegion(pd: number): MrOps {
    const { commands, uar, withReaping } = this.#parts;
    const key = withReaping(() => commands.createNullMpt(uar, pd));
    this.#keys.set(key, key);
    return { handle: key, lkey: key, rkey: 0, addr: 0 };
  }

  dereg(mr: number): void {
    asVerbsError(() => {
      this.#parts.commands.destroyMpt(this.#keyOf(mr));
    });
    this.#keys.delete(mr);
  }

  allocWindow(pd: number, type: number): MwOps {
    const { commands, uar, withReaping } = this.#parts;
    const handle = withReaping(() => commands.createWindow({ uar, pd, type2: type === MwType.TYPE_2 }));
    this.#windows.add(handle);
    return { handle, rkey: handle };
  }

  deallocWindow(mw: number): void {
    asVerbsError(() => {
      this.#parts.commands.destroyWindow(mw);
    });
    this.#windows.delete(mw);
  }

  /** Windows first: they pin the regions that they are bound to. */
  destroyAll(): void {
    for (const mw of [...this.#windows]) this.deallocWindow(mw);
    for (const mr of [...this.#keys.keys()]) this.dereg(mr);
  }

  /** What a device that takes bus addresses would be told. */
  mapDma(request: Pick<MrRequest, 'buffer' | 'offset' | 'view' | 'length'>): DmaMapping {
    return mappingOf(this.#locate(request), request.length);
  }

  /** Key of the memory of a queue, which to programs is none. */
  registerRings(base: number, length: number): number {
    const { commands, uar, withReaping } = this.#parts;
    const place = { pd: DRIVER_PD, access: 0, length, base, ...words(HOST_ADDRESS_BASE + base) };
    return withReaping(() => commands.createMpt({ uar, ...place }));
  }

  #enter(addr: number, placeOf: () => RegionPlace): MrOps {
    const { commands, uar, withReaping } = this.#parts;
    const key = withReaping(() => commands.createMpt({ uar, ...placeOf() }));
    this.#keys.set(key, key);
    return { handle: key, lkey: key, rkey: key, addr };
  }

  #change(mr: number, addr: number, placeOf: () => RegionPlace): MrOps {
    const { commands, withReaping } = this.#parts;
    const key = withReaping(() => commands.changeMpt(this.#keyOf(mr), placeOf()));
    this.#keys.set(mr, key);
    return { handle: mr, lkey: key, rkey: key, addr };
  }

  #keyOf(mr: number): number {
    return this.#keys.get(mr) ?? 0;
  }

  /** Where the memory of a request lies, and how its keys know it. */
  #place(request: MrRequest): RegionPlace & { readonly base: number } {
    const base = this.#locate(request);
    const { pd, access, length, iova } = request;
    return { pd, access, length, base, ...words(iova ?? HOST_ADDRESS_BASE + base) };
  }

  /** Machine address of memory of the program. */
  #locate(request: Pick<MrRequest, 'buffer' | 'offset' | 'view'>): number {
    const base = asVerbsError(() => this.#parts.buffers.locate(request));
    if (base < 0) {
      throw new VerbsError({
        code: 'EFAULT',
        message: 'this memory is out of the reach of the device',
        hint: 'the emulated HCA reaches what context.allocBuf() gave; allocate there and work on buffer.bytes',
      });
    }
    return base;
  }
}
