/** The headers of a packet from the BTH to the payload, in the order of the wire (IBTA 5.2). */
import { AETH_BYTES, decodeAeth, encodeAeth, formatAeth } from './aeth.ts';
import { ATOMIC_ACK_ETH_BYTES, decodeAtomicAckEth, encodeAtomicAckEth, formatAtomicAckEth } from './atomic-ack-eth.ts';
import { ATOMIC_ETH_BYTES, decodeAtomicEth, encodeAtomicEth, formatAtomicEth } from './atomic-eth.ts';
import { BTH_BYTES, decodeBth, encodeBth, formatBth, hasBthVersion } from './bth.ts';
import { DecodeError } from './decode-error.ts';
import { decodeDeth, DETH_BYTES, encodeDeth, formatDeth } from './deth.ts';
import { decodeFeth, encodeFeth, FETH_BYTES, formatFeth } from './feth.ts';
import { decodeIeth, encodeIeth, formatIeth, IETH_BYTES } from './ieth.ts';
import { decodeImmDt, encodeImmDt, formatImmDt, IMM_DT_BYTES } from './imm-dt.ts';
import { Opcode, OPCODE_INFO, OpcodeFlag } from './opcodes.ts';
import type { Packet } from './packet.ts';
import { decodeReth, encodeReth, formatReth, RETH_BYTES } from './reth.ts';
import { decodeXrceth, encodeXrceth, formatXrceth, XRCETH_BYTES } from './xrceth.ts';

/** A CNP carries this many bytes of zeros after its BTH (IBTA annex A17.9.3). */
const CNP_RESERVED_BYTES = 16;

const {
  VALID,
  HAS_DETH,
  HAS_XRCETH,
  HAS_RETH,
  HAS_ATOMIC_ETH,
  HAS_AETH,
  HAS_ATOMIC_ACK_ETH,
  HAS_IMM,
  HAS_IETH,
  HAS_FETH,
  HAS_CNP_RESERVED,
  HAS_PAYLOAD,
} = OpcodeFlag;

/** The extension headers, in the order of the wire. */
const EXTENSIONS: readonly (readonly [flag: number, bytes: number, format: (packet: Packet) => string])[] = [
  [HAS_DETH, DETH_BYTES, formatDeth],
  [HAS_XRCETH, XRCETH_BYTES, formatXrceth],
  [HAS_FETH, FETH_BYTES, formatFeth],
  [HAS_RETH, RETH_BYTES, formatReth],
  [HAS_ATOMIC_ETH, ATOMIC_ETH_BYTES, formatAtomicEth],
  [HAS_AETH, AETH_BYTES, formatAeth],
  [HAS_ATOMIC_ACK_ETH, ATOMIC_ACK_ETH_BYTES, formatAtomicAckEth],
  [HAS_IMM, IMM_DT_BYTES, formatImmDt],
  [HAS_IETH, IETH_BYTES, formatIeth],
];

/** Bytes of BTH and extension headers, by opcode; 0 for one that does not exist. */
const HEADER_BYTES: Uint8Array = makeHeaderBytes();

/** The most that {@link headerBytes} answers: an XRC atomic. */
export const TRANSPORT_HEADER_BYTES_MAX = BTH_BYTES + XRCETH_BYTES + ATOMIC_ETH_BYTES;

/** Bytes of BTH and extension headers of packets with this opcode (0 to 255); 0 for one that does not exist. */
export function headerBytes(opcode: number): number {
  return HEADER_BYTES[opcode];
}

/**
 * Writes BTH and extension headers.
 *
 * @param u8 the memory
 * @param at where the BTH starts; {@link headerBytes} of the opcode have to fit
 * @param packet the fields; `packet.opcode` has to be one of `Opcode`
 * @returns the offset after the headers, which `packet.payloadAt` becomes too
 */
export function encodeHeaders(u8: Uint8Array, at: number, packet: Packet): number {
  const info = OPCODE_INFO[packet.opcode];
  encodeBth(u8, at, packet);
  let next = at + BTH_BYTES;
  if ((info & HAS_DETH) !== 0) {
    encodeDeth(u8, next, packet);
    next += DETH_BYTES;
  }
  if ((info & HAS_XRCETH) !== 0) {
    encodeXrceth(u8, next, packet);
    next += XRCETH_BYTES;
  }
  if ((info & HAS_FETH) !== 0) {
    encodeFeth(u8, next, packet);
    next += FETH_BYTES;
  }
  if ((info & HAS_RETH) !== 0) {
    encodeReth(u8, next, packet);
    next += RETH_BYTES;
  }
  if ((info & HAS_ATOMIC_ETH) !== 0) {
    encodeAtomicEth(u8, next, packet);
    next += ATOMIC_ETH_BYTES;
  }
  if ((info & HAS_AETH) !== 0) {
    encodeAeth(u8, next, packet);
    next += AETH_BYTES;
  }
  if ((info & HAS_ATOMIC_ACK_ETH) !== 0) {
    encodeAtomicAckEth(u8, next, packet);
    next += ATOMIC_ACK_ETH_BYTES;
  }
  if ((info & HAS_IMM) !== 0) {
    encodeImmDt(u8, next, packet);
    next += IMM_DT_BYTES;
  }
  if ((info & HAS_IETH) !== 0) {
    encodeIeth(u8, next, packet);
    next += IETH_BYTES;
  }
  if ((info & HAS_CNP_RESERVED) !== 0) {
    for (const end = next + CNP_RESERVED_BYTES; next < end; next++) u8[next] = 0;
  }
  packet.payloadAt = next;
  return next;
}

/**
 * Reads BTH and extension headers, and finds the payload.
 *
 * @param u8 the memory; nothing at `end` and after it is read
 * @param at where the BTH starts
 * @param end where the packet ends: the offset of the ICRC
 * @param packet filled; after an error some fields may be
 * @returns 0, or one of {@link DecodeError}
 */
export function decodeHeaders(u8: Uint8Array, at: number, end: number, packet: Packet): number {
  const length = end - at;
  if (length < BTH_BYTES) return DecodeError.TRUNCATED;
  const info = OPCODE_INFO[u8[at]];
  if ((info & VALID) === 0) return DecodeError.BAD_OPCODE;
  if (!hasBthVersion(u8, at)) return DecodeError.BAD_VERSION;
  decodeBth(u8, at, packet);
  const headers = HEADER_BYTES[packet.opcode];
  if (length < headers) return DecodeError.TRUNCATED;
  const rest = length - headers;
  // A packet is a whole number of words, by the pad (IBTA 9.2.4).
  if ((rest & 3) !== 0 || packet.padCount > rest) return DecodeError.BAD_PAD;
  if (rest !== 0 && (info & HAS_PAYLOAD) === 0) return DecodeError.UNEXPECTED_PAYLOAD;
  decodeExtensions(u8, at + BTH_BYTES, info, packet);
  packet.payloadAt = at + headers;
  packet.payloadLength = rest - packet.padCount;
  return 0;
}

/** The headers of a decoded packet for people. */
export function formatHeaders(packet: Packet): string {
  const info = OPCODE_INFO[packet.opcode];
  const words = EXTENSIONS.filter(([flag]) => (info & flag) !== 0).map(([, , format]) => format(packet));
  return [formatBth(packet), ...words].join(', ');
}

function decodeExtensions(u8: Uint8Array, at: number, info: number, packet: Packet): void {
  let next = at;
  if ((info & HAS_DETH) !== 0) {
    decodeDeth(u8, next, packet);
    next += DETH_BYTES;
  }
  if ((info & HAS_XRCETH) !== 0) {
    decodeXrceth(u8, next, packet);
    next += XRCETH_BYTES;
  }
  if ((info & HAS_FETH) !== 0) {
    decodeFeth(u8, next, packet);
    next += FETH_BYTES;
  }
  if ((info & HAS_RETH) !== 0) {
    decodeReth(u8, next, packet);
    next += RETH_BYTES;
  }
  if ((info & HAS_ATOMIC_ETH) !== 0) {
    decodeAtomicEth(u8, next, packet);
    next += ATOMIC_ETH_BYTES;
  }
  if ((info & HAS_AETH) !== 0) {
    decodeAeth(u8, next, packet);
    next += AETH_BYTES;
  }
  if ((info & HAS_ATOMIC_ACK_ETH) !== 0) {
    decodeAtomicAckEth(u8, next, packet);
    next += ATOMIC_ACK_ETH_BYTES;
  }
  if ((info & HAS_IMM) !== 0) {
    decodeImmDt(u8, next, packet);
    next += IMM_DT_BYTES;
  }
  if ((info & HAS_IETH) !== 0) decodeIeth(u8, next, packet);
}

function makeHeaderBytes(): Uint8Array {
  const table = new Uint8Array(256);
  for (const opcode of Object.values(Opcode)) {
    const info = OPCODE_INFO[opcode];
    table[opcode] = BTH_BYTES + ((info & HAS_CNP_RESERVED) === 0 ? 0 : CNP_RESERVED_BYTES);
    for (const [flag, bytes] of EXTENSIONS) if ((info & flag) !== 0) table[opcode] += bytes;
  }
  return table;
}
