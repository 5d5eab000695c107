/** BTH, the base transport header of every packet (IBTA 9.2). */
import { load16, load24, store16, store24 } from './big-endian.ts';
import { hex } from './hex.ts';
import { opcodeName } from './opcodes.ts';
import type { Packet } from './packet.ts';

export const BTH_BYTES = 12;

/** Offsets in bytes. */
const Bth = { OPCODE: 0, FLAGS: 1, PKEY: 2, CONGESTION: 4, DEST_QPN: 5, ACK_REQ: 8, PSN: 9 } as const;

const SOLICITED = 0x80;
const MIG_REQ = 0x40;
const PAD_SHIFT = 4;
const VERSION_MASK = 0x0f;
const FECN = 0x80;
const BECN = 0x40;
const ACK_REQ = 0x80;

/** Whether the transport header version is the one there is. */
export function hasBthVersion(u8: Uint8Array, at: number): boolean {
  return (u8[at + Bth.FLAGS] & VERSION_MASK) === 0;
}

/** Reserved bits are sent as 0, and not looked at on arrival (IBTA 9.2.9, 9.2.10). */
export function encodeBth(u8: Uint8Array, at: number, packet: Packet): void {
  u8[at + Bth.OPCODE] = packet.opcode;
  u8[at + Bth.FLAGS] = (packet.solicited << 7) | (packet.migReq << 6) | (packet.padCount << PAD_SHIFT);
  store16(u8, at + Bth.PKEY, packet.pkey);
  u8[at + Bth.CONGESTION] = (packet.fecn << 7) | (packet.becn << 6);
  store24(u8, at + Bth.DEST_QPN, packet.destQpn);
  u8[at + Bth.ACK_REQ] = packet.ackReq << 7;
  store24(u8, at + Bth.PSN, packet.psn);
}

export function decodeBth(u8: Uint8Array, at: number, packet: Packet): void {
  const flags = u8[at + Bth.FLAGS];
  packet.opcode = u8[at + Bth.OPCODE];
  packet.solicited = (flags & SOLICITED) >>> 7;
  packet.migReq = (flags & MIG_REQ) >>> 6;
  packet.padCount = (flags >>> PAD_SHIFT) & 3;
  packet.pkey = load16(u8, at + Bth.PKEY);
  packet.fecn = (u8[at + Bth.CONGESTION] & FECN) >>> 7;
  packet.becn = (u8[at + Bth.CONGESTION] & BECN) >>> 6;
  packet.destQpn = load24(u8, at + Bth.DEST_QPN);
  packet.ackReq = (u8[at + Bth.ACK_REQ] & ACK_REQ) >>> 7;
  packet.psn = load24(u8, at + Bth.PSN);
}

export function formatBth(packet: Packet): string {
  const words = [opcodeName(packet.opcode), `qpn ${hex(packet.destQpn)}`, `psn ${packet.psn}`];
  if (packet.pkey !== 0xffff) words.push(`pkey ${hex(packet.pkey)}`);
  if (packet.solicited !== 0) words.push('solicited');
  if (packet.ackReq !== 0) words.push('ackreq');
  if (packet.fecn !== 0) words.push('fecn');
  if (packet.becn !== 0) words.push('becn');
  return words.join(', ');
}
