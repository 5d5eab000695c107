/** The IPv6 header (RFC 8200 section 3). GIDs of the link are fe80::, those of the host are its addresses. */
import { load16, store16, store32 } from './big-endian.ts';
import { DecodeError } from './decode-error.ts';
import { load32Little, store32Little } from './little-endian.ts';
import type { UdpIp } from './udp-ip-fields.ts';
import { IP_PROTOCOL_UDP } from './udp.ts';

export const IPV6_HEADER_BYTES = 40;

const Ipv6 = { FLOW: 0, PAYLOAD_LENGTH: 4, NEXT_HEADER: 6, HOP_LIMIT: 7, SOURCE: 8, DESTINATION: 24 } as const;

const VERSION = 6 << 28;
const FLOW_LABEL_MASK = 0xfffff;

export function encodeIpv6(u8: Uint8Array, at: number, udpIp: UdpIp): void {
  store32(u8, at + Ipv6.FLOW, VERSION | (udpIp.trafficClass << 20) | (udpIp.flowLabel & FLOW_LABEL_MASK));
  store16(u8, at + Ipv6.PAYLOAD_LENGTH, udpIp.udpLength);
  u8[at + Ipv6.NEXT_HEADER] = IP_PROTOCOL_UDP;
  u8[at + Ipv6.HOP_LIMIT] = udpIp.hopLimit;
  store32Little(u8, at + Ipv6.SOURCE, udpIp.source0);
  store32Little(u8, at + Ipv6.SOURCE + 4, udpIp.source1);
  store32Little(u8, at + Ipv6.SOURCE + 8, udpIp.source2);
  store32Little(u8, at + Ipv6.SOURCE + 12, udpIp.source3);
  store32Little(u8, at + Ipv6.DESTINATION, udpIp.destination0);
  store32Little(u8, at + Ipv6.DESTINATION + 4, udpIp.destination1);
  store32Little(u8, at + Ipv6.DESTINATION + 8, udpIp.destination2);
  store32Little(u8, at + Ipv6.DESTINATION + 12, udpIp.destination3);
}

/** Reads the header; `udpLength` becomes what it says of the rest. Returns 0 or one of {@link DecodeError}. */
export function decodeIpv6(u8: Uint8Array, at: number, end: number, udpIp: UdpIp): number {
  if (end - at < IPV6_HEADER_BYTES) return DecodeError.TRUNCATED;
  udpIp.version = 6;
  udpIp.trafficClass = ((u8[at] & 0xf) << 4) | (u8[at + 1] >>> 4);
  udpIp.flowLabel = ((u8[at + 1] & 0xf) << 16) | load16(u8, at + 2);
  udpIp.udpLength = load16(u8, at + Ipv6.PAYLOAD_LENGTH);
  udpIp.hopLimit = u8[at + Ipv6.HOP_LIMIT];
  udpIp.identification = 0;
  udpIp.source0 = load32Little(u8, at + Ipv6.SOURCE);
  udpIp.source1 = load32Little(u8, at + Ipv6.SOURCE + 4);
  udpIp.source2 = load32Little(u8, at + Ipv6.SOURCE + 8);
  udpIp.source3 = load32Little(u8, at + Ipv6.SOURCE + 12);
  udpIp.destination0 = load32Little(u8, at + Ipv6.DESTINATION);
  udpIp.destination1 = load32Little(u8, at + Ipv6.DESTINATION + 4);
  udpIp.destination2 = load32Little(u8, at + Ipv6.DESTINATION + 8);
  udpIp.destination3 = load32Little(u8, at + Ipv6.DESTINATION + 12);
  return u8[at + Ipv6.NEXT_HEADER] === IP_PROTOCOL_UDP ? 0 : DecodeError.NOT_UDP;
}

/** "IP6 fe80::1 > fe80::2" */
export function formatIpv6(udpIp: UdpIp): string {
  const { source0, source1, source2, source3, destination0, destination1, destination2, destination3 } = udpIp;
  const source = formatIpv6Address(source0, source1, source2, source3);
  return `IP6 ${source} > ${formatIpv6Address(destination0, destination1, destination2, destination3)}`;
}

/** An address as RFC 5952 wants it: no leading zeros, and `::` for the longest run of two zero groups or more. */
function formatIpv6Address(...words: number[]): string {
  const groups = words.flatMap((word) => [swap16(word), swap16(word >>> 16)]);
  let start = 0;
  let length = 1;
  for (let from = 0; from < groups.length; from++) {
    let to = from;
    while (groups[to] === 0) to++;
    if (to - from > length) [start, length] = [from, to - from];
  }
  const text = (part: number[]): string => part.map((group) => group.toString(16)).join(':');
  if (length === 1) return text(groups);
  return `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`;
}

function swap16(value: number): number {
  return ((value & 0xff) << 8) | ((value >>> 8) & 0xff);
}
