/** The slow side of a basic CQ: each drain is a command, whose answer becomes CQEs as the poller takes them. */
import { storeCqe } from '@openverbs/cqe-poller';
import { WorkCompletion } from '@openverbs/verbs';
import type { CqeSource } from '@openverbs/verbs/driver';
import { CQE_WORDS, CqeFlag, CqeWords } from '@openverbs/verbs/rings';
import type { CompletionValue } from '../protocol/attributes.ts';
import { Commands } from '../protocol/commands.ts';
import { COMPLETIONS_PER_DRAIN } from '../protocol/limits.ts';
import type { WorkUnderWay } from './basic-cq.ts';
import { indexOf, kindOf, SlotKind, srqNumberOf } from './basic-slots.ts';
import type { CommandChannel } from './command-channel.ts';
import type { QpStates } from './qp-states.ts';

/** What it is made of. */
export interface DrainSourceInit {
  readonly context: number;
  readonly channel: CommandChannel;
  readonly cq: number;
  /** What errors tell of their QPs. */
  readonly qpStates: QpStates;
  /** What may still complete there; null for a CQ that never overruns. */
  readonly underWay: WorkUnderWay | null;
  /** The number by which XRC messages name an SRQ of the context; 0 for one that is not for XRC. */
  xrcSrqNum(number: number): number;
}

export class DrainSource implements CqeSource {
  readonly i32 = new Int32Array(COMPLETIONS_PER_DRAIN * CQE_WORDS);
  readonly word = 0;
  readonly cqesMax = COMPLETIONS_PER_DRAIN;
  more = false;
  readonly #init: DrainSourceInit;
  readonly #wc = new WorkCompletion();

  constructor(init: DrainSourceInit) {
    this.#init = init;
  }

  drain(max: number, consumed: number, taken: number): number {
    const { context, channel, cq, qpStates } = this.#init;
    const request = { context, cq, max, consumed: consumed >>> 0, taken };
    const { more, completions, states } = channel.call(Commands.DRAIN_CQ, request);
    this.more = more && completions.length > 0;
    for (const [n, completion] of completions.entries()) this.#store(n * CQE_WORDS, completion);
    for (const { qp, state } of states) qpStates.answered(qp, state);
    return completions.length;
  }

  consume(consumed: number): void {
    const { context, channel, cq } = this.#init;
    channel.call(Commands.CONSUME_CQ, { context, cq, consumed: consumed >>> 0 });
  }

  underWayExceeds(count: number): boolean {
    return this.#init.underWay?.exceeds(count) ?? false;
  }

  arm(solicitedOnly: boolean): boolean {
    const { context, channel, cq } = this.#init;
    return channel.call(Commands.REQ_NOTIFY_CQ, { context, cq, solicitedOnly }).missed;
  }

  resize(cqe: number, consumed: number): number {
    const { context, channel, cq } = this.#init;
    return channel.call(Commands.RESIZE_CQ, { context, cq, cqe, consumed: consumed >>> 0, key: 0 }).cqe;
  }

  #store(word: number, { timestamp, ...completion }: CompletionValue): void {
    const { wrId } = completion;
    storeCqe(this.i32, word, Object.assign(this.#wc, completion), indexOf(wrId), timestamp);
    const srqNum = kindOf(wrId) === SlotKind.SRQ ? this.#init.xrcSrqNum(srqNumberOf(wrId)) : 0;
    if (srqNum === 0) return;
    this.i32[word + CqeWords.FLAGS] |= CqeFlag.XRC;
    this.i32[word + CqeWords.SRC_QPN] = srqNum;
  }
}
