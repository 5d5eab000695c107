/** XRCETH: which SRQ of the target an XRC request is for (IBTA annex A14). It follows the BTH directly. */
import { load24, store24 } from './big-endian.ts';
import { hex } from './hex.ts';
import type { Packet } from './packet.ts';

export const XRCETH_BYTES = 4;

const Xrceth = { RESERVED: 0, XRC_SRQN: 1 } as const;

export function encodeXrceth(u8: Uint8Array, at: number, packet: Packet): void {
  u8[at + Xrceth.RESERVED] = 0;
  store24(u8, at + Xrceth.XRC_SRQN, packet.xrcSrqn);
}

export function decodeXrceth(u8: Uint8Array, at: number, packet: Packet): void {
  packet.xrcSrqn = load24(u8, at + Xrceth.XRC_SRQN);
}

export function formatXrceth(packet: Packet): string {
  return `srqn ${hex(packet.xrcSrqn)}`;
}
