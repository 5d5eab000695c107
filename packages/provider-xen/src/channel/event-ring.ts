/**
 * The page of the event channel: one side puts events in, the other takes them out. After Xen's `in` rings (`io/kbdif.h`):
 * free-running indices, then entries.
 */
import type { Page } from '@openverbs/hypervisor';
import { EVENT_WORDS } from '../protocol/events.ts';
import { EVENT_ENTRIES } from '../protocol/limits.ts';

/** Word indices of the page. */
const IN_CONS = 0;
const IN_PROD = 1;
const ENTRIES = 16;
/** Words of the page that the ring takes. */
export const EVENT_RING_WORDS = ENTRIES + EVENT_ENTRIES * EVENT_WORDS;

/** The back-end's end. */
export class EventRingProducer {
  readonly #i32: Int32Array;
  readonly #at: number;
  /** Its own: what stands in the page may be changed by the other side. */
  #produced = 0;

  constructor({ i32, word }: Page) {
    this.#i32 = i32;
    this.#at = word;
    i32.fill(0, word, word + ENTRIES);
  }

  /** Puts an event in; false when there is no room. An index that the other side has made up leaves no room. */
  put(event: Readonly<Record<number, number>>): boolean {
    const i32 = this.#i32;
    const used = (this.#produced - Atomics.load(i32, this.#at + IN_CONS)) >>> 0;
    if (used >= EVENT_ENTRIES) return false;
    const entry = this.#at + ENTRIES + (this.#produced % EVENT_ENTRIES) * EVENT_WORDS;
    for (let word = 0; word < EVENT_WORDS; word++) i32[entry + word] = event[word];
    this.#produced = (this.#produced + 1) >>> 0;
    Atomics.store(i32, this.#at + IN_PROD, this.#produced | 0);
    return true;
  }
}

/** The front-end's end. */
export class EventRingConsumer {
  readonly #i32: Int32Array;
  readonly #at: number;
  #consumed = 0;

  constructor({ i32, word }: Page) {
    this.#i32 = i32;
    this.#at = word;
  }

  /** Takes an event out; false when there is none. */
  take(into: Record<number, number>): boolean {
    const i32 = this.#i32;
    if (Atomics.load(i32, this.#at + IN_PROD) >>> 0 === this.#consumed) return false;
    const entry = this.#at + ENTRIES + (this.#consumed % EVENT_ENTRIES) * EVENT_WORDS;
    for (let word = 0; word < EVENT_WORDS; word++) into[word] = i32[entry + word];
    this.#consumed = (this.#consumed + 1) >>> 0;
    Atomics.store(i32, this.#at + IN_CONS, this.#consumed | 0);
    return true;
  }
}
