/** Bytes as people write them down. */

/** Bytes of a hex dump; whitespace is free. */
export function bytes(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, '');
  return Uint8Array.from({ length: digits.length / 2 }, (_, n) => Number.parseInt(digits.slice(2 * n, 2 * n + 2), 16));
}

/** A hex dump of `u8[at .. end]`, with a space after each byte. */
export function dump(u8: Uint8Array, at = 0, end = u8.length): string {
  return [...u8.slice(at, end)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
