/** DETH, the datagram extended transport header (IBTA 9.3.2). */
import { load24, load32, store24, store32 } from './big-endian.ts';
import { hex } from './hex.ts';
import type { Packet } from './packet.ts';

export const DETH_BYTES = 8;

const Deth = { QKEY: 0, RESERVED: 4, SRC_QPN: 5 } as const;

export function encodeDeth(u8: Uint8Array, at: number, packet: Packet): void {
  store32(u8, at + Deth.QKEY, packet.qkey);
  u8[at + Deth.RESERVED] = 0;
  store24(u8, at + Deth.SRC_QPN, packet.srcQpn);
}

export function decodeDeth(u8: Uint8Array, at: number, packet: Packet): void {
  packet.qkey = load32(u8, at + Deth.QKEY);
  packet.srcQpn = load24(u8, at + Deth.SRC_QPN);
}

export function formatDeth(packet: Packet): string {
  return `qkey ${hex(packet.qkey)}, src qpn ${hex(packet.srcQpn)}`;
}
