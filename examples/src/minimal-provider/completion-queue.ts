/** Completion queues. */
import { Errno, type WorkCompletion } from '@openverbs/verbs';
import { COMPLETION_EVENT, type CqCalls, type Handle } from '@openverbs/verbs/driver';
import type { Adapter } from './adapter.ts';
import type { EventQueue } from './events.ts';
import type { LoopbackQp } from './queue-pair.ts';

/** What was asked for by `reqNotify`; a larger one includes the smaller. */
const Armed = { NOT: 0, SOLICITED: 1, NEXT: 2 } as const;

/** A completion, and what a poll of it gives back to its QP. */
export interface Cqe {
  readonly qp: LoopbackQp;
  readonly wc: WorkCompletion;
  /** The slots that it frees: of the receive queue 1; of the send queue also those of silent sends before it. */
  readonly slots: number;
  readonly ofReceive: boolean;
  readonly solicited: boolean;
}

export class LoopbackCq implements CqCalls {
  readonly kind = 'calls';
  readonly handle: Handle;
  readonly cqe: number;
  readonly #adapter: Adapter;
  readonly #events: EventQueue;
  #entries: Cqe[] = [];
  #armed: number = Armed.NOT;
  #overrun = false;

  constructor(adapter: Adapter, events: EventQueue, cqe: number) {
    this.handle = adapter.newHandle();
    this.cqe = cqe;
    this.#adapter = adapter;
    this.#events = events;
  }

  /** False when the queue is full: the completion is lost, and the queue is broken for good (IBTA 10.2.2.3). */
  push(cqe: Cqe): boolean {
    this.#overrun ||= this.#entries.length === this.cqe;
    if (this.#overrun) return false;
    this.#entries.push(cqe);
    if (this.#armed === Armed.NEXT || (this.#armed === Armed.SOLICITED && cqe.solicited)) {
      this.#armed = Armed.NOT;
      this.#events.raise(COMPLETION_EVENT, this.handle);
    }
    return true;
  }

  poll(wcs: WorkCompletion[], limit: number): number {
    if (this.#entries.length === 0) this.#adapter.progress();
    const taken = this.#entries.splice(0, limit);
    taken.forEach(({ qp, wc, slots, ofReceive }, index) => {
      Object.assign(wcs[index], wc);
      qp.freeSlots(slots, ofReceive);
    });
    return taken.length === 0 && this.#overrun ? -Errno.EIO : taken.length;
  }

  reqNotify(solicitedOnly: boolean): void {
    this.#armed = Math.max(this.#armed, solicitedOnly ? Armed.SOLICITED : Armed.NEXT);
  }

  /** Forgets the completions of a QP that is reset or destroyed. */
  purge(qp: LoopbackQp): void {
    this.#entries = this.#entries.filter((cqe) => cqe.qp !== qp);
  }
}
