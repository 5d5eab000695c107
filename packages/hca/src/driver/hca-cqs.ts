/** The CQs of a context. Their handles are the device's numbers (CQN). */
import { VerbsError } from '@openverbs/verbs';
import type { CqExRequest, CqOps, CqRings, Doorbell } from '@openverbs/verbs/driver';
import { CQ_DOORBELL_RECORD_BYTES } from '@openverbs/verbs/rings';
import type { CommandInterface } from '../command-interface.ts';
import { CqcFlag } from '../layout.ts';
import { asVerbsError } from './errors.ts';
import { cqGeometry } from './ring-geometry.ts';
import type { RingBuffer, RingMemory } from './ring-memory.ts';

/** `num_comp_vectors`: event queues that a CQ can choose from. */
const COMP_VECTORS = 1;

/** What a create asks for; the plain one wants neither of the last two. */
export type CqRequest = Pick<CqExRequest, 'cqe' | 'compVector'> & Partial<CqExRequest>;

export class HcaCqs {
  readonly #commands: CommandInterface;
  readonly #uar: number;
  readonly #rings: RingMemory;
  readonly #i32: Int32Array;
  readonly #doorbell: Doorbell;
  readonly #buffers = new Map<number, RingBuffer>();

  constructor(commands: CommandInterface, uar: number, rings: RingMemory, doorbell: Doorbell) {
    this.#commands = commands;
    this.#uar = uar;
    this.#rings = rings;
    this.#i32 = commands.engine.machine.i32;
    this.#doorbell = doorbell;
  }

  create({ cqe, compVector, timestamps = false, ignoreOverrun = false }: CqRequest): CqOps {
    if (compVector >= COMP_VECTORS) {
      const message = `compVector is ${compVector}, but the device has ${COMP_VECTORS}, counted from 0`;
      throw new VerbsError({ code: 'EINVAL', message, hint: 'leave compVector out' });
    }
    const flags = (timestamps ? CqcFlag.TIMESTAMP : 0) | (ignoreOverrun ? CqcFlag.IGNORE_OVERRUN : 0);
    const { log2Count, bytes } = asVerbsError(() => cqGeometry(cqe));
    const buffer = this.#rings.alloc(bytes);
    const init = { uar: this.#uar, bufferKey: buffer.key, log2Count, flags };
    const cqn = this.#rings.orFree(buffer, () => this.#commands.createCq(init));
    this.#buffers.set(cqn, buffer);
    return { handle: cqn, cqe: 2 ** log2Count, dataPath: this.#dataPath(buffer, log2Count) };
  }

  resize(cqn: number, cqe: number): { readonly cqe: number; readonly dataPath: CqRings } {
    const { log2Count, bytes } = asVerbsError(() => cqGeometry(cqe));
    const buffer = this.#rings.alloc(bytes);
    this.#rings.orFree(buffer, () => {
      this.#commands.resizeCq(cqn, buffer.key, log2Count);
    });
    this.#rings.free(this.#buffers.get(cqn)!);
    this.#buffers.set(cqn, buffer);
    return { cqe: 2 ** log2Count, dataPath: this.#dataPath(buffer, log2Count) };
  }

  modify(cqn: number, cqCount: number, cqPeriod: number): void {
    asVerbsError(() => {
      this.#commands.modifyCq(cqn, cqCount, cqPeriod);
    });
  }

  destroy(cqn: number): void {
    asVerbsError(() => {
      this.#commands.destroyCq(cqn);
    });
    this.#rings.free(this.#buffers.get(cqn)!);
    this.#buffers.delete(cqn);
  }

  destroyAll(): void {
    for (const cqn of [...this.#buffers.keys()]) this.destroy(cqn);
  }

  #dataPath(buffer: RingBuffer, log2Count: number): CqRings {
    return {
      kind: 'rings',
      i32: this.#i32,
      doorbell: this.#doorbell,
      doorbellRecordAddr: buffer.addr,
      cqAddr: buffer.addr + CQ_DOORBELL_RECORD_BYTES,
      log2Count,
    };
  }
}
