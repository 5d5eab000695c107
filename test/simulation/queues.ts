/** Takes completions out of the queues, by polling or after events, and sees to it that no event is missing. */
import { WcFlags, WcStatus, WorkCompletion } from 'openverbs';
import type { Completion } from './record.ts';
import { Deviation } from './record.ts';
import type { Queue } from './world.ts';

const BATCH = 8;

/** A queue that is being read. */
export class QueueReader {
  readonly #queue: Queue;
  readonly #onCompletion: (completion: Completion) => boolean;
  readonly #wcs = WorkCompletion.array(BATCH);
  #armed = false;
  /** Whether a completion that asks for an event came after the queue was armed. */
  #eventDue = false;

  /** @param onCompletion - takes a completion, and says whether the work request had asked for a solicited event */
  constructor(queue: Queue, onCompletion: (completion: Completion) => boolean) {
    this.#queue = queue;
    this.#onCompletion = onCompletion;
  }

  /** Takes what there is, or what events tell of; true when there was something. */
  read(): boolean {
    const { events } = this.#queue.plan;
    if (events === 'none') return this.#poll();
    if (this.#armed && events === 'next' && !this.#takeEvent()) return false;
    return this.#readArmed();
  }

  /** Polls, whatever events say. */
  readAll(): boolean {
    return this.#queue.plan.events === 'none' ? this.#poll() : this.#readArmed();
  }

  /** Arms the queue when it is not, and polls; an event must be there when one was due. */
  #readArmed(): boolean {
    const { cq, plan } = this.#queue;
    if (!this.#armed) {
      this.#poll(); // what is there already raises no event
      cq.reqNotify(plan.events === 'solicited');
      this.#armed = true;
      this.#eventDue = false;
    }
    const found = this.#poll();
    if (this.#armed) this.#takeEvent();
    if (this.#armed && this.#eventDue)
      throw new Deviation('event', `no event of CQ ${cq.handle}, although a completion came`);
    return found;
  }

  #takeEvent(): boolean {
    const { cq, channel } = this.#queue;
    if (channel.tryGetCqEvent() === null) return false;
    cq.ackEvents(1);
    this.#armed = false;
    return true;
  }

  #poll(): boolean {
    const { cq, plan } = this.#queue;
    let found = false;
    for (;;) {
      const count = cq.poll(this.#wcs);
      for (const wc of this.#wcs.slice(0, count)) {
        const { wrId, status, opcode, byteLen, wcFlags, qpNum, vendorErr } = wc;
        const srcQp = (wcFlags & WcFlags.GRH) !== 0 ? wc.srcQp : 0;
        const immData = (wcFlags & (WcFlags.WITH_IMM | WcFlags.WITH_INV)) !== 0 ? wc.immData : 0;
        const isSolicited = this.#onCompletion({
          wrId,
          status,
          opcode,
          byteLen,
          wcFlags,
          immData,
          qpNum,
          srcQp,
          vendorErr,
        });
        if (plan.events === 'next' || isSolicited || status !== WcStatus.SUCCESS) this.#eventDue = true;
      }
      found ||= count > 0;
      if (count < BATCH) return found;
    }
  }
}
