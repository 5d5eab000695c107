/** The CQs of a context. Their handles are the device's numbers (CQN). */
import { VerbsError } from '@openverbs/verbs';
import { QueueMemory } from '@openverbs/verbs/driver';
import type { CqExRequest, CqOps, CqRings, DirectCqOps } from '@openverbs/verbs/driver';
import { CqcFlag } from '../layout.ts';
import { asVerbsError } from './errors.ts';
import type { QueueParts, RingBuffer } from './ring-memory.ts';

/** `num_comp_vectors`: event queues that a CQ can choose from. */
const COMP_VECTORS = 1;

/** What a create asks for; the plain one wants neither of the last two. */
export type CqRequest = Pick<CqExRequest, 'cqe' | 'compVector'> & Partial<CqExRequest>;

export class HcaCqs {
  readonly #parts: QueueParts;
  /** Of those that are in memory of another there is none. */
  readonly #memory: QueueMemory<RingBuffer>;
  readonly #cqns = new Set<number>();

  constructor(parts: QueueParts) {
    this.#parts = parts;
    this.#memory = new QueueMemory(parts.rings);
  }

  create(request: CqRequest): CqOps {
    const { rings, user } = this.#parts;
    const geometry = user.cqGeometry(request.cqe);
    return this.#memory.create(geometry.bytes, ({ addr, key }) => {
      const made = rings.withReaping(() => this.createOn(key, request));
      return { ...made, dataPath: user.cqRings(addr, geometry) };
    });
  }

  /** Stage two: on the key of memory that is registered. */
  createOn(bufferKey: number, request: CqRequest): DirectCqOps {
    const { compVector, timestamps = false, ignoreOverrun = false } = request;
    if (compVector >= COMP_VECTORS) {
      const message = `compVector is ${compVector}, but the device has ${COMP_VECTORS}, counted from 0`;
      throw new VerbsError({ code: 'EINVAL', message, hint: 'leave compVector out' });
    }
    const flags = (timestamps ? CqcFlag.TIMESTAMP : 0) | (ignoreOverrun ? CqcFlag.IGNORE_OVERRUN : 0);
    const { commands, uar, user } = this.#parts;
    const { cqe, log2Count } = user.cqGeometry(request.cqe);
    const handle = commands.cqs.create({ uar, bufferKey, log2Count, flags });
    this.#cqns.add(handle);
    return { handle, cqe };
  }

  resize(cqn: number, cqe: number): { readonly cqe: number; readonly dataPath: CqRings } {
    const { rings, user } = this.#parts;
    const geometry = user.cqGeometry(cqe);
    if (this.#memory.of(cqn) === undefined) throw elsewhere(`CQ ${cqn}`);
    return this.#memory.move(cqn, geometry.bytes, ({ addr, key }) => {
      const resized = rings.withReaping(() => this.#move(cqn, key, cqe));
      return { ...resized, dataPath: user.cqRings(addr, geometry) };
    });
  }

  /** The same for a CQ in memory of another, to other memory of the same. */
  resizeOn(cqn: number, bufferKey: number, cqe: number): { readonly cqe: number } {
    if (this.#memory.of(cqn) !== undefined) throw notElsewhere(`CQ ${cqn}`);
    return this.#move(cqn, bufferKey, cqe);
  }

  #move(cqn: number, bufferKey: number, asked: number): { readonly cqe: number } {
    const { commands, user } = this.#parts;
    const { cqe, log2Count } = user.cqGeometry(asked);
    commands.cqs.resize(cqn, bufferKey, log2Count);
    return { cqe };
  }

  modify(cqn: number, cqCount: number, cqPeriod: number): void {
    asVerbsError(() => {
      this.#parts.commands.cqs.modify(cqn, cqCount, cqPeriod);
    });
  }

  destroy(cqn: number): void {
    asVerbsError(() => {
      this.#parts.commands.cqs.destroy(cqn);
    });
    this.#memory.release(cqn);
    this.#cqns.delete(cqn);
  }

  destroyAll(): void {
    for (const cqn of [...this.#cqns]) this.destroy(cqn);
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
