/** A frame in one line, in the manner of tcpdump. For people: it makes strings, and has no place on a data path. */
import { formatDecodeError } from './decode-error.ts';
import { checkIcrc } from './icrc.ts';
import { Packet } from './packet.ts';
import { decodeHeaders, formatHeaders } from './transport-headers.ts';
import { UdpIp } from './udp-ip-fields.ts';
import { decodeUdpIp, formatUdpIp, icrcOffset } from './udp-ip.ts';

/**
 * Says what a frame is: addresses, opcode, QPN, PSN, the fields of its extension headers, bytes of payload, and what is wrong with it.
 *
 * @example
 * ```
 * IP6 fe80::1 > fe80::2: RC_RDMA_WRITE_ONLY, qpn 0x11, psn 5, ackreq, va 0x0000100000000000, rkey 0x1a07, dma length 64, payload 64
 * IP 10.0.0.2 > 10.0.0.1: RC_ACKNOWLEDGE, qpn 0x12, psn 5, NAK remote access error, msn 3, bad ICRC
 * ```
 *
 * @param u8 the memory; nothing at `end` and after it is read
 * @param at where the IP header starts
 * @param end where the frame ends, with its ICRC
 */
export function formatFrame(u8: Uint8Array, at: number, end: number): string {
  const udpIp = new UdpIp();
  const bthAt = decodeUdpIp(u8, at, end, udpIp);
  if (bthAt < 0) return `not RoCEv2: ${formatDecodeError(bthAt)}, ${end - at} bytes`;
  const icrcAt = icrcOffset(bthAt, udpIp);
  const packet = new Packet();
  const error = decodeHeaders(u8, bthAt, icrcAt, packet);
  const words = [
    `${formatUdpIp(udpIp)}: ${error < 0 ? formatBadPacket(error, icrcAt - bthAt) : formatHeaders(packet)}`,
  ];
  if (error === 0 && packet.payloadLength !== 0) words.push(`payload ${packet.payloadLength}`);
  if (!checkIcrc(u8, at, icrcAt)) words.push('bad ICRC');
  return words.join(', ');
}

function formatBadPacket(error: number, length: number): string {
  return `bad packet: ${formatDecodeError(error)}, ${length} bytes`;
}
