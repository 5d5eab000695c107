/** Numbers of the wire: most significant byte first. Words of 32 bits are signed on this side, as `Int32Array` has them. */

export function load16(u8: Uint8Array, at: number): number {
  return (u8[at] << 8) | u8[at + 1];
}

export function load24(u8: Uint8Array, at: number): number {
  return (u8[at] << 16) | (u8[at + 1] << 8) | u8[at + 2];
}

export function load32(u8: Uint8Array, at: number): number {
  return (u8[at] << 24) | (u8[at + 1] << 16) | (u8[at + 2] << 8) | u8[at + 3];
}

export function store16(u8: Uint8Array, at: number, value: number): void {
  u8[at] = value >>> 8;
  u8[at + 1] = value;
}

export function store24(u8: Uint8Array, at: number, value: number): void {
  u8[at] = value >>> 16;
  u8[at + 1] = value >>> 8;
  u8[at + 2] = value;
}

export function store32(u8: Uint8Array, at: number, value: number): void {
  u8[at] = value >>> 24;
  u8[at + 1] = value >>> 16;
  u8[at + 2] = value >>> 8;
  u8[at + 3] = value;
}
