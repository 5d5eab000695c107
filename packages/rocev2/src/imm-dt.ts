/** ImmDt: 4 bytes for the receiver's completion (IBTA 9.3.6). */
import { load32, store32 } from './big-endian.ts';
import { hex } from './hex.ts';
import type { Packet } from './packet.ts';

export const IMM_DT_BYTES = 4;

export function encodeImmDt(u8: Uint8Array, at: number, packet: Packet): void {
  store32(u8, at, packet.imm);
}

export function decodeImmDt(u8: Uint8Array, at: number, packet: Packet): void {
  packet.imm = load32(u8, at);
}

export function formatImmDt(packet: Packet): string {
  return `imm ${hex(packet.imm)}`;
}
