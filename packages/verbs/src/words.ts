/** How numbers are kept: 64 bits as two words, doubles in place. */

/**
 * What a field holds first that may hold more than a signed 32-bit number. V8 then keeps a double in place there, and storing one
 * makes no object.
 */
export const DOUBLE = 0.5;

const TWO_32 = 4294967296;

/** The high word of a 64-bit number, signed. The low one is `value | 0`, which is exact for every safe integer. */
export function highWord(value: number): number {
  return (value / TWO_32) | 0;
}

/** Two words as an unsigned number; beyond 2^53 - 1 it is rounded. */
export function wordsToNumber(lo: number, hi: number): number {
  return (hi >>> 0) * TWO_32 + (lo >>> 0);
}

/** Two words as an unsigned bigint. */
export function wordsToBigInt(lo: number, hi: number): bigint {
  return (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
}

/** The low word of a bigint, signed. */
export function bigLow(value: bigint): number {
  return Number(BigInt.asIntN(32, value));
}

/** The high word of a bigint of up to 64 bits, signed. */
export function bigHigh(value: bigint): number {
  return Number(BigInt.asIntN(32, value >> 32n));
}
