/**
 * UAR pages: unprivileged doorbells, one producer each, and the marks that tell the device which pages to read.
 *
 * A doorbell names an object; the device looks up whether that object is of this UAR, and drops and counts it otherwise.
 */
import type { Machine } from '@openverbs/machine';
import { EngineHeader, UarControl, UarPage } from './layout.ts';
import { UAR_DOORBELLS } from './limits.ts';

const KIND_SHIFT = 30;
const NUMBER_MASK = (1 << KIND_SHIFT) - 1;

export class Uars {
  readonly #i32: Int32Array;
  readonly #engine: number;
  readonly #table: number;

  constructor(machine: Machine, engine: number) {
    this.#i32 = machine.i32;
    this.#engine = engine;
    this.#table = machine.i32[engine + EngineHeader.UAR_TABLE];
  }

  /** Word index of the control words of a UAR. */
  control(uar: number): number {
    return this.#table + uar * UarControl.WORDS;
  }

  /** Whether any UAR has doorbells that nobody has taken. */
  get marked(): boolean {
    return Atomics.load(this.#i32, this.#engine + EngineHeader.MARK_SUMMARY) !== 0;
  }

  /** Word index of the page of a UAR; 0 when the UAR is free. */
  pageOf(uar: number): number {
    return this.#i32[this.control(uar) + UarControl.PAGE];
  }

  /**
   * Writes a doorbell into the page and marks the UAR; false when the page is full. For the UAR's own thread.
   *
   * @param page - word index of the page where the writer has it mapped. A store to what is no page of this UAR any more reaches no
   *   register: it is dropped and counted, and whose the page has become does not see it.
   */
  write(uar: number, kind: number, number: number, page = this.pageOf(uar)): boolean {
    const i32 = this.#i32;
    if (page === 0 || page !== this.pageOf(uar)) {
      const dropped = this.#engine + EngineHeader.DOORBELLS_DROPPED;
      i32[dropped] = (i32[dropped] + 1) | 0;
      return true;
    }
    const producer = i32[page + UarPage.PRODUCER];
    if (((producer - Atomics.load(i32, page + UarPage.CONSUMER)) | 0) >= UAR_DOORBELLS) return false;
    i32[page + UarPage.DOORBELL + (producer & (UAR_DOORBELLS - 1))] = (kind << KIND_SHIFT) | number;
    Atomics.store(i32, page + UarPage.PRODUCER, (producer + 1) | 0);
    this.mark(uar);
    return true;
  }

  /** The word first, then its bit in the summary: who finds the bit finds the word. */
  mark(uar: number): void {
    Atomics.or(this.#i32, this.#engine + EngineHeader.MARKS + (uar >>> 5), 1 << (uar & 31));
    Atomics.or(this.#i32, this.#engine + EngineHeader.MARK_SUMMARY, 1 << (uar >>> 5));
  }

  /** Takes all marks and hands each doorbell to `serve`. The lock must be held. */
  drain(serve: (uar: number, kind: number, number: number) => void): void {
    const i32 = this.#i32;
    let summary = Atomics.exchange(i32, this.#engine + EngineHeader.MARK_SUMMARY, 0);
    while (summary !== 0) {
      const word = 31 - Math.clz32(summary & -summary);
      summary &= summary - 1;
      let marks = Atomics.exchange(i32, this.#engine + EngineHeader.MARKS + word, 0);
      while (marks !== 0) {
        const bit = 31 - Math.clz32(marks & -marks);
        marks &= marks - 1;
        this.#drainPage(word * 32 + bit, serve);
      }
    }
  }

  #drainPage(uar: number, serve: (uar: number, kind: number, number: number) => void): void {
    const i32 = this.#i32;
    // A page that claims more than it holds is read once around, no further. All is read anew each time: `serve` may lend the
    // lock, and somebody else drain or free the page meanwhile.
    for (let left = UAR_DOORBELLS; left > 0; left--) {
      const page = i32[this.control(uar) + UarControl.PAGE];
      if (page === 0) return;
      const consumer = i32[page + UarPage.CONSUMER];
      if (Atomics.load(i32, page + UarPage.PRODUCER) === consumer) return;
      const doorbell = i32[page + UarPage.DOORBELL + (consumer & (UAR_DOORBELLS - 1))];
      Atomics.store(i32, page + UarPage.CONSUMER, (consumer + 1) | 0);
      serve(uar, doorbell >>> KIND_SHIFT, doorbell & NUMBER_MASK);
    }
    this.#disbelieve(uar);
  }

  /** A page that still claims more than it holds would be full for ever: what it claims is forgotten. */
  #disbelieve(uar: number): void {
    const i32 = this.#i32;
    const page = i32[this.control(uar) + UarControl.PAGE];
    if (page === 0) return;
    const producer = Atomics.load(i32, page + UarPage.PRODUCER);
    if ((producer - i32[page + UarPage.CONSUMER]) >>> 0 <= UAR_DOORBELLS) return;
    Atomics.store(i32, page + UarPage.CONSUMER, producer);
  }
}
