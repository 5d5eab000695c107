/** Turns literals and lists into a chain of receives that is reused from post to post. */
import { invalid } from './errors.ts';
import { assignRecvWr, RecvWr, type RecvWrInit } from './recv-wr.ts';
import { copySgList } from './send-staging.ts';

/** The work requests that a queue copies receives into when they are not `RecvWr` objects already. */
export class RecvStaging {
  readonly #wrs: RecvWr[] = [];
  #used = 0;

  /** A chain equal to `wr`, valid until the next call; null for an empty list. */
  chain(verb: string, wr: RecvWrInit | readonly (RecvWr | RecvWrInit)[]): RecvWr | null {
    this.#used = 0;
    if (Array.isArray(wr)) {
      for (const item of wr as readonly (RecvWr | RecvWrInit)[]) {
        if (item.next != null) throw invalid(verb, 'a list has a work request with next', 'post a list or a chain');
        this.#append(verb, item);
      }
    } else {
      for (let item: RecvWr | RecvWrInit | null = wr as RecvWrInit; item !== null; item = item.next ?? null) {
        this.#append(verb, item);
      }
    }
    if (this.#used === 0) return null;
    this.#wrs[this.#used - 1].next = null;
    return this.#wrs[0];
  }

  #append(verb: string, item: RecvWr | RecvWrInit): void {
    const wr = (this.#wrs[this.#used] ??= new RecvWr());
    if (item instanceof RecvWr) {
      wr.wrId = item.wrId;
      copySgList(wr.sgList, item.sgList);
    } else {
      assignRecvWr(verb, wr, item);
    }
    if (this.#used > 0) this.#wrs[this.#used - 1].next = wr;
    this.#used++;
  }
}
