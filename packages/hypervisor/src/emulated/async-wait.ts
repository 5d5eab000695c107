/**
 * Waits that do not block the thread.
 */
import type { WaitOptions } from '../event-channels.ts';

/** Time between two looks around by a wait; the timer also keeps the event loop alive, which a pending `Atomics.waitAsync` does not. */
const KEEP_ALIVE_MS = 20;

type WaitAsync = (
  words: Int32Array,
  index: number,
  value: number,
) => { async: false; value: string } | { async: true; value: Promise<string> };
const { waitAsync } = Atomics as unknown as { waitAsync: WaitAsync };

/** Listens to words of memory; once to each, however many waits there are, since a listening cannot be taken back. */
export class WordListeners {
  readonly #i32: Int32Array;
  readonly #looks = new Map<number, Set<() => void>>();

  constructor(i32: Int32Array) {
    this.#i32 = i32;
  }

  /** Calls `look` once when a word is no longer what was seen. */
  listen(word: number, seen: number, look: () => void): void {
    const looks = this.#looks.get(word);
    if (looks !== undefined) {
      looks.add(look);
      return;
    }
    const wait = waitAsync(this.#i32, word, seen);
    this.#looks.set(word, new Set([look]));
    void Promise.resolve(wait.value).then(() => {
      const woken = this.#looks.get(word) ?? [];
      this.#looks.delete(word);
      for (const wake of woken) wake();
    });
  }
}

/** One wait. */
export class AsyncWait<T> {
  readonly promise: Promise<T>;
  readonly #listeners: WordListeners;
  readonly #i32: Int32Array;
  readonly #word: number;
  readonly #take: () => T | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #timer: ReturnType<typeof setInterval>;
  #resolve: (value: T) => void = () => {};
  #reject: (reason: unknown) => void = () => {};
  #ended = false;

  /**
   * @param take - takes what is waited for, if it is there; an error of it ends the wait
   * @param word - changes when it may be there
   */
  constructor(
    listeners: WordListeners,
    i32: Int32Array,
    word: number,
    take: () => T | undefined,
    { signal, unref = false }: WaitOptions,
  ) {
    this.promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#listeners = listeners;
    this.#i32 = i32;
    this.#word = word;
    this.#take = take;
    this.#signal = signal;
    this.#timer = setInterval(this.#look, KEEP_ALIVE_MS);
    if (unref) this.#timer.unref();
    signal?.addEventListener('abort', this.#abort);
    if (signal?.aborted === true) this.#abort();
    else this.#look();
  }

  readonly #look = (): void => {
    if (this.#ended) return;
    // Before looking: what comes in between is a change of the word.
    const seen = Atomics.load(this.#i32, this.#word);
    try {
      const taken = this.#take();
      if (taken === undefined) {
        this.#listeners.listen(this.#word, seen, this.#look);
        return;
      }
      this.#end();
      this.#resolve(taken);
    } catch (error) {
      this.#end();
      this.#reject(error);
    }
  };

  readonly #abort = (): void => {
    this.#end();
    this.#reject(this.#signal?.reason);
  };

  #end(): void {
    this.#ended = true;
    clearInterval(this.#timer);
    this.#signal?.removeEventListener('abort', this.#abort);
  }
}
