/** The CQs of a context. Their handles are the device's numbers (CQN). */
import { VerbsError } from '@openverbs/verbs';
import type { CqExRequest, CqOps, CqRings, DirectCqOps } from '@openverbs/verbs/driver';
import type { CommandInterface } from '../command-interface.ts';
import { CqcFlag } from '../layout.ts';
import { asVerbsError } from './errors.ts';
import type { RingBuffer, RingMemory } from './ring-memory.ts';
import type { HcaUserHalf } from './user-half.ts';

/** `num_comp_vectors`: event queues that a CQ can choose from. */
const COMP_VECTORS = 1;

/** What a create asks for; the plain one wants neither of the last two. */
export type CqRequest = Pick<CqExRequest, 'cqe' | 'compVector'> & Partial<CqExRequest>;

export class HcaCqs {
  readonly #commands: CommandInterface;
  readonly #uar: number;
  readonly #rings: RingMemory;
  readonly #user: HcaUserHalf;
  /** Ring memory by CQN; null where it is of another. */
  readonly #buffers = new Map<number, RingBuffer | null>();

  constructor(commands: CommandInterface, uar: number, rings: RingMemory, user: HcaUserHalf) {
    this.#commands = commands;
    this.#uar = uar;
    this.#rings = rings;
    this.#user = user;
  }

  create(request: CqRequest): CqOps {
    const geometry = this.#user.cqGeometry(request.cqe);
    const buffer = this.#rings.alloc(geometry.bytes);
    const made = this.#rings.orFree(buffer, () => this.createOn(buffer.key, request));
    this.#buffers.set(made.handle, buffer);
    return { ...made, dataPath: this.#user.cqRings(buffer.addr, geometry) };
  }

  /** Stage two: on the key of memory that is registered. */
  createOn(bufferKey: number, request: CqRequest): DirectCqOps {
    const { compVector, timestamps = false, ignoreOverrun = false } = request;
    if (compVector >= COMP_VECTORS) {
      const message = `compVector is ${compVector}, but the device has ${COMP_VECTORS}, counted from 0`;
      throw new VerbsError({ code: 'EINVAL', message, hint: 'leave compVector out' });
    }
    const flags = (timestamps ? CqcFlag.TIMESTAMP : 0) | (ignoreOverrun ? CqcFlag.IGNORE_OVERRUN : 0);
    const { cqe, log2Count } = this.#user.cqGeometry(request.cqe);
    const handle = this.#commands.createCq({ uar: this.#uar, bufferKey, log2Count, flags });
    this.#buffers.set(handle, null);
    return { handle, cqe };
  }

  resize(cqn: number, cqe: number): { readonly cqe: number; readonly dataPath: CqRings } {
    const geometry = this.#user.cqGeometry(cqe);
    if (this.#buffers.get(cqn) === null) throw elsewhere(`CQ ${cqn}`);
    const buffer = this.#rings.alloc(geometry.bytes);
    const resized = this.#rings.orFree(buffer, () => this.#move(cqn, buffer.key, cqe));
    this.#rings.free(this.#buffers.get(cqn) ?? null);
    this.#buffers.set(cqn, buffer);
    return { ...resized, dataPath: this.#user.cqRings(buffer.addr, geometry) };
  }

  /** The same for a CQ in memory of another, to other memory of the same. */
  resizeOn(cqn: number, bufferKey: number, cqe: number): { readonly cqe: number } {
    if (this.#buffers.get(cqn) !== null) throw notElsewhere(`CQ ${cqn}`);
    return this.#move(cqn, bufferKey, cqe);
  }

  #move(cqn: number, bufferKey: number, asked: number): { readonly cqe: number } {
    const { cqe, log2Count } = this.#user.cqGeometry(asked);
    this.#commands.resizeCq(cqn, bufferKey, log2Count);
    return { cqe };
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
    this.#rings.free(this.#buffers.get(cqn) ?? null);
    this.#buffers.delete(cqn);
  }

  destroyAll(): void {
    for (const cqn of [...this.#buffers.keys()]) this.destroy(cqn);
  }
}

/** Memory of another is for the operations of direct access. */
export function elsewhere(what: string): VerbsError {
  const message = `the ring of ${what} lies in memory of another`;
  return new VerbsError({
    code: 'EINVAL',
    message,
    hint: 'register other memory there, and move the queue to its key',
  });
}

export function notElsewhere(what: string): VerbsError {
  return new VerbsError({ code: 'EINVAL', message: `${what} is no queue in memory of another` });
}
