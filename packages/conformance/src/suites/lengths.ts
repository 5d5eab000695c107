/** Lengths and alignments that traffic is tested with. */

/** Around powers of two, MTUs and pages, up to 64 KiB. */
export const LENGTHS: readonly number[] = [
  1, 2, 3, 7, 8, 9, 63, 64, 65, 255, 256, 257, 1023, 1024, 1025, 4095, 4096, 4097, 12_345, 65_535, 65_536,
];

/** Offsets of the first byte, for source and destination; odd ones among them. */
export const ALIGNMENTS: readonly (readonly [from: number, to: number])[] = [
  [0, 0],
  [1, 0],
  [0, 1],
  [3, 7],
  [5, 5],
];

/** Room for the longest message at the largest offset, with a margin behind it that must stay untouched. */
export const ROOM_BYTES = 65_536 + 64;
