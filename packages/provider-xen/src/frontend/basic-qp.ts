/** A QP of the basic kind: posts go over the device channel, packed; payload never does. */
import { Errno } from '@openverbs/verbs';
import type { QpCap, RecvWr, SendWr } from '@openverbs/verbs';
import type { QpCalls } from '@openverbs/verbs/driver';
import { Commands } from '../protocol/commands.ts';
import type { CommandChannel } from './command-channel.ts';
import type { GuestMemory } from './guest-memory.ts';
import { inlineBytes, postChain, toRecvValue, toSendValue } from './post-chain.ts';
import { BasicSlots, SlotKind } from './basic-slots.ts';

/** What it is made of. */
export interface BasicQpInit {
  readonly context: number;
  readonly channel: CommandChannel;
  readonly memory: GuestMemory;
  readonly qp: number;
  readonly cap: QpCap;
  readonly cookie: number;
  /** Its CQs. */
  readonly cqs: readonly number[];
  /** Whether it has a receive queue of its own. */
  readonly receives: boolean;
}

export class BasicQp implements QpCalls {
  readonly kind = 'calls';
  badWrIndex = 0;
  readonly cookie: number;
  readonly cqs: readonly number[];
  readonly sends: BasicSlots;
  readonly receives: BasicSlots;
  readonly #init: BasicQpInit;

  constructor(init: BasicQpInit) {
    this.#init = init;
    this.cookie = init.cookie;
    this.cqs = init.cqs;
    this.sends = new BasicSlots(init.cap.maxSendWr, SlotKind.SEND);
    this.receives = new BasicSlots(init.cap.maxRecvWr, SlotKind.RECV);
  }

  postSend(first: SendWr): number {
    const { context, channel, memory, qp } = this.#init;
    const result = postChain(
      first,
      this.sends,
      (wr, wrId) => toSendValue(wr, wrId, inlineBytes(wr, memory)),
      (wrs) => channel.call(Commands.POST_SEND, { context, qp, wrs }),
    );
    this.badWrIndex = result.badWrIndex;
    return result.errno;
  }

  postRecv(first: RecvWr): number {
    const { context, channel, qp, receives } = this.#init;
    this.badWrIndex = 0;
    if (!receives) return Errno.EINVAL;
    const result = postChain(first, this.receives, toRecvValue, (wrs) =>
      channel.call(Commands.POST_RECV, { context, qp, wrs }),
    );
    this.badWrIndex = result.badWrIndex;
    return result.errno;
  }

  reset(): void {
    this.sends.reset();
    this.receives.reset();
  }
}
