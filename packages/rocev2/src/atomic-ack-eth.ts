/** AtomicAckETH: what was in memory before the atomic (IBTA 9.5.3). */
import { load32, store32 } from './big-endian.ts';
import { hex64 } from './hex.ts';
import type { Packet } from './packet.ts';

export const ATOMIC_ACK_ETH_BYTES = 8;

const AtomicAckEth = { ORIGINAL_HI: 0, ORIGINAL_LO: 4 } as const;

export function encodeAtomicAckEth(u8: Uint8Array, at: number, packet: Packet): void {
  store32(u8, at + AtomicAckEth.ORIGINAL_HI, packet.originalHi);
  store32(u8, at + AtomicAckEth.ORIGINAL_LO, packet.originalLo);
}

export function decodeAtomicAckEth(u8: Uint8Array, at: number, packet: Packet): void {
  packet.originalHi = load32(u8, at + AtomicAckEth.ORIGINAL_HI);
  packet.originalLo = load32(u8, at + AtomicAckEth.ORIGINAL_LO);
}

export function formatAtomicAckEth(packet: Packet): string {
  return `original ${hex64(packet.originalHi, packet.originalLo)}`;
}
