/** What is around a packet: IP and UDP headers. A frame is IPv6 or IPv4, UDP, BTH and so on, payload, pad, ICRC; no Ethernet. */
import { DecodeError } from './decode-error.ts';
import { decodeIpv4, encodeIpv4, formatIpv4, IPV4_HEADER_BYTES } from './ipv4.ts';
import { decodeIpv6, encodeIpv6, formatIpv6, IPV6_HEADER_BYTES } from './ipv6.ts';
import { TRANSPORT_HEADER_BYTES_MAX } from './transport-headers.ts';
import type { UdpIp } from './udp-ip-fields.ts';
import { decodeUdp, encodeUdp, UDP_HEADER_BYTES } from './udp.ts';

/** The invariant CRC at the end of a frame. */
export const ICRC_BYTES = 4;
/** The most bytes that stand before the payload of a frame. */
export const FRAME_HEADER_BYTES_MAX = IPV6_HEADER_BYTES + UDP_HEADER_BYTES + TRANSPORT_HEADER_BYTES_MAX;

/**
 * Writes IPv6 and UDP header, 48 bytes.
 *
 * @returns the offset after them, where the BTH goes
 */
export function encodeIpv6Udp(u8: Uint8Array, at: number, udpIp: UdpIp): number {
  encodeIpv6(u8, at, udpIp);
  encodeUdp(u8, at + IPV6_HEADER_BYTES, udpIp);
  return at + IPV6_HEADER_BYTES + UDP_HEADER_BYTES;
}

/**
 * Writes IPv4 and UDP header, 28 bytes. Of the addresses only the last words are used, as of IPv4-mapped ones.
 *
 * @returns the offset after them, where the BTH goes
 */
export function encodeIpv4Udp(u8: Uint8Array, at: number, udpIp: UdpIp): number {
  encodeIpv4(u8, at, udpIp);
  encodeUdp(u8, at + IPV4_HEADER_BYTES, udpIp);
  return at + IPV4_HEADER_BYTES + UDP_HEADER_BYTES;
}

/** Writes IP and UDP header of the version that `udpIp` names, and returns the offset after them. */
export function encodeUdpIp(u8: Uint8Array, at: number, udpIp: UdpIp): number {
  return udpIp.version === 4 ? encodeIpv4Udp(u8, at, udpIp) : encodeIpv6Udp(u8, at, udpIp);
}

/**
 * Reads IP and UDP header.
 *
 * @param u8 the memory; nothing at `end` and after it is read
 * @param at where the frame starts
 * @param end where what was received ends; a frame may be shorter, as Ethernet pads small ones
 * @param udpIp filled; after an error some fields may be
 * @returns the offset of the BTH, after which there are at least BTH and ICRC; or one of {@link DecodeError}
 */
export function decodeUdpIp(u8: Uint8Array, at: number, end: number, udpIp: UdpIp): number {
  if (end <= at) return DecodeError.TRUNCATED;
  const version = u8[at] >>> 4;
  if (version === 6) {
    const error = decodeIpv6(u8, at, end, udpIp);
    return error < 0 ? error : decodeUdp(u8, at + IPV6_HEADER_BYTES, end, udpIp);
  }
  if (version !== 4) return DecodeError.BAD_VERSION;
  const error = decodeIpv4(u8, at, end, udpIp);
  return error < 0 ? error : decodeUdp(u8, at + IPV4_HEADER_BYTES, end, udpIp);
}

/** The offset of the ICRC, from that of the BTH and the decoded UDP length. */
export function icrcOffset(bthAt: number, udpIp: UdpIp): number {
  return bthAt - UDP_HEADER_BYTES + udpIp.udpLength - ICRC_BYTES;
}

/** Addresses and ports for people, as tcpdump has them. */
export function formatUdpIp(udpIp: UdpIp): string {
  return udpIp.version === 4 ? formatIpv4(udpIp) : formatIpv6(udpIp);
}
