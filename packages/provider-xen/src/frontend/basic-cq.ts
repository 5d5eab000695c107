/** A CQ of the basic kind: polls go over the device channel, which brings all that there is. */
import type { WorkCompletion } from '@openverbs/verbs';
import type { CqCalls } from '@openverbs/verbs/driver';
import type { CompletionValue } from '../protocol/attributes.ts';
import { Commands } from '../protocol/commands.ts';
import { COMPLETIONS_PER_DRAIN } from '../protocol/limits.ts';
import type { CommandChannel } from './command-channel.ts';

export interface BasicCqInit {
  readonly context: number;
  readonly channel: CommandChannel;
  readonly cq: number;
  readonly cqe: number;
  readonly cookie: number;
  /** Retires the work request of a completion that the application polls, and returns its `wrId`. */
  retire(wrId: number, qpNum: number): number;
}

export class BasicCq implements CqCalls {
  readonly kind = 'calls';
  readonly cookie: number;
  readonly #init: BasicCqInit;
  #buffer: CompletionValue[] = [];
  #timestamp = 0;

  constructor(init: BasicCqInit) {
    this.#init = init;
    this.cookie = init.cookie;
  }

  poll(wcs: WorkCompletion[], limit: number): number {
    let n = 0;
    while (n < limit) {
      if (this.#buffer.length === 0 && !this.#drain()) break;
      const value = this.#buffer.shift()!;
      const { timestamp, ...rest } = value;
      Object.assign(wcs[n], rest, { wrId: this.#init.retire(value.wrId, value.qpNum) });
      this.#timestamp = timestamp;
      n++;
    }
    return n;
  }

  reqNotify(solicitedOnly: boolean): void {
    const { context, channel, cq } = this.#init;
    channel.call(Commands.REQ_NOTIFY_CQ, { context, cq, solicitedOnly });
  }

  completionTs(): number {
    return this.#timestamp;
  }

  purge(goes: (completion: CompletionValue) => boolean): CompletionValue[] {
    const gone = this.#buffer.filter(goes);
    if (gone.length > 0) this.#buffer = this.#buffer.filter((each) => !goes(each));
    return gone;
  }

  drainAll(): void {
    while (this.#drain());
  }

  beforeResize(cqe: number): number {
    return cqe;
  }

  resize(cqe: number): number {
    return cqe;
  }

  #drain(): boolean {
    const { context, channel, cq } = this.#init;
    const { completions } = channel.call(Commands.DRAIN_CQ, { context, cq, max: COMPLETIONS_PER_DRAIN });
    this.#buffer.push(...completions);
    return completions.length > 0;
  }
}
