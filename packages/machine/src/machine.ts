/**
 * Machine memory: one flat physical memory that all threads and domains of the process share.
 *
 * @packageDocumentation
 */
import { randomFillSync } from 'node:crypto';

import { hostClock } from './clock.ts';
import { createDma, createSharedMemory } from './dma.ts';
import type { Dma, SharedMemory } from './dma.ts';
import { MachineError } from './errors.ts';
import {
  ABI,
  Header,
  layoutOf,
  MAGIC,
  MEMORY_BYTES_MAX,
  MEMORY_BYTES_MIN,
  PAGE_BYTES,
  ROOTS_MAX,
  WASM_PAGE_BYTES,
} from './header.ts';
import { MachineLock } from './machine-lock.ts';
import { PageAllocator } from './page-allocator.ts';
import { detectIdentity } from './thread-identity.ts';
import { ThreadTable } from './thread-table.ts';

/** What another thread needs to attach. Plain data: send it by `postMessage` or as `workerData`. */
export interface MachineHandle {
  readonly kind: 'openverbs-machine';
  /** Version of the layout of the memory. */
  readonly abi: number;
  readonly memory: SharedMemory;
  /** Appears in messages. */
  readonly name: string;
}

/** How to create a machine. */
export interface MachineInit {
  /** Size of the memory, rounded up to 64 KiB; 256 KiB to 4 GiB, the default. A page costs memory only once it is touched. */
  readonly memoryBytes?: number;
  /** Appears in messages. */
  readonly name?: string;
}

/** Runs what is to be done, and tells whether there was anything; what else it returns counts as no. */
export type Poller = () => unknown;

/** A thread's view of machine memory. Addresses are byte offsets into it; 0 is never valid. */
export class Machine {
  /** Structured-clonable: gives another thread access by {@link Machine.attach}. */
  readonly handle: MachineHandle;
  /** The whole memory as words; word `i` is at address `4 * i`. */
  readonly i32: Int32Array;
  /** The whole memory as bytes. */
  readonly u8: Uint8Array;
  /** The whole memory as doubles. */
  readonly f64: Float64Array;
  /** Moves bytes within the memory. */
  readonly dma: Dma;
  /** The threads that are attached. */
  readonly threads: ThreadTable;
  /** Slot of this thread in {@link Machine.threads}, 1 to 64. */
  readonly threadIndex: number;
  /** The lock over all of the memory. */
  readonly lock: MachineLock;
  /** Buffers in the memory. */
  readonly pages: PageAllocator;
  /**
   * What this thread runs while it waits: inline devices and domains. One that returns true did something, so the wait goes on
   * without a sleep. They must not wait themselves.
   */
  readonly pollers: Poller[] = [];
  /** When a wait of this thread has to run its pollers at the latest: in nanoseconds of the host clock, Infinity for never. */
  readonly alarms: (() => number)[] = [];
  private attached = true;

  private constructor(handle: MachineHandle) {
    const { buffer } = handle.memory;
    this.handle = handle;
    this.i32 = new Int32Array(buffer);
    this.u8 = new Uint8Array(buffer);
    this.f64 = new Float64Array(buffer);
    const creating = Atomics.load(this.i32, Header.MAGIC) === 0;
    if (creating) writeHeader(this.i32, buffer.byteLength);
    this.dma = createDma(handle.memory);
    this.threads = new ThreadTable(this.i32, this.f64, detectIdentity());
    this.threadIndex = this.threads.claim();
    this.lock = new MachineLock(this.i32, this.threadIndex, this.threads, hostClock);
    this.threads.bindLock(this.lock);
    this.pages = new PageAllocator(this.i32, this.dma, this.lock);
    // First of all handlers: those of other packages may allocate.
    this.lock.onRecover(() => {
      this.pages.rebuild();
    });
    if (creating) {
      this.pages.format();
      Atomics.store(this.i32, Header.MAGIC, MAGIC);
    }
  }

  /**
   * Creates machine memory, zeroed, and attaches the calling thread.
   *
   * @throws MachineError `EINVAL` for a size out of range; `ENOMEM` when the system grants no address space
   */
  static create(init: MachineInit = {}): Machine {
    const { memoryBytes = MEMORY_BYTES_MAX, name = 'machine' } = init;
    if (!(memoryBytes >= MEMORY_BYTES_MIN && memoryBytes <= MEMORY_BYTES_MAX)) {
      throw new MachineError({
        code: 'EINVAL',
        message: `memoryBytes is ${memoryBytes}, but goes from ${MEMORY_BYTES_MIN} (256 KiB) to ${MEMORY_BYTES_MAX} (4 GiB)`,
      });
    }
    let memory: SharedMemory;
    try {
      memory = createSharedMemory(Math.ceil(memoryBytes / WASM_PAGE_BYTES));
    } catch (cause) {
      throw new MachineError({
        code: 'ENOMEM',
        message: `no address space for ${memoryBytes} bytes of machine memory`,
        hint: 'set a smaller memoryBytes, or raise the limit of address space (ulimit -v)',
        cause,
      });
    }
    return new Machine({ kind: 'openverbs-machine', abi: ABI, memory, name });
  }

  /**
   * Attaches the calling thread to a machine that another thread created.
   *
   * @throws MachineError `EINVAL` when the handle is none, or of another version; `ENOMEM` when all thread slots are taken
   */
  static attach(handle: MachineHandle): Machine {
    checkHandle(handle);
    return new Machine(handle);
  }

  /** 64 random bits, which tell this machine from all others: the same in every thread that is attached. */
  get id(): bigint {
    return BigInt.asUintN(64, (BigInt(this.i32[Header.ID]) << 32n) | BigInt(this.i32[Header.ID + 1] >>> 0));
  }

  /** Number of the first page that is not the machine's own. */
  get firstPage(): number {
    return this.i32[Header.FIRST_PAGE];
  }

  /** Address in a root word, or 0. Roots are how the packages of one thread find the tables that those of another made. */
  root(slot: number): number {
    return Atomics.load(this.i32, rootWord(slot)) >>> 0;
  }

  /** Stores an address into a root word, 0 to 15; the stores before it become visible first. */
  setRoot(slot: number, addr: number): void {
    Atomics.store(this.i32, rootWord(slot), addr | 0);
  }

  /**
   * Gives the thread's slot back; what the thread owns must have been freed. A second call does nothing. A thread that ends without
   * is found by {@link ThreadTable.reap}.
   *
   * @throws MachineError `EBUSY` when the thread holds the lock
   */
  detach(): void {
    if (!this.attached) return;
    if (this.lock.isHeld) throw new MachineError({ code: 'EBUSY', message: 'detach with the machine lock held' });
    this.attached = false;
    this.threads.release(this.threadIndex);
  }
}

function writeHeader(i32: Int32Array, memoryBytes: number): void {
  const layout = layoutOf(memoryBytes);
  i32[Header.ABI] = ABI;
  i32[Header.PAGES] = layout.pages;
  i32[Header.FIRST_PAGE] = layout.firstPage;
  i32[Header.PAGE_TABLE] = layout.pageTable;
  i32[Header.TOUCHED] = layout.touched;
  i32.set(randomFillSync(new Int32Array(2)), Header.ID);
}

function checkHandle(handle: unknown): asserts handle is MachineHandle {
  const { kind, abi, memory } = (handle ?? {}) as Partial<MachineHandle>;
  if (kind !== 'openverbs-machine') {
    throw new MachineError({
      code: 'EINVAL',
      message: `not a machine handle: its kind is ${String(kind)}, not 'openverbs-machine'`,
      hint: 'pass `machine` of the openVerbs() of another thread, by workerData or postMessage',
    });
  }
  if (abi !== ABI) throw abiMismatch(String(abi));
  const buffer = memory?.buffer;
  // By its tag: the constructor is another one in another realm.
  if (Object.prototype.toString.call(buffer) !== '[object SharedArrayBuffer]' || buffer === undefined) {
    throw new MachineError({
      code: 'EINVAL',
      message: 'the memory of the machine handle is not a shared WebAssembly.Memory',
    });
  }
  const header = new Int32Array(buffer, 0, Math.min(buffer.byteLength, PAGE_BYTES) >>> 2);
  if (buffer.byteLength < MEMORY_BYTES_MIN || Atomics.load(header, Header.MAGIC) !== MAGIC) {
    throw new MachineError({ code: 'EINVAL', message: 'the memory of the machine handle holds no machine' });
  }
  if (header[Header.ABI] !== ABI) throw abiMismatch(String(header[Header.ABI]));
}

function abiMismatch(abi: string): MachineError {
  return new MachineError({
    code: 'EINVAL',
    message: `the machine has ABI ${abi}, this package speaks ABI ${ABI}`,
    hint: 'load the same version of @openverbs/machine in all threads',
  });
}

function rootWord(slot: number): number {
  if (!(slot >= 0 && slot < ROOTS_MAX && Number.isInteger(slot))) {
    throw new MachineError({ code: 'EINVAL', message: `${slot} is no root: they are 0 to ${ROOTS_MAX - 1}` });
  }
  return Header.ROOTS + slot;
}
