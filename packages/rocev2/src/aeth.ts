/** AETH: what a responder answers (IBTA 9.3.5, 9.7.5). */
import { load24, store24 } from './big-endian.ts';
import { hex } from './hex.ts';
import type { Packet } from './packet.ts';

export const AETH_BYTES = 4;

const Aeth = { SYNDROME: 0, MSN: 1 } as const;

/** Syndromes of the AETH (IBTA table 45; Linux rxe_hdr.h). */
export const AethSyndrome = {
  /** Plus the credit code, in the low 5 bits. */
  ACK: 0x00,
  /** Plus the RNR timer code, in the low 5 bits. */
  RNR_NAK: 0x20,
  NAK_PSN_SEQUENCE: 0x60,
  NAK_INVALID_REQUEST: 0x61,
  NAK_REMOTE_ACCESS: 0x62,
  NAK_REMOTE_OPERATIONAL: 0x63,
  NAK_INVALID_RD_REQUEST: 0x64,
} as const;

/** The bits of a syndrome that say what kind it is: the answers are those of {@link AethKind}. */
export const AETH_KIND_MASK = 0xe0;
/** The bits of a syndrome that hold credit code, timer code or NAK code. */
export const AETH_VALUE_MASK = 0x1f;
/** Kinds of syndromes. */
export const AethKind = { ACK: 0x00, RNR_NAK: 0x20, NAK: 0x60 } as const;

export function encodeAeth(u8: Uint8Array, at: number, packet: Packet): void {
  u8[at + Aeth.SYNDROME] = packet.syndrome;
  store24(u8, at + Aeth.MSN, packet.msn);
}

export function decodeAeth(u8: Uint8Array, at: number, packet: Packet): void {
  packet.syndrome = u8[at + Aeth.SYNDROME];
  packet.msn = load24(u8, at + Aeth.MSN);
}

export function formatAeth(packet: Packet): string {
  return `${formatSyndrome(packet.syndrome)}, msn ${packet.msn}`;
}

function formatSyndrome(syndrome: number): string {
  return hex(syndrome);
}
