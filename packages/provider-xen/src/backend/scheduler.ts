/**
 * Whose sends are posted next: deficit round robin by weight, each guest within its rate, and all of them within that of the link. The link is
 * where guests contend: a device that is emulated takes whatever is posted.
 *
 * Source: M. Shreedhar, G. Varghese, "Efficient Fair Queuing Using Deficit Round Robin", 1996.
 */
import type { RequestQueue } from './request-queue.ts';
import { TokenBucket } from './token-bucket.ts';

/** What a guest of weight 1 may send in a round, in bytes. */
export const QUANTUM_BYTES = 65536;
/** Sends in one go, so that commands are not kept waiting. */
export const POSTS_PER_RUN = 64;

export class Scheduler {
  /** What all guests together may send. */
  readonly link = new TokenBucket();
  readonly #queues: RequestQueue[] = [];
  /** Whose turn it is. */
  #turn = 0;
  /** Whether that guest has had its quantum. */
  #begun = false;

  add(queue: RequestQueue): void {
    this.#queues.push(queue);
  }

  remove(queue: RequestQueue): void {
    const index = this.#queues.indexOf(queue);
    if (index < 0) return;
    this.#queues.splice(index, 1);
    if (this.#turn > index) this.#turn--;
    else if (this.#turn === index) this.#begun = false;
    if (this.#turn >= this.#queues.length) this.#turn = 0;
  }

  /** Whether a send of this guest may go at once: it waits for nothing, and neither does anybody else. */
  isIdle(queue: RequestQueue, nowNs: number): boolean {
    return this.#queues.every(({ length }) => length === 0) && queue.bucket.ready(nowNs) && this.link.ready(nowNs);
  }

  /** Posts what may go now; false when there was nothing. */
  run(nowNs: number): boolean {
    let posts = 0;
    for (let passed = 0; passed < this.#queues.length;) {
      const before = posts;
      posts = this.#runTurn(nowNs, posts);
      // The turn goes on where it was.
      if (posts === POSTS_PER_RUN || !this.link.ready(nowNs)) return posts > 0;
      passed = this.#isBlocked(nowNs) ? passed + 1 : posts === before ? passed : 0;
      this.#advance();
    }
    return posts > 0;
  }

  /** When something that waits for tokens may go; Infinity when nothing does. */
  nextNs(nowNs: number): number {
    let next = Infinity;
    for (const queue of this.#queues) {
      if (queue.length > 0) next = Math.min(next, queue.bucket.readyAtNs(nowNs));
    }
    return Math.max(next, this.link.readyAtNs(nowNs));
  }

  /** Posts within the turn of one guest and returns how many there are by now. */
  #runTurn(nowNs: number, posts: number): number {
    const queue = this.#queues[this.#turn];
    if (!this.#begun) {
      this.#begun = true;
      // Who waits for its own tokens gets nothing to save up: it would have the link to itself later.
      if (!this.#isBlocked(nowNs)) queue.deficit += queue.weight * QUANTUM_BYTES;
    }
    while (posts < POSTS_PER_RUN && !this.#isBlocked(nowNs) && this.link.ready(nowNs)) {
      if (queue.nextBytes > queue.deficit) break;
      queue.deficit -= queue.nextBytes;
      queue.postNext();
      posts++;
    }
    return posts;
  }

  /** Nothing of the guest at turn can go, however often its turn comes. */
  #isBlocked(nowNs: number): boolean {
    const queue = this.#queues[this.#turn];
    return queue.length === 0 || !queue.bucket.ready(nowNs);
  }

  #advance(): void {
    const queue = this.#queues[this.#turn];
    if (queue.length === 0) queue.deficit = 0;
    this.#turn = (this.#turn + 1) % this.#queues.length;
    this.#begun = false;
  }
}
