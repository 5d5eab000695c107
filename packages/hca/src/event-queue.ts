/** Event queues: the device's half writes entries, the context's thread reads them. */
import { wakeAll } from '@openverbs/machine';
import type { Machine } from '@openverbs/machine';
import { AsyncEvent } from './async-event.ts';
import { Cqc, Eqc, HcaHeader, Qpc, QpcState } from './layout.ts';
import { EQ_ENTRIES_LOG2 } from './limits.ts';
import { Tap } from './tap.ts';

/** `type` of a completion event, as opposed to an `ibv_event_type`. */
export const COMPLETION = -1;

/** Stands among the queues to tell of for the tap. */
const TAP = -1;

const EQ_MASK = (1 << EQ_ENTRIES_LOG2) - 1;

/** Bytes of an event queue. */
export const EQ_BYTES = (Eqc.ENTRIES + (Eqc.ENTRY_WORDS << EQ_ENTRIES_LOG2)) * 4;

/** Raises events under the lock; {@link EventQueues.flush} tells the readers once it is released. */
export class EventQueues {
  readonly #machine: Machine;
  readonly #i32: Int32Array;
  readonly #threadIndex: number;
  readonly #local = new Map<number, () => void>();
  #raised: number[] = [];
  /** Where a tracer listens; it is told at the flush, too. */
  readonly tap: Tap;

  constructor(machine: Machine, nowNs: () => number = () => 0) {
    this.#machine = machine;
    this.#i32 = machine.i32;
    this.#threadIndex = machine.threadIndex;
    this.tap = new Tap(machine, nowNs, () => {
      this.tell(TAP);
    });
  }

  /** True when events were raised since the last flush. */
  get pending(): boolean {
    return this.#raised.length !== 0;
  }

  /** Sets who is told of events in a queue of this thread. */
  listen(eq: number, handler: () => void): void {
    this.#local.set(eq, handler);
  }

  unlisten(eq: number): void {
    this.#local.delete(eq);
  }

  /** Raises the completion event of a CQ, unless one still lies in the queue; without room it stays armed. */
  raiseCompletion(cqc: number, arm: number): void {
    const i32 = this.#i32;
    const queued = Atomics.exchange(i32, cqc + Cqc.EVENT_QUEUED, 1) !== 0;
    // Disarmed before the event is told of: who gets it arms again at once, and that arming must stay.
    const armed = Atomics.exchange(i32, arm, 0);
    if (queued) this.tell(i32[cqc + Cqc.EQ]);
    else if (!this.raise(i32[cqc + Cqc.EQ], COMPLETION, i32[cqc + Cqc.CQN], i32[cqc + Cqc.HCA])) {
      Atomics.store(i32, cqc + Cqc.EVENT_QUEUED, 0);
      Atomics.or(i32, arm, armed);
    }
  }

  /** Raises an asynchronous event of a QP, for all who have it open. */
  raiseQp(q: number, type: number): void {
    const i32 = this.#i32;
    const hca = i32[q + Qpc.HCA];
    this.raise(i32[q + Qpc.EQ], type, i32[q + Qpc.QPN], hca);
    for (let o = i32[q + Qpc.NEXT_OPENING]; o !== 0; o = i32[o + Qpc.NEXT_OPENING])
      this.raise(i32[o + Qpc.EQ], type, i32[o + Qpc.QPN], hca);
  }

  /** The first message to a QP in RTR says that the peer is connected, before the application is (IBTA 11.6.3.1). */
  establish(p: number): void {
    const i32 = this.#i32;
    if (i32[p + Qpc.STATE] !== QpcState.RTR || i32[p + Qpc.COMM_ESTABLISHED] !== 0) return;
    i32[p + Qpc.COMM_ESTABLISHED] = 1;
    this.raiseQp(p, AsyncEvent.COMM_EST);
  }

  /** False when the queue is full: the event is counted and lost, and the reader finds OVERRUN set. */
  raise(eq: number, type: number, id: number, hca: number): boolean {
    if (eq === 0) return true;
    const i32 = this.#i32;
    const producer = i32[eq + Eqc.PRODUCER];
    if (((producer - Atomics.load(i32, eq + Eqc.CONSUMER)) | 0) > EQ_MASK) {
      i32[eq + Eqc.OVERRUN] = 1;
      i32[hca + HcaHeader.EQ_OVERRUNS] = (i32[hca + HcaHeader.EQ_OVERRUNS] + 1) | 0;
      this.tell(eq);
      return false;
    }
    const entry = eq + Eqc.ENTRIES + (producer & EQ_MASK) * Eqc.ENTRY_WORDS;
    i32[entry] = type;
    i32[entry + 1] = id;
    Atomics.store(i32, eq + Eqc.PRODUCER, (producer + 1) | 0);
    this.tell(eq);
    return true;
  }

  /** Interrupts the readers of what was raised. Called after the lock was released: handlers run here. */
  flush(): void {
    const raised = this.#raised;
    this.#raised = [];
    for (const eq of raised) {
      if (eq === TAP) this.tap.flush();
      else if (this.#i32[eq + Eqc.THREAD] !== this.#threadIndex) this.#tellThread(eq);
      else this.#local.get(eq)?.();
    }
  }

  /** A reader in another thread sleeps in its event loop, or in the wait of a verb or a service. */
  #tellThread(eq: number): void {
    Atomics.notify(this.#i32, eq + Eqc.PRODUCER);
    wakeAll(this.#machine);
  }

  /** As {@link EventQueues.tell}, if the reader is another thread: it may have to sleep less long now. */
  tellOthers(eq: number): void {
    if (eq !== 0 && this.#i32[eq + Eqc.THREAD] !== this.#threadIndex) this.tell(eq);
  }

  /** Has the queue's reader interrupted at the next flush. */
  tell(eq: number): void {
    if (eq !== 0 && !this.#raised.includes(eq)) this.#raised.push(eq);
  }
}

/** Takes the oldest entry of a queue into `entry`; false when it is empty. For the queue's own thread. */
export function takeEvent(i32: Int32Array, eq: number, entry: { type: number; id: number }): boolean {
  const consumer = i32[eq + Eqc.CONSUMER];
  if (Atomics.load(i32, eq + Eqc.PRODUCER) === consumer) return false;
  const at = eq + Eqc.ENTRIES + (consumer & EQ_MASK) * Eqc.ENTRY_WORDS;
  entry.type = i32[at];
  entry.id = i32[at + 1];
  Atomics.store(i32, eq + Eqc.CONSUMER, (consumer + 1) | 0);
  return true;
}
