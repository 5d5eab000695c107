/** Turns literals and lists into a chain of work requests that is reused from post to post. */
import { invalid } from './errors.ts';
import { assignSendWr, SendWr, type SendWrInit } from './send-wr.ts';
import { Sge, type SgeLike } from './sge.ts';

/** The work requests that a QP copies sends into when they are not `SendWr` objects already. */
export class SendStaging {
  readonly #wrs: SendWr[] = [];
  #used = 0;

  /** A chain equal to `wr`, valid until the next call; null for an empty list. */
  chain(verb: string, wr: SendWrInit | readonly (SendWr | SendWrInit)[]): SendWr | null {
    this.#used = 0;
    if (Array.isArray(wr)) {
      for (const item of wr as readonly (SendWr | SendWrInit)[]) {
        if (item.next != null) throw invalid(verb, 'a list has a work request with next', 'post a list or a chain');
        this.#append(verb, item);
      }
    } else {
      for (let item: SendWr | SendWrInit | null = wr as SendWrInit; item !== null; item = item.next ?? null) {
        this.#append(verb, item);
      }
    }
    if (this.#used === 0) return null;
    this.#wrs[this.#used - 1].next = null;
    return this.#wrs[0];
  }

  #append(verb: string, item: SendWr | SendWrInit): void {
    const wr = (this.#wrs[this.#used] ??= new SendWr());
    if (item instanceof SendWr) copySendWr(wr, item);
    else assignSendWr(verb, wr, item);
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

/** Makes `target` equal to `source`, unchecked, reusing the elements that are there. */
export function copySgList(target: Sge[], source: readonly SgeLike[]): void {
  while (target.length < source.length) target.push(new Sge());
  target.length = source.length;
  for (let i = 0; i < source.length; i++) {
    const sge = target[i];
    sge.addr = source[i].addr;
    sge.length = source[i].length;
    sge.lkey = source[i].lkey;
  }
}
