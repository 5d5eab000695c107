/** What the two ends of a connection send each other, round by round: both work it out for themselves from a seed. */
import { Xoshiro128 } from '@openverbs/machine';

/** One message, there and back. */
export interface Round {
  readonly number: number;
  readonly length: number;
  /** Offset of the first byte at the sender, and at the receiver. */
  readonly from: number;
  readonly to: number;
}

/** The longest message. */
export const LENGTH_MAX = 64 * 1024;
/** Offsets are from this to twice this. */
export const OFFSET_MAX = 64;
/** Bytes of a buffer that has room for every round, with a margin on both sides. */
export const BUFFER_BYTES = LENGTH_MAX + 3 * OFFSET_MAX;

/** Lengths that every lap goes through: one byte to 64 KiB, around words, cache lines, pages and MTUs. */
const SHORT_LENGTHS = [1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 63, 64, 65, 255, 256, 257, 1023, 1024, 1025, 4095, 4096, 4097];
const LONG_LENGTHS = [8191, 8192, 8193, 16_383, 32_767, 32_768, 32_769, 65_535, 65_536];
const LENGTHS = [...SHORT_LENGTHS, ...LONG_LENGTHS];
/** Each of them at several alignments. */
const ALIGNMENTS = 3;
/** Rounds that a lap begins with: every length, at every alignment. */
export const LISTED_ROUNDS = LENGTHS.length * ALIGNMENTS;
/** And as many lengths that the seed chooses. */
export const RANDOM_LENGTHS = 400;

/** An endless sequence of rounds: laps of the same lengths, with contents that never come again. */
export class Rounds {
  /** Rounds of a lap. */
  readonly lap: number;
  readonly #lap: readonly Omit<Round, 'number'>[];

  constructor(seed: number) {
    const prng = new Xoshiro128(seed);
    const lengths = LENGTHS.flatMap((length) => Array<number>(ALIGNMENTS).fill(length));
    for (let n = 0; n < RANDOM_LENGTHS; n++) {
      // As many short ones as long ones: the exponent is uniform.
      lengths.push(1 + prng.nextInt(2 ** (1 + prng.nextInt(16))));
    }
    this.#lap = lengths.map((length) => ({
      length,
      from: OFFSET_MAX + prng.nextInt(OFFSET_MAX),
      to: OFFSET_MAX + prng.nextInt(OFFSET_MAX),
    }));
    this.lap = this.#lap.length;
  }

  at(number: number): Round {
    const round = this.#lap[number % this.lap];
    if (round === undefined) throw new RangeError(`no round ${number}`);
    return { number, ...round };
  }
}

/** The byte at `index` of a round's message. `way` is 0 there and 1 back. */
export function byteOf(round: Round, way: number, index: number): number {
  const mixed = Math.imul(index + 1, 0x9e3779b1) ^ Math.imul(2 * round.number + way + 1, 0x85ebca6b);
  return (mixed ^ (mixed >>> 15)) & 0xff;
}
