/** Turns literals and lists into a chain of work requests that is reused from post to post. */
import { ENDLESS, isEndless } from './chain.ts';
import { show } from './check.ts';
import { invalid, type VerbsError } from './errors.ts';
import { postFault, queueFull } from './post-error.ts';

/** A work request, of either kind. */
interface Chained<Wr> {
  next: Wr | null;
}

/** The same as a literal. */
interface ChainedInit<Wr, Init> {
  readonly next?: Wr | Init | null;
}

/** The work requests that a queue copies others into when they are not objects already that it may post as they are. */
export abstract class WrStaging<Wr extends Chained<Wr>, Init extends ChainedInit<Wr, Init>> {
  readonly #wrs: Wr[] = [];
  #used = 0;
  /** After {@link WrStaging.chain}: why it left something out, or null. */
  fault: VerbsError | null = null;

  /**
   * A chain equal to `wr`, valid until the next call; null when there is nothing to post. It ends before a work request that is
   * wrong, and after as many as `max` and one more, which no queue of `max` takes; {@link WrStaging.fault} says why.
   */
  chain(verb: string, wr: Init | readonly (Wr | Init)[], max: number): Wr | null {
    this.#used = 0;
    this.fault = null;
    try {
      if (Array.isArray(wr)) this.#appendList(wr as readonly (Wr | Init)[], max);
      else this.#appendChain(wr as Init, max);
    } catch (error) {
      this.fault = postFault(verb, this.#used, error);
    }
    if (this.#used === 0) return null;
    this.#wrs[this.#used - 1].next = null;
    return this.#wrs[0];
  }

  /** A new, empty work request. */
  protected abstract create(): Wr;

  /** Makes all of `target` but `next` equal to `source`; throws for what is wrong. */
  protected abstract assign(target: Wr, source: Wr | Init): void;

  #appendList(list: readonly (Wr | Init)[], max: number): void {
    for (const item of list) {
      if (item?.next != null) throw invalid('', 'a list has a work request with next', 'post a list or a chain');
      this.#append(item, max);
    }
  }

  #appendChain(first: Init, max: number): void {
    for (let item: Wr | Init | null = first; item !== null; item = item.next ?? null) {
      if (this.#used > max && isEndless(first)) {
        this.#used = 0;
        throw invalid('', ...ENDLESS);
      }
      this.#append(item, max);
    }
  }

  #append(item: Wr | Init, max: number): void {
    if (typeof item !== 'object' || item === null) throw invalid('', `it is ${show(item)}, not a work request`);
    if (this.#used > max) throw queueFull(max);
    const wr = (this.#wrs[this.#used] ??= this.create());
    this.assign(wr, item);
    if (this.#used > 0) this.#wrs[this.#used - 1].next = wr;
    this.#used++;
  }
}
