/** Turns literals and lists into a chain of work requests that is reused from post to post. */
import { ENDLESS, isEndless } from './chain.ts';
import { show } from './check.ts';
import { invalid, type VerbsError } from './errors.ts';
import { postFault, queueFull } from './post-error.ts';
import { assignSendWr, checkSendWrKeys, SendWr, type SendWrInit } from './send-wr.ts';
import { copySgList } from './sge.ts';

/** The work requests that a QP copies sends into when they are not `SendWr` objects already. */
export class SendStaging {
  readonly #wrs: SendWr[] = [];
  #used = 0;
  /** After {@link SendStaging.chain}: why it left something out, or null. */
  fault: VerbsError | null = null;

  /**
   * A chain equal to `wr`, valid until the next call; null when there is nothing to post. It ends before a work request that is
   * wrong, and after as many as `max` and one more, which no queue of `max` takes; {@link SendStaging.fault} says why.
   */
  chain(verb: string, wr: SendWrInit | readonly (SendWr | SendWrInit)[], max: number): SendWr | null {
    this.#used = 0;
    this.fault = null;
    try {
      if (Array.isArray(wr)) this.#appendList(wr as readonly (SendWr | SendWrInit)[], max);
      else this.#appendChain(wr as SendWrInit, max);
    } catch (error) {
      this.fault = postFault(verb, this.#used, error);
    }
    if (this.#used === 0) return null;
    this.#wrs[this.#used - 1].next = null;
    return this.#wrs[0];
  }

  #appendList(list: readonly (SendWr | SendWrInit)[], max: number): void {
    for (const item of list) {
      if (item?.next != null) throw invalid('', 'a list has a work request with next', 'post a list or a chain');
      this.#append(item, max);
    }
  }

  #appendChain(first: SendWrInit, max: number): void {
    for (let item: SendWr | SendWrInit | null = first; item !== null; item = item.next ?? null) {
      if (this.#used > max && isEndless(first)) {
        this.#used = 0;
        throw invalid('', ...ENDLESS);
      }
      this.#append(item, max);
    }
  }

  #append(item: SendWr | SendWrInit, max: number): void {
    if (typeof item !== 'object' || item === null) throw invalid('', `it is ${show(item)}, not a work request`);
    if (this.#used > max) throw queueFull(max);
    const wr = (this.#wrs[this.#used] ??= new SendWr());
    if (item instanceof SendWr) copySendWr(wr, item);
    else {
      checkSendWrKeys('', item);
      assignSendWr('', wr, item);
    }
    if (this.#used > 0) this.#wrs[this.#used - 1].next = wr;
    this.#used++;
  }
}

/** A copy, because the original's `next` belongs to the application. */
function copySendWr(target: SendWr, source: SendWr): void {
  const { sgList } = target;
  Object.assign(target, source);
  target.sgList = sgList;
  copySgList(sgList, source.sgList);
}
