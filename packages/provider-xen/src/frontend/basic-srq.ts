/** An SRQ of the basic kind: receives go over the device channel. */
import type { RecvWr } from '@openverbs/verbs';
import type { SrqCalls } from '@openverbs/verbs/driver';
import { Commands } from '../protocol/commands.ts';
import type { BasicCq } from './basic-cq.ts';
import type { CommandChannel } from './command-channel.ts';
import { postChain, toRecvValue } from './post-chain.ts';
import { BasicSrqSlots } from './basic-slots.ts';

/** What it is made of. */
export interface BasicSrqInit {
  readonly context: number;
  readonly channel: CommandChannel;
  readonly srq: number;
  readonly maxWr: number;
  /** Its number in this context, which work requests name. */
  readonly number: number;
  readonly cookie: number;
  /** What XRC messages name it by; 0 when it is not for XRC. */
  readonly xrcSrqNum: number;
  /** Where its receives complete, for XRC; else QPs say it. */
  readonly xrcCq: BasicCq | null;
}

export class BasicSrq implements SrqCalls {
  readonly kind = 'calls';
  badWrIndex = 0;
  readonly number: number;
  readonly cookie: number;
  readonly xrcSrqNum: number;
  readonly slots: BasicSrqSlots;
  readonly #init: BasicSrqInit;
  /** Where its receives may complete, and how many QPs say so. */
  readonly #cqs = new Map<BasicCq, number>();

  constructor(init: BasicSrqInit) {
    this.#init = init;
    this.number = init.number;
    this.cookie = init.cookie;
    this.xrcSrqNum = init.xrcSrqNum;
    this.slots = new BasicSrqSlots(init.maxWr, init.number);
    if (init.xrcCq !== null) this.attach(init.xrcCq);
  }

  /** From now on its receives may complete there. */
  attach(cq: BasicCq): void {
    this.#cqs.set(cq, (this.#cqs.get(cq) ?? 0) + 1);
    cq.attach(this.slots);
  }

  detach(cq: BasicCq): void {
    const uses = this.#cqs.get(cq) ?? 0;
    if (uses > 1) this.#cqs.set(cq, uses - 1);
    else this.#cqs.delete(cq);
    cq.detach(this.slots);
  }

  postRecv(first: RecvWr): number {
    const { context, channel, srq } = this.#init;
    const result = postChain(first, this.slots, toRecvValue, (wrs) => {
      for (const cq of this.#cqs.keys()) cq.beforePost(wrs.length);
      return channel.call(Commands.POST_SRQ_RECV, { context, srq, wrs });
    });
    this.badWrIndex = result.badWrIndex;
    return result.errno;
  }

  resize(maxWr: number): void {
    this.slots.grow(maxWr);
  }

  /** It is no more. QPs that used it are gone by now. */
  end(): void {
    const { xrcCq } = this.#init;
    if (xrcCq !== null) this.detach(xrcCq);
  }
}
