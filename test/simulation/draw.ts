/** Random choices, all from one seed. */
import { Xoshiro128 } from '@openverbs/machine';

export class Draw {
  readonly #prng: Xoshiro128;

  constructor(seed: number) {
    this.#prng = new Xoshiro128(seed);
  }

  /** 0 to bound - 1. */
  below(bound: number): number {
    return this.#prng.nextInt(bound);
  }

  /** Both included. */
  between(least: number, most: number): number {
    return least + this.#prng.nextInt(most - least + 1);
  }

  chance(probability: number): boolean {
    return this.#prng.nextFloat() < probability;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }

  /** An unsigned 32-bit number. */
  word(): number {
    return this.#prng.nextUint32();
  }

  /** Cuts a length into as many pieces as there may be, or fewer; an empty one into none, or one of 0. */
  split(length: number, piecesMax: number): number[] {
    if (length === 0) return this.chance(0.5) ? [] : [0];
    const pieces: number[] = [];
    let left = length;
    for (let n = this.between(1, piecesMax); n > 1 && left > 1; n--) {
      const piece = this.between(1, left - 1);
      pieces.push(piece);
      left -= piece;
    }
    return [...pieces, left];
  }

  /** The length of a message: often at the edges of packets. */
  length(mtu: number, most: number): number {
    const kind = this.below(20);
    if (kind === 0) return 0;
    if (kind < 7) return this.between(1, 64);
    if (kind < 11) return Math.min(mtu * this.between(1, 3) + this.between(-1, 1), most);
    if (kind < 17) return this.between(1, Math.min(4096, most));
    return this.between(1, most);
  }

  /** Time between two steps: often none. */
  waitNs(): number {
    return this.chance(0.6) ? 0 : this.below(this.chance(0.2) ? 1_000_000 : 20_000);
  }

  /** One list of all; each keeps its order, and what is marked as staying with the one before does so. */
  merge<T>(lists: readonly (readonly T[])[], stays: (item: T) => boolean): T[] {
    const queues = lists.map((list) => [...list]);
    const merged: T[] = [];
    for (let left = queues.filter(({ length }) => length > 0); left.length > 0;) {
      const queue = this.pick(left);
      do merged.push(queue.shift()!);
      while (queue.length > 0 && stays(queue[0]));
      left = left.filter(({ length }) => length > 0);
    }
    return merged;
  }
}
