/** Ranges of one memory that are registered alike, and which of them contains another one. */

/** Bytes `start` to `end`, without the last. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** How much of a range is registered already, in pieces: nothing, some of it, or all. */
export type Coverage = 'none' | 'some' | 'all';

/** A set of ranges, which may overlap, be equal, and contain each other. */
export class RangeIndex<Item extends Range> {
  /** By their starts. */
  readonly #items: Item[] = [];
  /** The largest end among the items up to this one: ends the search for one that reaches far enough. */
  readonly #reach: number[] = [];

  get size(): number {
    return this.#items.length;
  }

  add(item: Item): void {
    const at = this.#after(item.start);
    this.#items.splice(at, 0, item);
    this.#update(at);
  }

  delete(item: Item): void {
    const at = this.#items.indexOf(item);
    if (at < 0) return;
    this.#items.splice(at, 1);
    this.#update(at);
  }

  /** An item that contains the range: of several the one that begins last. */
  containing({ start, end }: Range): Item | undefined {
    for (let at = this.#after(start) - 1; at >= 0 && this.#reach[at] >= end; at--) {
      if (this.#items[at].end >= end) return this.#items[at];
    }
    return undefined;
  }

  /** How much of the range the items cover together. */
  coverage({ start, end }: Range): Coverage {
    let covered: Coverage = 'none';
    let reached = start;
    for (const item of this.#items) {
      if (item.start >= end) break;
      if (item.end <= start) continue;
      covered = 'some';
      if (item.start <= reached) reached = Math.max(reached, item.end);
    }
    return reached >= end ? 'all' : covered;
  }

  /** How many items begin at `start` or before. */
  #after(start: number): number {
    let low = 0;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#items[middle].start <= start) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #update(from: number): void {
    this.#reach.length = this.#items.length;
    for (let at = from; at < this.#items.length; at++) {
      this.#reach[at] = Math.max(this.#items[at].end, at === 0 ? 0 : this.#reach[at - 1]);
    }
  }
}
