/**
 * The events of a context: reads its event queue, and listens to it while somebody waits.
 *
 * The thread that raises an event tells its own contexts directly, on the next microtask so that no user code runs inside a
 * post; other threads notify the queue's producer word. A pending `Atomics.waitAsync` does not keep Node alive, a timer does.
 */
import type { Clock } from '@openverbs/machine';
import type { EventSource, RawEvent } from '@openverbs/verbs/driver';
import type { Engine } from '../engine.ts';
import { takeEvent, COMPLETION } from '../event-queue.ts';
import { Cqc, Eqc } from '../layout.ts';
import { CQS_MAX } from '../limits.ts';
import { catchUp } from '../recovery.ts';

/**
 * The timer that keeps the event loop alive. When it fires the waiter looks after what a thread may have left undone that
 * was terminated: the lock, a doorbell, an interrupt.
 */
const KEEP_ALIVE_MS = 200;

type WaitAsync = (
  words: Int32Array,
  index: number,
  value: number,
) => { async: false; value: 'not-equal' | 'timed-out' } | { async: true; value: Promise<'ok' | 'timed-out'> };
const { waitAsync } = Atomics as unknown as { waitAsync: WaitAsync };

export class HcaEventSource implements EventSource {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #eq: number;
  readonly #cqTable: number;
  #handler: (() => void) | null = null;
  #holds = 0;
  #scheduled = false;
  #waiting = false;
  #closed = false;
  #keepAlive: ReturnType<typeof setInterval> | undefined;
  #cancelTimer: (() => void) | undefined;
  #timerNs = Infinity;
  readonly #onDeadline = (): void => {
    this.#armTimer();
  };

  constructor(engine: Engine, clock: Clock, eq: number, cqTable: number) {
    this.#engine = engine;
    this.#clock = clock;
    this.#eq = eq;
    this.#cqTable = cqTable;
    engine.events.listen(eq, () => {
      this.#schedule();
    });
  }

  next(event: RawEvent): boolean {
    if (this.#closed || !(this.#take(event) || this.#takeAfterIdle(event))) return false;
    if (event.type === COMPLETION) {
      // From here on the CQ may raise its next event.
      const c = this.#cqTable + (event.id & (CQS_MAX - 1)) * Cqc.WORDS;
      Atomics.store(this.#engine.machine.i32, c + Cqc.EVENT_QUEUED, 0);
    }
    return true;
  }

  #take(event: RawEvent): boolean {
    return takeEvent(this.#engine.machine.i32, this.#eq, event);
  }

  /** As an empty poll does: lets the device run, since an event may wait for a timer, and looks once more. */
  #takeAfterIdle(event: RawEvent): boolean {
    this.#engine.idle();
    this.#catchUp();
    return this.#take(event);
  }

  /** When the queue was full, armed CQs went without their events; they have them after this. */
  #catchUp(): void {
    if (Atomics.exchange(this.#engine.machine.i32, this.#eq + Eqc.OVERRUN, 0) === 0) return;
    this.#engine.command(() => {
      catchUp(this.#engine, this.#eq);
    });
  }

  setInterruptHandler(handler: (() => void) | null): void {
    this.#handler = handler;
    if (handler !== null) this.#schedule();
  }

  hold(): void {
    if (this.#holds++ !== 0) return;
    this.#keepAlive = setInterval(() => {
      this.#tend();
    }, KEEP_ALIVE_MS);
    if (this.#engine.placement === 'inline') {
      this.#engine.deadlineListeners.add(this.#onDeadline);
      this.#armTimer();
    }
    this.#listen();
    this.#schedule();
  }

  release(): void {
    if (--this.#holds !== 0) return;
    clearInterval(this.#keepAlive);
    this.#engine.deadlineListeners.delete(this.#onDeadline);
    this.#disarmTimer();
  }

  close(): void {
    this.#closed = true;
    this.#handler = null;
    this.#engine.events.unlisten(this.#eq);
    if (this.#holds > 0) {
      this.#holds = 1;
      this.release();
    }
  }

  #tend(): void {
    const { i32 } = this.#engine.machine;
    this.#engine.tend();
    if (Atomics.load(i32, this.#eq + Eqc.PRODUCER) !== i32[this.#eq + Eqc.CONSUMER]) this.#schedule();
  }

  /** Tells the handler on the next microtask. */
  #schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (!this.#closed) this.#handler?.();
    });
  }

  /** Waits for other threads' events as long as it is held. */
  #listen(): void {
    if (this.#waiting || this.#closed || this.#holds === 0) return;
    const { i32 } = this.#engine.machine;
    const producer = this.#eq + Eqc.PRODUCER;
    const seen = Atomics.load(i32, producer);
    const wait = waitAsync(i32, producer, seen);
    if (Atomics.load(i32, this.#eq + Eqc.CONSUMER) !== seen) this.#schedule();
    this.#waiting = wait.async;
    void Promise.resolve(wait.value).then(() => {
      this.#waiting = false;
      // Another thread may have started a timer that this one has to run.
      if (this.#holds > 0 && this.#engine.placement === 'inline') this.#armTimer();
      this.#schedule();
      this.#listen();
    });
  }

  /** In `inline` placement a sleeper must itself run the device's timers. */
  #armTimer(): void {
    const dueNs = this.#engine.timers.earliestNs;
    if (dueNs === this.#timerNs) return;
    this.#disarmTimer();
    if (dueNs === Infinity) return;
    this.#timerNs = dueNs;
    this.#cancelTimer = this.#clock.setTimer(dueNs, () => {
      this.#disarmTimer();
      this.#engine.runDue();
      this.#armTimer();
    });
  }

  #disarmTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#timerNs = Infinity;
  }
}
