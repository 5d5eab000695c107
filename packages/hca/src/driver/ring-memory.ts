/** The memory of a context's rings: allocated here, registered under the driver's PD, and named by its key at create. */
import type { Machine } from '@openverbs/machine';
import { PAGE_BYTES } from '@openverbs/machine';
import { VerbsError } from '@openverbs/verbs';
import type { QueueMemorySource } from '@openverbs/verbs/driver';
import type { CommandInterface } from '../command-interface.ts';
import { asVerbsError } from './errors.ts';
import type { HcaUserHalf } from './user-half.ts';

/** Ring memory of a QP, CQ or SRQ: its pages and the key it is registered by. */
export interface RingBuffer {
  readonly addr: number;
  readonly key: number;
}

/** What makes the queues of a context. */
export interface QueueParts {
  readonly commands: CommandInterface;
  readonly uar: number;
  readonly rings: RingMemory;
  readonly user: HcaUserHalf;
}

export class RingMemory implements QueueMemorySource<RingBuffer> {
  readonly #machine: Machine;
  readonly #commands: CommandInterface;
  /** Enters a run of bytes into the TPT, under the driver's PD. */
  readonly register: (addr: number, bytes: number) => number;
  /** Runs an allocation, and again once dead threads were reaped. */
  readonly withReaping: <T>(allocate: () => T) => T;

  constructor(
    machine: Machine,
    commands: CommandInterface,
    register: (addr: number, bytes: number) => number,
    withReaping: <T>(allocate: () => T) => T,
  ) {
    this.#machine = machine;
    this.#commands = commands;
    this.register = register;
    this.withReaping = withReaping;
  }

  /** Stage one; the create that names the key is stage two. */
  alloc(bytes: number): RingBuffer {
    const machine = this.#machine;
    const addr = this.withReaping(() => {
      const run = machine.pages.alloc(bytes, PAGE_BYTES, machine.threadIndex);
      if (run !== 0) return run;
      throw new VerbsError({
        code: 'ENOMEM',
        message: `no run of ${bytes} bytes is left in machine memory for the rings`,
        hint: 'ask for fewer work requests, or open with more memoryBytes (4 GiB at most)',
      });
    });
    try {
      return { addr, key: this.register(addr, bytes) };
    } catch (error) {
      machine.pages.free(addr);
      throw error;
    }
  }

  free(buffer: RingBuffer): void {
    asVerbsError(() => {
      this.#commands.destroyMpt(buffer.key);
      this.#machine.pages.free(buffer.addr);
    });
  }
}
