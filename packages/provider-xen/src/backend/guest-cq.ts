/**
 * A CQ of a guest. Basic: completions that the guest was given keep their places in the lower CQ until its program has polled them, so that
 * the device sees an overrun when it would without the buffer in between.
 */
import { VerbsError } from '@openverbs/verbs';
import type { CompletionQueue } from '@openverbs/verbs';
import type { KeptRoom } from '@openverbs/verbs/driver';

export class GuestCq {
  readonly cq: CompletionQueue;
  /** What the front-end knows it by. */
  readonly cookie: number;
  readonly #room: KeptRoom | undefined;
  /** Free-running counts, int32s, of completions that the guest was given, and of those that its program has polled. */
  #given = 0;
  #consumed = 0;

  /** @param room - undefined where places are free when the back-end polls, or the guest does itself */
  constructor(cq: CompletionQueue, cookie: number, room: KeptRoom | undefined) {
    this.cq = cq;
    this.cookie = cookie;
    this.#room = room;
  }

  /**
   * The guest says how much was polled.
   *
   * @throws VerbsError EINVAL when it was not given so many, or has said more before; then nothing changes
   */
  consume(consumed: number): void {
    const count = (consumed - this.#consumed) | 0;
    const unpolled = (this.#given - this.#consumed) | 0;
    if (count < 0 || count > unpolled) {
      const message = `consumed is ${consumed}: ${this.cq.label} has given ${this.#given >>> 0}, and ${this.#consumed >>> 0} were consumed before`;
      throw new VerbsError({ code: 'EINVAL', message, hint: 'count the completions that the application has polled' });
    }
    if (count > 0) this.#giveBack(count);
  }

  /** A poll for the guest gave `count` completions. Of those that it has, the program takes the oldest `taken` at once. */
  given(count: number, taken: number): void {
    this.#given = (this.#given + count) | 0;
    this.#room?.keep(count);
    this.#giveBack(Math.min((this.#given - this.#consumed) | 0, taken));
  }

  #giveBack(count: number): void {
    this.#consumed = (this.#consumed + count) | 0;
    this.#room?.giveBack(count);
  }
}
