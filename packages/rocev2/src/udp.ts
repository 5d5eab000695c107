/** The UDP header of RoCEv2 (RFC 768; IBTA annex A17). */
import { load16, store16 } from './big-endian.ts';
import { BTH_BYTES } from './bth.ts';
import { DecodeError } from './decode-error.ts';
import type { UdpIp } from './udp-ip-fields.ts';

export const UDP_HEADER_BYTES = 8;

/** The destination port of RoCEv2, registered with IANA. */
export const ROCE_V2_UDP_DPORT = 4791;

/** UDP in the IP header. */
export const IP_PROTOCOL_UDP = 17;

const Udp = { SOURCE_PORT: 0, DESTINATION_PORT: 2, LENGTH: 4, CHECKSUM: 6 } as const;

/** What has to fit into a UDP length: header, BTH and ICRC. */
const UDP_LENGTH_MIN = UDP_HEADER_BYTES + BTH_BYTES + 4;

/**
 * Writes the header, with checksum 0, which means none. Over IPv6 UDP wants one, except where the protocol inside has a better one
 * (RFC 6935): here the ICRC covers payload, ports and addresses. Adapters and Linux rxe_net.c send 0, too.
 */
export function encodeUdp(u8: Uint8Array, at: number, udpIp: UdpIp): void {
  store16(u8, at + Udp.SOURCE_PORT, udpIp.sourcePort);
  store16(u8, at + Udp.DESTINATION_PORT, ROCE_V2_UDP_DPORT);
  store16(u8, at + Udp.LENGTH, udpIp.udpLength);
  store16(u8, at + Udp.CHECKSUM, 0);
}

/**
 * Reads the header. Its length must be what the IP header left in `udpIp.udpLength`. A checksum is not looked at: what it covers, the
 * ICRC covers.
 *
 * @returns the offset after it, or one of {@link DecodeError}
 */
export function decodeUdp(u8: Uint8Array, at: number, end: number, udpIp: UdpIp): number {
  if (end - at < UDP_HEADER_BYTES) return DecodeError.TRUNCATED;
  udpIp.sourcePort = load16(u8, at + Udp.SOURCE_PORT);
  if (load16(u8, at + Udp.DESTINATION_PORT) !== ROCE_V2_UDP_DPORT) return DecodeError.BAD_PORT;
  if (load16(u8, at + Udp.LENGTH) !== udpIp.udpLength || udpIp.udpLength < UDP_LENGTH_MIN)
    return DecodeError.BAD_LENGTH;
  return end - at < udpIp.udpLength ? DecodeError.TRUNCATED : at + UDP_HEADER_BYTES;
}
