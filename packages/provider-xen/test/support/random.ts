/** Random numbers from a seed. */
import { Xoshiro128 } from '@openverbs/machine';

export class Random {
  readonly #prng: Xoshiro128;

  constructor(seed: number) {
    this.#prng = new Xoshiro128(seed);
  }

  /** An unsigned number of 32 bits. */
  readonly next = (): number => this.#prng.nextUint32();

  /** 0 to `count - 1`. */
  below(count: number): number {
    return this.next() % count;
  }

  /** One of them. */
  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)];
  }
}
