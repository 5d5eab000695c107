/** Turns literals and lists into a chain of receives that is reused from post to post. */
import { ENDLESS, isEndless } from './chain.ts';
import { show } from './check.ts';
import { invalid, type VerbsError } from './errors.ts';
import { postFault, queueFull } from './post-error.ts';
import { assignRecvWr, checkRecvWrKeys, RecvWr, type RecvWrInit } from './recv-wr.ts';
import { copySgList } from './sge.ts';

/** The work requests that a queue copies receives into when they are not `RecvWr` objects already. */
export class RecvStaging {
  readonly #wrs: RecvWr[] = [];
  #used = 0;
  /** After {@link RecvStaging.chain}: why it left something out, or null. */
  fault: VerbsError | null = null;

  /**
   * A chain equal to `wr`, valid until the next call; null when there is nothing to post. It ends before a work request that is
   * wrong, and after as many as `max` and one more, which no queue of `max` takes; {@link RecvStaging.fault} says why.
   */
  chain(verb: string, wr: RecvWrInit | readonly (RecvWr | RecvWrInit)[], max: number): RecvWr | null {
    this.#used = 0;
    this.fault = null;
    try {
      if (Array.isArray(wr)) this.#appendList(wr as readonly (RecvWr | RecvWrInit)[], max);
      else this.#appendChain(wr as RecvWrInit, max);
    } catch (error) {
      this.fault = postFault(verb, this.#used, error);
    }
    if (this.#used === 0) return null;
    this.#wrs[this.#used - 1].next = null;
    return this.#wrs[0];
  }

  #appendList(list: readonly (RecvWr | RecvWrInit)[], max: number): void {
    for (const item of list) {
      if (item?.next != null) throw invalid('', 'a list has a work request with next', 'post a list or a chain');
      this.#append(item, max);
    }
  }

  #appendChain(first: RecvWrInit, max: number): void {
    for (let item: RecvWr | RecvWrInit | null = first; item !== null; item = item.next ?? null) {
      if (this.#used > max && isEndless(first)) {
        this.#used = 0;
        throw invalid('', ...ENDLESS);
      }
      this.#append(item, max);
    }
  }

  #append(item: RecvWr | RecvWrInit, max: number): void {
    if (typeof item !== 'object' || item === null) throw invalid('', `it is ${show(item)}, not a work request`);
    if (this.#used > max) throw queueFull(max);
    const wr = (this.#wrs[this.#used] ??= new RecvWr());
    if (item instanceof RecvWr) {
      wr.wrId = item.wrId;
      copySgList(wr.sgList, item.sgList);
    } else {
      checkRecvWrKeys('', item);
      assignRecvWr('', wr, item);
    }
    if (this.#used > 0) this.#wrs[this.#used - 1].next = wr;
    this.#used++;
  }
}
