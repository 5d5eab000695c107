/** AETH: what a responder answers (IBTA 9.3.5, 9.7.5). */
import { load24, store24 } from './big-endian.ts';
import { hex } from './hex.ts';
import type { Packet } from './packet.ts';
import { rnrTimerNs } from './rnr-timer.ts';

export const AETH_BYTES = 4;

const Aeth = { SYNDROME: 0, MSN: 1 } as const;

/** Syndromes of the AETH (IBTA 9.7.5.1, 9.7.5.2; Linux rxe_hdr.h). */
export const AethSyndrome = {
  /** Plus a credit code in the low 5 bits. */
  ACK: 0x00,
  /** Plus an RNR timer code in the low 5 bits. */
  RNR_NAK: 0x20,
  NAK_PSN_SEQUENCE: 0x60,
  NAK_INVALID_REQUEST: 0x61,
  NAK_REMOTE_ACCESS: 0x62,
  NAK_REMOTE_OPERATIONAL: 0x63,
  NAK_INVALID_RD_REQUEST: 0x64,
} as const;

/** The bits of a syndrome that say which kind it is, one of {@link AethKind}. */
export const AETH_KIND_MASK = 0xe0;
/** The bits of a syndrome that hold credit code, timer code or NAK code. */
export const AETH_VALUE_MASK = 0x1f;
/** Kinds of syndromes. What is none of them is reserved. */
export const AethKind = { ACK: 0x00, RNR_NAK: 0x20, NAK: 0x60 } as const;

/** The credit code of a responder that does not count credits (IBTA 9.7.7.2). */
export const CREDIT_CODE_UNLIMITED = 0x1f;

/** Receive WQEs that a credit code stands for (IBTA 9.7.7.2). */
const CREDITS: readonly number[] = [
  0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144,
  8192, 12288, 16384, 24576, 32768,
];

const NAK_NAMES: readonly string[] = [
  'PSN sequence error',
  'invalid request',
  'remote access error',
  'remote operational error',
  'invalid RD request',
];

/** Receive WQEs that a credit code stands for; `Infinity` for {@link CREDIT_CODE_UNLIMITED}. */
export function creditCount(code: number): number {
  return code === CREDIT_CODE_UNLIMITED ? Infinity : CREDITS[code & AETH_VALUE_MASK];
}

/** The code of the most credits that are not more than `count` receive WQEs. */
export function creditCode(count: number): number {
  let code = CREDITS.length - 1;
  while (code > 0 && CREDITS[code] > count) code--;
  return code;
}

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

/** A syndrome in words: "RNR NAK, wait 0.64 ms". */
export function formatSyndrome(syndrome: number): string {
  const value = syndrome & AETH_VALUE_MASK;
  switch (syndrome & AETH_KIND_MASK) {
    case AethKind.ACK:
      return value === CREDIT_CODE_UNLIMITED ? 'ACK' : `ACK, credits ${creditCount(value)}`;
    case AethKind.RNR_NAK:
      return `RNR NAK, wait ${rnrTimerNs(value) / 1e6} ms`;
    case AethKind.NAK:
      return `NAK ${NAK_NAMES[value] ?? `of code ${value}`}`;
    default:
      return `reserved syndrome ${hex(syndrome)}`;
  }
}
