/** Numbers for people. */

/** A word, or the low bits of one, as unsigned hex. */
export function hex(word: number): string {
  return `0x${(word >>> 0).toString(16)}`;
}

/** Two words as one number in hex, 16 digits. */
export function hex64(hi: number, lo: number): string {
  return `0x${digits8(hi)}${digits8(lo)}`;
}

function digits8(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
