/**
 * Xen's shared ring, `io/ring.h`: one page in which requests go one way and responses come back in the same entries.
 *
 * Each side keeps its own indices; the page holds only what the other has to know. A side sends an event only if the other has said that
 * it waits for it. The other side may write anything into the page at any time, so indices are compared before they are used, and an
 * entry is copied out once, before it is looked at.
 *
 * @packageDocumentation
 */
import { HypervisorError } from './errors.ts';
import { XEN_PAGE_BYTES } from './limits.ts';
import type { Page } from './memory.ts';

/** Words of the page. */
export const SharedRing = {
  /** Requests produced. */
  REQ_PROD: 0,
  /** The back-end wants an event when this many were produced. */
  REQ_EVENT: 1,
  /** Responses produced. */
  RSP_PROD: 2,
  /** The front-end wants an event when this many were produced. */
  RSP_EVENT: 3,
  /** The entries begin at byte 64. */
  ENTRIES: 16,
} as const;

/** What came of taking an entry. */
export const RingTake = {
  NONE: 0,
  TAKEN: 1,
  /** The index of the other side has run away (RING_REQUEST_PROD_OVERFLOW): the ring must not be used any more. */
  OVERFLOW: -1,
} as const;

/** One of the outcomes. */
export type RingTake = (typeof RingTake)[keyof typeof RingTake];

/** Number of entries of a ring: the largest power of two that fits the page. */
export function ringSize(entryWords: number): number {
  const fit = Math.floor((XEN_PAGE_BYTES / 4 - SharedRing.ENTRIES) / entryWords);
  if (!(Number.isInteger(entryWords) && entryWords > 0 && fit > 0)) {
    throw new HypervisorError('EINVAL', `an entry of ${entryWords} words does not fit the page of a ring`);
  }
  return 1 << (31 - Math.clz32(fit));
}

/** Where a ring lies: what of a {@link Page} is needed. */
export type RingPage = Pick<Page, 'i32' | 'word'>;

/** The side that sends requests. */
export class FrontRing {
  /** Number of entries. */
  readonly size: number;
  readonly #i32: Int32Array;
  readonly #base: number;
  readonly #entryWords: number;
  #reqProdPvt = 0;
  /** What the page says unless the other side has changed it. */
  #pushed = 0;
  #rspCons = 0;

  /**
   * Makes an empty ring in a page (SHARED_RING_INIT, FRONT_RING_INIT). The back-end must not be using it.
   *
   * @param entryWords - words of an entry: the larger of request and response
   */
  constructor({ i32, word }: RingPage, entryWords: number) {
    this.size = ringSize(entryWords);
    this.#i32 = i32;
    this.#base = word;
    this.#entryWords = entryWords;
    Atomics.store(i32, word + SharedRing.REQ_PROD, 0);
    Atomics.store(i32, word + SharedRing.RSP_PROD, 0);
    Atomics.store(i32, word + SharedRing.REQ_EVENT, 1);
    Atomics.store(i32, word + SharedRing.RSP_EVENT, 1);
  }

  /** Requests that can be put (RING_FREE_REQUESTS). */
  get freeRequests(): number {
    return this.size - this.outstanding;
  }

  /** Requests put whose responses were not taken. */
  get outstanding(): number {
    return (this.#reqProdPvt - this.#rspCons) | 0;
  }

  /**
   * Writes a request into the next entry; the back-end sees it after {@link FrontRing.pushRequests}.
   *
   * @returns false when the ring is full (RING_FULL)
   */
  putRequest(request: ArrayLike<number>): boolean {
    if (this.freeRequests === 0) return false;
    copyIn(this.#i32, this.#entry(this.#reqProdPvt), request, this.#entryWords);
    this.#reqProdPvt = (this.#reqProdPvt + 1) | 0;
    return true;
  }

  /** Shows the back-end all requests put (RING_PUSH_REQUESTS_AND_CHECK_NOTIFY). @returns whether it has to be sent an event */
  pushRequests(): boolean {
    const before = this.#pushed;
    this.#pushed = this.#reqProdPvt;
    Atomics.store(this.#i32, this.#base + SharedRing.REQ_PROD, this.#reqProdPvt);
    return wantsEvent(Atomics.load(this.#i32, this.#base + SharedRing.REQ_EVENT), before, this.#reqProdPvt);
  }

  /** Copies the next response out. */
  takeResponse(into: Int32Array): RingTake {
    const available = this.#unconsumed();
    // No more responses than there are requests.
    if (available > this.outstanding >>> 0) return RingTake.OVERFLOW;
    if (available === 0) return RingTake.NONE;
    copyOut(this.#i32, this.#entry(this.#rspCons), into, this.#entryWords);
    this.#rspCons = (this.#rspCons + 1) | 0;
    return RingTake.TAKEN;
  }

  /**
   * To be called before waiting for an event (RING_FINAL_CHECK_FOR_RESPONSES): asks for one, and looks again.
   *
   * @returns whether there is something to take instead
   */
  finalCheckForResponses(): boolean {
    if (this.#unconsumed() !== 0) return true;
    Atomics.store(this.#i32, this.#base + SharedRing.RSP_EVENT, (this.#rspCons + 1) | 0);
    return this.#unconsumed() !== 0;
  }

  #unconsumed(): number {
    return (Atomics.load(this.#i32, this.#base + SharedRing.RSP_PROD) - this.#rspCons) >>> 0;
  }

  #entry(index: number): number {
    return this.#base + SharedRing.ENTRIES + (index & (this.size - 1)) * this.#entryWords;
  }
}

/** The side that answers. */
export class BackRing {
  /** Number of entries. */
  readonly size: number;
  readonly #i32: Int32Array;
  readonly #base: number;
  readonly #entryWords: number;
  #reqCons = 0;
  #rspProdPvt = 0;
  /** What the page says unless the other side has changed it. */
  #pushed = 0;

  /** Uses a ring that a front-end has made (BACK_RING_INIT). */
  constructor({ i32, word }: RingPage, entryWords: number) {
    this.size = ringSize(entryWords);
    this.#i32 = i32;
    this.#base = word;
    this.#entryWords = entryWords;
  }

  /** Requests taken that were not answered. */
  get unanswered(): number {
    return (this.#reqCons - this.#rspProdPvt) | 0;
  }

  /** Copies the next request out. */
  takeRequest(into: Int32Array): RingTake {
    const available = this.#unconsumed();
    // Front-ends have no more requests on the way than there are entries (RING_REQUEST_PROD_OVERFLOW).
    if (available + this.unanswered > this.size) return RingTake.OVERFLOW;
    if (available === 0) return RingTake.NONE;
    copyOut(this.#i32, this.#entry(this.#reqCons), into, this.#entryWords);
    this.#reqCons = (this.#reqCons + 1) | 0;
    return RingTake.TAKEN;
  }

  /**
   * Writes a response; the front-end sees it after {@link BackRing.pushResponses}.
   *
   * @returns false when every request that was taken is answered: there is no entry for it
   */
  putResponse(response: ArrayLike<number>): boolean {
    if (this.unanswered === 0) return false;
    copyIn(this.#i32, this.#entry(this.#rspProdPvt), response, this.#entryWords);
    this.#rspProdPvt = (this.#rspProdPvt + 1) | 0;
    return true;
  }

  /** Shows the front-end all responses put (RING_PUSH_RESPONSES_AND_CHECK_NOTIFY). @returns whether it has to be sent an event */
  pushResponses(): boolean {
    const before = this.#pushed;
    this.#pushed = this.#rspProdPvt;
    Atomics.store(this.#i32, this.#base + SharedRing.RSP_PROD, this.#rspProdPvt);
    return wantsEvent(Atomics.load(this.#i32, this.#base + SharedRing.RSP_EVENT), before, this.#rspProdPvt);
  }

  /** As {@link FrontRing.finalCheckForResponses}, for requests. */
  finalCheckForRequests(): boolean {
    if (this.#unconsumed() !== 0) return true;
    Atomics.store(this.#i32, this.#base + SharedRing.REQ_EVENT, (this.#reqCons + 1) | 0);
    return this.#unconsumed() !== 0;
  }

  #unconsumed(): number {
    return (Atomics.load(this.#i32, this.#base + SharedRing.REQ_PROD) - this.#reqCons) >>> 0;
  }

  #entry(index: number): number {
    return this.#base + SharedRing.ENTRIES + (index & (this.size - 1)) * this.#entryWords;
  }
}

/** Whether the index that the other side waits for is among those just produced. */
function wantsEvent(event: number, before: number, now: number): boolean {
  return (now - event) >>> 0 < (now - before) >>> 0;
}

function copyIn(i32: Int32Array, word: number, from: ArrayLike<number>, words: number): void {
  if (from.length > words) {
    throw new HypervisorError('EINVAL', `${from.length} words do not fit an entry of ${words}`);
  }
  for (let i = 0; i < from.length; i++) i32[word + i] = from[i];
}

function copyOut(i32: Int32Array, word: number, into: Int32Array, words: number): void {
  for (let i = 0; i < words; i++) into[i] = i32[word + i];
}
