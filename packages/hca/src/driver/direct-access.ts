/** Queues in memory of others: the kernel half of direct access, of one context. */
import { PAGE_BYTES } from '@openverbs/machine';
import type { Machine } from '@openverbs/machine';
import type { SrqAttr } from '@openverbs/verbs';
import type {
  CqExRequest,
  DirectAccessOps,
  DirectCqOps,
  DirectQpOps,
  DirectSrqOps,
  QpRequest,
  UserHalfHandle,
  XrcSrqRequest,
} from '@openverbs/verbs/driver';
import type { CommandInterface } from '../command-interface.ts';
import { DeviceError } from '../device-error.ts';
import { asVerbsError } from './errors.ts';
import type { HcaCqs } from './hca-cqs.ts';
import type { HcaQps } from './hca-qps.ts';
import type { HcaSrqs } from './hca-srqs.ts';
import { checkPages } from './page-list.ts';
import type { RingMemory } from './ring-memory.ts';

/** The parts of the context. */
export interface DirectAccessParts {
  readonly commands: CommandInterface;
  readonly rings: RingMemory;
  readonly cqs: HcaCqs;
  readonly qps: HcaQps;
  readonly srqs: HcaSrqs;
}

export class HcaDirectAccess implements DirectAccessOps {
  readonly userHalf: UserHalfHandle;
  readonly #machine: Machine;
  readonly #commands: CommandInterface;
  readonly #rings: RingMemory;
  readonly #cqs: HcaCqs;
  readonly #qps: HcaQps;
  readonly #srqs: HcaSrqs;
  readonly #keys = new Set<number>();

  constructor(userHalf: UserHalfHandle, { commands, rings, cqs, qps, srqs }: DirectAccessParts) {
    this.userHalf = userHalf;
    this.#machine = commands.engine.machine;
    this.#commands = commands;
    this.#rings = rings;
    this.#cqs = cqs;
    this.#qps = qps;
    this.#srqs = srqs;
  }

  regQueueBuffer(pages: ArrayLike<number>): number {
    const key = this.#rings.withReaping(() => {
      if (!checkPages(this.#machine, pages)) {
        throw new DeviceError('EINVAL', 'the pages of a queue are one run', 'allocate the memory of a queue at once');
      }
      return this.#rings.register(pages[0], pages.length * PAGE_BYTES);
    });
    this.#keys.add(key);
    return key;
  }

  deregQueueBuffer(key: number): void {
    asVerbsError(() => {
      if (!this.#keys.has(key)) throw new DeviceError('EINVAL', `no queue buffer has the key 0x${key.toString(16)}`);
      this.#commands.destroyMpt(key);
    });
    this.#keys.delete(key);
  }

  createCq(key: number, request: CqExRequest): DirectCqOps {
    return this.#rings.withReaping(() => this.#cqs.createOn(key, request));
  }

  createQp(key: number, request: QpRequest): DirectQpOps {
    const made = this.#rings.withReaping(() => this.#qps.createOn(key, request));
    const { handle } = made;
    const [taken, payloadBytes] = [this.#qps.takenOf(handle), this.#qps.payloadBytesOf(handle)];
    return { ...made, state: () => this.#qps.state(handle), taken, payloadBytes };
  }

  createSrq(key: number, pd: number, attr: SrqAttr, xrc: XrcSrqRequest | null): DirectSrqOps {
    const made = this.#rings.withReaping(() => this.#srqs.createOn(key, pd, attr, xrc));
    return { ...made, taken: this.#srqs.takenOf(made.handle) };
  }

  resizeCq(cqn: number, key: number, cqe: number): { readonly cqe: number } {
    return this.#rings.withReaping(() => this.#cqs.resizeOn(cqn, key, cqe));
  }

  resizeSrq(srqn: number, key: number, attr: Partial<SrqAttr>, mask: number): { readonly maxWr: number } {
    return this.#rings.withReaping(() => this.#srqs.resizeOn(srqn, key, attr, mask));
  }

  /** Ends what is left; the queues have ended before. */
  close(): void {
    for (const key of [...this.#keys]) this.deregQueueBuffer(key);
  }
}
