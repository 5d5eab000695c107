/** A QP of the basic kind: posts go over the device channel, packed; payload never does. */
import { Errno } from '@openverbs/verbs';
import type { QpCap, RecvWr, SendWr } from '@openverbs/verbs';
import type { QpCalls } from '@openverbs/verbs/driver';
import { Commands } from '../protocol/commands.ts';
import type { BasicCq } from './basic-cq.ts';
import type { CommandChannel } from './command-channel.ts';
import type { GuestMemory } from './guest-memory.ts';
import { inlineBytes, postChain, toRecvValue, toSendValue } from './post-chain.ts';
import type { BasicSrq } from './basic-srq.ts';
import type { QpStates } from './qp-states.ts';
import { BasicSlots, SlotKind } from './basic-slots.ts';

/** What it is made of. */
export interface BasicQpInit {
  readonly context: number;
  readonly channel: CommandChannel;
  readonly memory: GuestMemory;
  readonly qpStates: QpStates;
  readonly qp: number;
  readonly cap: QpCap;
  readonly cookie: number;
  /** Where its sends complete, and its receives; null for one that has none. */
  readonly sendCq: BasicCq | null;
  readonly recvCq: BasicCq | null;
  /** What it receives from, when that is an SRQ. */
  readonly srq: BasicSrq | null;
  /** Whether it has a receive queue of its own. */
  readonly receives: boolean;
}

export class BasicQp implements QpCalls {
  readonly kind = 'calls';
  badWrIndex = 0;
  readonly cookie: number;
  /** Its CQs, each once. */
  readonly cqs: ReadonlySet<BasicCq>;
  readonly sends: BasicSlots;
  readonly receives: BasicSlots;
  readonly #init: BasicQpInit;

  constructor(init: BasicQpInit) {
    this.#init = init;
    this.cookie = init.cookie;
    this.cqs = new Set([init.sendCq, init.recvCq].filter((cq) => cq !== null));
    this.sends = new BasicSlots(init.cap.maxSendWr, SlotKind.SEND);
    this.receives = new BasicSlots(init.cap.maxRecvWr, SlotKind.RECV);
    init.sendCq?.attach(this.sends);
    init.recvCq?.attach(this.receives);
    if (init.recvCq !== null) init.srq?.attach(init.recvCq);
  }

  postSend(first: SendWr): number {
    const { context, channel, memory, qp, sendCq } = this.#init;
    const result = postChain(
      first,
      this.sends,
      (wr, wrId) => toSendValue(wr, wrId, inlineBytes(wr, memory)),
      (wrs) => channel.call(Commands.POST_SEND, { context, qp, consumed: sendCq?.posting(wrs.length) ?? 0, wrs }),
    );
    this.badWrIndex = result.badWrIndex;
    return result.errno;
  }

  postRecv(first: RecvWr): number {
    const { context, channel, qp, receives, recvCq } = this.#init;
    this.badWrIndex = 0;
    if (!receives) return Errno.EINVAL;
    const result = postChain(first, this.receives, toRecvValue, (wrs) =>
      channel.call(Commands.POST_RECV, { context, qp, consumed: recvCq?.posting(wrs.length) ?? 0, wrs }),
    );
    this.badWrIndex = result.badWrIndex;
    return result.errno;
  }

  state(): number {
    const { qpStates, qp } = this.#init;
    return qpStates.of(qp);
  }

  reset(): void {
    this.sends.reset();
    this.receives.reset();
  }

  /** It is no more: nothing of it completes. */
  end(): void {
    const { sendCq, recvCq, srq } = this.#init;
    sendCq?.detach(this.sends);
    recvCq?.detach(this.receives);
    if (recvCq !== null) srq?.detach(recvCq);
  }
}
