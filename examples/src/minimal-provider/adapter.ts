/** The device itself: what all of its contexts share. */
import type { Handle, ProviderClock } from '@openverbs/verbs/driver';
import { Memory } from './memory.ts';
import type { LoopbackQp } from './queue-pair.ts';

/** QPs 0 and 1 are the management QPs, 0xffffff is multicast (IBTA 9.2.1). */
const QP_NUMBERS = { first: 2, last: 0xfffffe };

export class Adapter {
  readonly clock: ProviderClock;
  readonly memory = new Memory();
  readonly pds = new Set<Handle>();
  readonly cqs = new Set<Handle>();
  /** The QPs of all contexts, by QP number: a message finds its peer here. */
  readonly qps = new Map<number, LoopbackQp>();
  /** QPs whose message had no answer or no receive, until they try again. */
  readonly waiting = new Set<LoopbackQp>();
  #lastHandle = 0;
  #lastQpNum = QP_NUMBERS.last;

  constructor(clock: ProviderClock) {
    this.clock = clock;
  }

  newHandle(): Handle {
    return ++this.#lastHandle;
  }

  /** The number that was free for longest, so that a late message for a QP that is gone finds nobody. */
  newQpNum(): number {
    do this.#lastQpNum = this.#lastQpNum === QP_NUMBERS.last ? QP_NUMBERS.first : this.#lastQpNum + 1;
    while (this.qps.has(this.#lastQpNum));
    return this.#lastQpNum;
  }

  /** Does what is due. Called by whoever polls an empty CQ, and by a timer while somebody sleeps. */
  progress(): void {
    if (this.waiting.size === 0) return;
    const now = this.clock.nowNs();
    for (const qp of [...this.waiting]) if (qp.deadlineNs <= now) qp.retry();
  }
}
