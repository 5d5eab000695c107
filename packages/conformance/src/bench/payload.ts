/** Payloads that tell where they were torn: no byte repeats its neighbours, and two seeds differ almost everywhere. */
import { expect } from 'chai';

/** The byte of pattern `seed` at `index`. */
function patternByte(seed: number, index: number): number {
  const mixed = Math.imul(index + 1, 0x9e3779b1) ^ Math.imul(seed + 1, 0x85ebca6b);
  return (mixed ^ (mixed >>> 15)) & 0xff;
}

/** Fills `bytes` with pattern `seed`. */
export function fillPattern(bytes: Uint8Array, seed: number): void {
  for (let index = 0; index < bytes.length; index++) bytes[index] = patternByte(seed, index);
}

/** A copy of `length` bytes of pattern `seed`. */
export function pattern(seed: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  fillPattern(bytes, seed);
  return bytes;
}

/** Fails with the first byte that differs; comparing by chai would print both arrays whole. */
export function expectBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  expect(actual.length, `${what}: length`).to.equal(expected.length);
  for (let index = 0; index < expected.length; index++) {
    if (actual[index] !== expected[index]) {
      expect.fail(
        `${what}: byte ${index} of ${expected.length} is 0x${hex(actual[index])}, expected 0x${hex(expected[index])}`,
      );
    }
  }
}

/** Remembers memory as it is now; the result checks that it still is. */
export function snapshot(bytes: Uint8Array, what: string): { expectUnchanged(): void } {
  const before = Uint8Array.from(bytes);
  return {
    expectUnchanged: () => {
      expectBytes(bytes, before, `${what} must not change`);
    },
  };
}

function hex(byte: number | undefined): string {
  return (byte ?? 0).toString(16).padStart(2, '0');
}
