/** Which memory a driver's queues of one kind lie in: taken before a queue is made, given back after it has ended. */
import type { Handle } from './device-ops.ts';

/** Where the memory of queues comes from. */
export interface QueueMemorySource<Memory> {
  /** Stage one: takes zeroed memory of at least `bytes`, and registers it for a queue. */
  alloc(bytes: number): Memory;
  /** Ends the registration, and gives the memory back. */
  free(memory: Memory): void;
}

/** What {@link QueueMemory} has to know of a queue that was made. */
export interface MadeQueue {
  /** The provider's name of it. */
  readonly handle: Handle;
}

/**
 * The memory of queues that a driver allocates itself, as {@link DirectAccessOps} has it: stage one, then a queue on the key, and the memory is
 * freed when that fails. One object for each kind of queue.
 *
 * @example
 * const memory = new QueueMemory<QueueBuffer>({ alloc: registerPages, free: (buffer) => buffer.dereg() });
 * const { handle } = memory.create(geometry.bytes, ({ key }) => ops.createCq(key, request));
 * memory.release(handle);
 */
export class QueueMemory<Memory extends object> {
  readonly #source: QueueMemorySource<Memory>;
  readonly #ofQueues = new Map<Handle, Memory>();

  constructor(source: QueueMemorySource<Memory>) {
    this.#source = source;
  }

  /** Stage one, and a queue by `make` on the memory. Throws what either throws, and then keeps no memory. */
  create<Queue extends MadeQueue>(bytes: number, make: (memory: Memory) => Queue): Queue {
    const { memory, made } = this.#make(bytes, make);
    this.#ofQueues.set(made.handle, memory);
    return made;
  }

  /** A queue that lives goes into other memory by `move`; its former memory is freed then. Throws as {@link create}. */
  move<Moved>(queue: Handle, bytes: number, move: (memory: Memory) => Moved): Moved {
    const { memory, made } = this.#make(bytes, move);
    this.release(queue);
    this.#ofQueues.set(queue, memory);
    return made;
  }

  /** Where a queue lies; undefined for one whose memory is not of this driver, or that has none. */
  of(queue: Handle): Memory | undefined {
    return this.#ofQueues.get(queue);
  }

  /** Frees the memory of a queue that has ended, if any. */
  release(queue: Handle): void {
    const memory = this.#ofQueues.get(queue);
    if (memory === undefined) return;
    this.#source.free(memory);
    this.#ofQueues.delete(queue);
  }

  #make<Made>(bytes: number, make: (memory: Memory) => Made): { readonly memory: Memory; readonly made: Made } {
    const memory = this.#source.alloc(bytes);
    try {
      return { memory, made: make(memory) };
    } catch (error) {
      this.#source.free(memory);
      throw error;
    }
  }
}
