/**
 * The command interface: what only the kernel half of the driver may do, after mthca's commands. Those about UARs, PDs, memory regions
 * and memory windows are here; QPs, CQs, SRQs and XRC domains have a file each.
 *
 * Each command checks its arguments, then changes the tables so that the word which makes an entry exist is stored last (and
 * cleared first), because its thread may die in between. All run under the machine's lock.
 */
import { OWNER_IOMEM, PAGE_BYTES } from '@openverbs/machine';
import { checkPageOwner } from './command-checks.ts';
import type { CqInit, OwnedRegionInit, RegionInit, RegionPlace, WindowInit } from './command-init.ts';
import { CqCommands } from './cq-commands.ts';
import { DeviceError } from './device-error.ts';
import type { Engine } from './engine.ts';
import { EQ_BYTES } from './event-queue.ts';
import { freeMpt, freeUar } from './free-objects.ts';
import type { Hca } from './hca.ts';
import { allocWords } from './hca.ts';
import { Eqc, HcaHeader, Mpt, MptKind, UarControl } from './layout.ts';
import { MPTS_MAX, UARS_MAX } from './limits.ts';
import { QpCommands } from './qp-commands.ts';
import {
  changeRegion,
  checkChange,
  checkUnpinned,
  enterNullRegion,
  enterOwnedRegion,
  enterRegion,
  enterWindow,
  windowEntry,
} from './region-commands.ts';
import { SrqCommands } from './srq-commands.ts';
import { XrcdCommands } from './xrcd-commands.ts';

const GENERATION_MAX = 255;

export class CommandInterface {
  readonly engine: Engine;
  readonly hca: Hca;
  readonly qps: QpCommands;
  readonly cqs: CqCommands;
  readonly srqs: SrqCommands;
  readonly xrcds: XrcdCommands;
  readonly #i32: Int32Array;

  constructor(engine: Engine, hca: Hca) {
    this.engine = engine;
    this.hca = hca;
    this.#i32 = engine.machine.i32;
    this.qps = new QpCommands(this);
    this.cqs = new CqCommands(this);
    this.srqs = new SrqCommands(this);
    this.xrcds = new XrcdCommands(this);
  }

  /** Allocates a UAR with its event queue for the calling thread. */
  openUar(): number {
    return this.engine.command(() => {
      const { machine, uars } = this.engine;
      for (let uar = 1; uar < UARS_MAX; uar++) {
        const control = uars.control(uar);
        if (this.#i32[control + UarControl.PAGE] !== 0) continue;
        const eq = allocWords(machine, EQ_BYTES / 4, machine.threadIndex);
        this.#i32[eq + Eqc.THREAD] = machine.threadIndex;
        const page = this.#orFree(eq, () => allocWords(machine, PAGE_BYTES / 4, machine.threadIndex));
        this.#i32[control + UarControl.THREAD] = machine.threadIndex;
        this.#i32[control + UarControl.HCA] = this.hca.index;
        this.#i32[control + UarControl.EQ] = eq;
        this.#i32[control + UarControl.PAGE] = page;
        // Registers of the device from here on. Until the UAR has its page, that is the thread's, which its death would free.
        machine.pages.give(page * 4, OWNER_IOMEM);
        return uar;
      }
      throw new DeviceError(
        'ENOMEM',
        `all ${UARS_MAX - 1} UARs of the machine are taken`,
        'close contexts that are not used',
      );
    });
  }

  /** Frees a UAR; its objects are gone already. */
  closeUar(uar: number): void {
    this.engine.command(() => {
      freeUar(this.engine, uar);
    });
  }

  allocPd(uar: number): number {
    return this.engine.command(() => {
      const pd = this.hca.pds.alloc();
      if (pd < 0) throw new DeviceError('ENOMEM', 'the device has no protection domain left');
      this.#i32[this.#pdTable + pd] = uar;
      return pd;
    });
  }

  deallocPd(pd: number): void {
    this.engine.command(() => {
      this.checkPd(pd);
      this.#i32[this.#pdTable + pd] = 0;
      this.hca.pds.free(pd);
    });
  }

  /** SW2HW_MPT: enters a region into the TPT and returns its key. */
  createMpt(init: RegionInit): number {
    return this.engine.command(() => {
      if (init.pd !== 0) this.checkPd(init.pd);
      return enterRegion(this.engine, this.hca, init);
    });
  }

  /** Enters the null region of a PD into the TPT and returns its key. */
  createNullMpt(uar: number, pd: number): number {
    return this.engine.command(() => {
      this.checkPd(pd);
      return enterNullRegion(this.engine, this.hca, uar, pd);
    });
  }

  /** Enters the region of whatever pages one owner has into the TPT and returns its key. */
  createOwnedMpt(init: OwnedRegionInit): number {
    return this.engine.command(() => {
      this.checkPd(init.pd);
      checkPageOwner(init.owner);
      return enterOwnedRegion(this.engine, this.hca, init);
    });
  }

  /** Enters a memory window into the TPT and returns its first key, which is its number. */
  createWindow(init: WindowInit): number {
    return this.engine.command(() => {
      this.checkPd(init.pd);
      return enterWindow(this.engine, this.hca, init);
    });
  }

  /** Takes a memory window out of the TPT, bound or not. */
  destroyWindow(number: number): void {
    this.engine.command(() => {
      const entry = windowEntry(this.#i32, this.hca.mptTable, number);
      if (entry === 0) throw new DeviceError('EINVAL', `there is no memory window 0x${(number >>> 0).toString(16)}`);
      freeMpt(this.engine, this.hca, entry);
    });
  }

  /**
   * Changes a region in place and returns its new key; the old one fails from now on.
   *
   * @throws DeviceError `EBUSY` while something holds it; it is as it was then
   */
  changeMpt(key: number, place: RegionPlace): number {
    return this.engine.command(() => {
      const entry = this.#mpt(key);
      this.checkPd(place.pd);
      checkChange(this.#i32, entry);
      return changeRegion(this.engine, this.hca, entry, place);
    });
  }

  /** HW2SW_MPT: takes a region out; its key fails from now on. */
  destroyMpt(key: number): void {
    this.engine.command(() => {
      const entry = this.#mpt(key);
      checkUnpinned(this.#i32, entry);
      freeMpt(this.engine, this.hca, entry);
    });
  }

  get #pdTable(): number {
    return this.#i32[this.hca.header + HcaHeader.PD_TABLE];
  }

  /** PD 0 is the driver's own: a QP there could name the rings of others. @internal */
  checkPd(pd: number): void {
    if (pd === 0 || !this.hca.pds.isUsed(pd)) throw new DeviceError('EINVAL', `there is no protection domain ${pd}`);
  }

  /** What `allocate` gives, or nothing: then the words at `held` go back as well. */
  #orFree(held: number, allocate: () => number): number {
    try {
      return allocate();
    } catch (error) {
      this.engine.machine.pages.free(held * 4);
      throw error;
    }
  }

  #mpt(key: number): number {
    const entry = this.hca.mptTable + (key >>> 8) * Mpt.WORDS;
    if (key === 0 || key >>> 8 >= MPTS_MAX || !isRegion(this.#i32, entry, key)) {
      throw new DeviceError('EINVAL', `no memory region has the key 0x${(key >>> 0).toString(16)}`);
    }
    return entry;
  }

  /**
   * Memory that rings may live in: a region of the driver's own PD and of the same UAR, in one run, large enough, at a cache line, and
   * with no rings in it. @internal
   */
  ringMemory({ uar, bufferKey: key }: Pick<CqInit, 'uar' | 'bufferKey'>, bytes: number): [entry: number, base: number] {
    const i32 = this.#i32;
    const entry = this.#mpt(key);
    const base = i32[entry + Mpt.BASE] >>> 0;
    if (i32[entry + Mpt.PD] !== 0)
      throw new DeviceError('EINVAL', `key 0x${key.toString(16)} is not of the driver's PD`);
    if (i32[entry + Mpt.UAR] !== uar)
      throw new DeviceError('EINVAL', `key 0x${key.toString(16)} is of another context`, 'register the memory here');
    if (base === 0 || (base & 63) !== 0)
      throw new DeviceError('EINVAL', 'a ring needs one run of pages, at a multiple of 64');
    if (i32[entry + Mpt.LENGTH] >>> 0 < bytes) {
      throw new DeviceError(
        'EINVAL',
        `a ring of ${bytes} bytes does not fit its region of ${i32[entry + Mpt.LENGTH] >>> 0}`,
      );
    }
    if (i32[entry + Mpt.PINS] !== 0)
      throw new DeviceError('EBUSY', `key 0x${key.toString(16)} holds the rings of another queue already`);
    return [entry, base];
  }

  /** Numbers carry a generation above the index, so that a stale one is recognised; it is never 0. @internal */
  nextGeneration(word: number): number {
    this.#i32[word] = (this.#i32[word] + 1) & GENERATION_MAX || 1;
    return this.#i32[word];
  }
}

/** A memory window's key is no key of a region. */
function isRegion(i32: Int32Array, entry: number, key: number): boolean {
  return i32[entry + Mpt.KEY] === key && i32[entry + Mpt.KIND] < MptKind.WINDOW_TYPE_1;
}
