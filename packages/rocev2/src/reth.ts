/** RETH: where an RDMA operation works on remote memory (IBTA 9.3.3). */
import { load32, store32 } from './big-endian.ts';
import { hex, hex64 } from './hex.ts';
import type { Packet } from './packet.ts';

export const RETH_BYTES = 16;

const Reth = { VA_HI: 0, VA_LO: 4, RKEY: 8, DMA_LENGTH: 12 } as const;

export function encodeReth(u8: Uint8Array, at: number, packet: Packet): void {
  store32(u8, at + Reth.VA_HI, packet.vaHi);
  store32(u8, at + Reth.VA_LO, packet.vaLo);
  store32(u8, at + Reth.RKEY, packet.rkey);
  store32(u8, at + Reth.DMA_LENGTH, packet.dmaLength);
}

export function decodeReth(u8: Uint8Array, at: number, packet: Packet): void {
  packet.vaHi = load32(u8, at + Reth.VA_HI);
  packet.vaLo = load32(u8, at + Reth.VA_LO);
  packet.rkey = load32(u8, at + Reth.RKEY);
  packet.dmaLength = load32(u8, at + Reth.DMA_LENGTH);
}

export function formatReth(packet: Packet): string {
  const { vaHi, vaLo, rkey, dmaLength } = packet;
  return `va ${hex64(vaHi, vaLo)}, rkey ${hex(rkey)}, dma length ${dmaLength >>> 0}`;
}
