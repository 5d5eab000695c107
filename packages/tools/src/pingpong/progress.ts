/** Ends a ping-pong in which nothing moves any more, so that a lost message is an error and not a hang. */
import { VerbsError } from '@openverbs/verbs';
import type { Patience } from './patience.ts';
import type { PingPongSide } from './side.ts';

/** What is said of a side when nothing moves. */
type DescribedSide = Pick<PingPongSide, 'describe'>;

/** The code of the error of an end whose other end has failed. */
export const PEER_FAILED = 'ECONNRESET';

/**
 * After this many empty polls in a row the thread that is to answer may be waiting for a core, so this one sleeps for a moment
 * between polls. It takes longer than any answer of a thread that has one.
 */
const EMPTY_POLLS_SPUN = 1 << 12;
const NAP_MS = 0.05;

const NEVER_NOTIFIED = new Int32Array(new SharedArrayBuffer(4));

/** For loops that poll: call `idle` after an empty round and `progress` after any other. */
export class PollProgress {
  readonly #sides: readonly DescribedSide[];
  readonly #peerFailed: () => boolean;
  readonly #patience: Patience;
  #emptyPolls = 0;
  #stalledSince = 0;

  constructor(sides: readonly DescribedSide[], patience: Patience, peerFailed: () => boolean = () => false) {
    this.#sides = sides;
    this.#peerFailed = peerFailed;
    this.#patience = patience;
  }

  progress(): void {
    this.#emptyPolls = 0;
  }

  idle(): void {
    if (++this.#emptyPolls < EMPTY_POLLS_SPUN) return;
    if (this.#peerFailed()) throw peerFailedError();
    Atomics.wait(NEVER_NOTIFIED, 0, 0, NAP_MS);
    const now = performance.now();
    if (this.#emptyPolls === EMPTY_POLLS_SPUN) this.#stalledSince = now;
    else if (now - this.#stalledSince > this.#patience.stallMsMax) {
      throw stalledError(this.#sides, this.#patience);
    }
  }
}

/** For waits on events: aborts `signal` when nothing has moved for too long. Dispose it to stop the timer. */
export class EventProgress {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #lastProgress = performance.now();

  constructor(sides: readonly DescribedSide[], patience: Patience, peerFailed: () => boolean = () => false) {
    const { stallMsMax, watchIntervalMs } = patience;
    this.#timer = setInterval(() => {
      if (peerFailed()) this.abort(peerFailedError());
      else if (performance.now() - this.#lastProgress > stallMsMax) this.abort(stalledError(sides, patience));
    }, watchIntervalMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  readonly progress = (): void => void (this.#lastProgress = performance.now());

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

function stalledError(sides: readonly DescribedSide[], { stallMsMax, meaning, hint }: Patience): VerbsError {
  const described = sides.map((side) => side.describe()).join('; ');
  const message = `${meaning}no completion for ${stallMsMax / 1000} s (${described})`;
  return new VerbsError({ code: 'ETIMEDOUT', message, hint });
}

function peerFailedError(): VerbsError {
  return new VerbsError({ code: PEER_FAILED, message: 'the other end has failed' });
}
