/** IETH: the key that a SEND with invalidate makes invalid (IBTA 9.3.7). */
import { load32, store32 } from './big-endian.ts';
import { hex } from './hex.ts';
import type { Packet } from './packet.ts';

export const IETH_BYTES = 4;

export function encodeIeth(u8: Uint8Array, at: number, packet: Packet): void {
  store32(u8, at, packet.invalidateRkey);
}

export function decodeIeth(u8: Uint8Array, at: number, packet: Packet): void {
  packet.invalidateRkey = load32(u8, at);
}

export function formatIeth(packet: Packet): string {
  return `invalidate ${hex(packet.invalidateRkey)}`;
}
