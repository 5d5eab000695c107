/** Random numbers from a seed, for tests that try what nobody thought of. */

/** A generator; the same seed gives the same numbers. */
export class Prng {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A uniform integer from 0 to `bound - 1`. */
  next(bound: number): number {
    // mulberry32: one word of state, and good enough to be surprised by.
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  }
}
