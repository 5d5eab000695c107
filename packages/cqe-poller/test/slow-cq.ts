/** A completion queue on the slow side: a list, and the rules of the contract. */
import { VerbsError, WcOpcode, WorkCompletion } from '@openverbs/verbs';
import { QpSlots, type QpTable, type SrqSlots, WorkQueueSlots } from '@openverbs/verbs/rings';

import { type CqeSource, storeCqe } from '../src/index.ts';

/** A completion that waits. */
export interface Waiting {
  readonly qpNum: number;
  readonly wqeIndex: number;
  readonly solicited: boolean;
  readonly received: boolean;
}

/** Where a trip can be overtaken by what the device does. */
export type Moment =
  'before drain' | 'after drain' | 'before arm' | 'armed' | 'after arm' | 'before resize' | 'after resize';

/** The queue. It knows what the application has polled as far as it was told. */
export class SlowCq implements CqeSource {
  readonly i32: Int32Array;
  readonly word = 16;
  readonly cqesMax: number;
  more = false;
  readonly waiting: Waiting[] = [];
  cqe: number;
  armed: 'no' | 'solicited' | 'next' = 'no';
  /** Events that were raised. */
  events = 0;
  /** Called within the trips. */
  at: (moment: Moment) => void = () => undefined;
  /** Work requests that may still complete here. */
  underWay: () => number = () => 0;
  /** What drain returns instead of working. */
  broken: number | null = null;
  /** CQEs that were handed over, and how many of them count as consumed. */
  #drained = 0;
  #consumed = 0;
  readonly #wc = new WorkCompletion();

  constructor(cqe: number, cqesMax = cqe) {
    this.cqe = cqe;
    this.cqesMax = cqesMax;
    this.i32 = new Int32Array(16 + cqesMax * 16);
  }

  /** Entries that have their places: those that wait here, and those that were handed over and not polled. */
  get entries(): number {
    return this.waiting.length + this.#drained - this.#consumed;
  }

  /** The device completes something; false when the queue overruns. */
  arrive(completion: Waiting): boolean {
    if (this.entries >= this.cqe) return false;
    this.waiting.push(completion);
    if (this.armed === 'next' || (this.armed === 'solicited' && completion.solicited)) {
      this.armed = 'no';
      this.events++;
    }
    return true;
  }

  /** What a reset or destroyed QP has not got from here. */
  purge(qpNum: number): void {
    const kept = this.waiting.filter((each) => each.qpNum !== qpNum);
    this.waiting.splice(0, this.waiting.length, ...kept);
  }

  drain(max: number, consumed: number, taken: number): number {
    this.at('before drain');
    if (this.broken !== null) return this.broken;
    this.consume(consumed);
    if (max < 1 || max > this.cqesMax) throw new Error(`max is ${max}`);
    const drained = this.waiting.splice(0, max);
    this.#drained += drained.length;
    this.#consumed += Math.min(this.#drained - this.#consumed, taken);
    this.more = this.waiting.length > 0;
    // VALID of the area is whatever it was.
    this.i32.fill(1);
    for (const [at, each] of drained.entries()) this.#store(this.word + at * 16, each);
    this.at('after drain');
    return drained.length;
  }

  consume(consumed: number): void {
    if (consumed < this.#consumed || consumed > this.#drained) {
      throw new Error(`consumed is ${consumed}, and was ${this.#consumed} of ${this.#drained}`);
    }
    this.#consumed = consumed;
  }

  underWayExceeds(count: number): boolean {
    return this.underWay() > count;
  }

  arm(solicitedOnly: boolean): boolean {
    this.at('before arm');
    if (!solicitedOnly) this.armed = 'next';
    else if (this.armed === 'no') this.armed = 'solicited';
    this.at('armed');
    const missed = this.waiting.length > 0;
    this.at('after arm');
    return missed;
  }

  resize(cqe: number, consumed: number): number {
    this.at('before resize');
    this.consume(consumed);
    if (cqe < this.entries) throw new VerbsError({ code: 'EINVAL', message: `${this.entries} entries are in use` });
    this.cqe = cqe;
    this.at('after resize');
    return cqe;
  }

  #store(word: number, { qpNum, wqeIndex, received }: Waiting): void {
    const wc = this.#wc;
    wc.qpNum = qpNum;
    wc.opcode = received ? WcOpcode.RECV : WcOpcode.SEND;
    storeCqe(this.i32, word, wc, wqeIndex, wqeIndex + 2 ** 33);
  }
}

/** A QP of the front-end whose `wrId` n is that of WQE n. */
export function addQp(qps: QpTable, qpNum: number, srq: SrqSlots | null = null): QpSlots {
  const qp = new QpSlots(qpNum, new WorkQueueSlots(4), new WorkQueueSlots(4), srq);
  for (let at = 0; at < 16; at++) qp.send.wrIds[at] = qp.recv.wrIds[at] = qpNum * 1000 + at;
  qps.add(qp);
  return qp;
}

/** A send completion of a QP. */
export function sent(qpNum: number, wqeIndex: number, solicited = false): Waiting {
  return { qpNum, wqeIndex, solicited, received: false };
}

/** A receive completion of a QP. */
export function received(qpNum: number, wqeIndex: number, solicited = false): Waiting {
  return { qpNum, wqeIndex, solicited, received: true };
}
