/** The IPv4 header (RFC 791 section 3.1), without options. The address of GID ::ffff:a.b.c.d is a.b.c.d. */
import { load16, store16 } from './big-endian.ts';
import { DecodeError } from './decode-error.ts';
import { load32Little, store32Little } from './little-endian.ts';
import type { UdpIp } from './udp-ip-fields.ts';
import { IP_PROTOCOL_UDP } from './udp.ts';

export const IPV4_HEADER_BYTES = 20;

const Ipv4 = {
  VERSION_AND_LENGTH: 0,
  TOS: 1,
  TOTAL_LENGTH: 2,
  IDENTIFICATION: 4,
  FRAGMENT: 6,
  TTL: 8,
  PROTOCOL: 9,
  CHECKSUM: 10,
  SOURCE: 12,
  DESTINATION: 16,
} as const;

const VERSION_AND_LENGTH = 0x45;
const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS_AND_OFFSET = 0x3fff;
/** The third word of an IPv4-mapped address: bytes 00 00 ff ff. */
const IPV4_MAPPED = 0xffff0000 | 0;

export function encodeIpv4(u8: Uint8Array, at: number, udpIp: UdpIp): void {
  u8[at + Ipv4.VERSION_AND_LENGTH] = VERSION_AND_LENGTH;
  u8[at + Ipv4.TOS] = udpIp.trafficClass;
  store16(u8, at + Ipv4.TOTAL_LENGTH, IPV4_HEADER_BYTES + udpIp.udpLength);
  store16(u8, at + Ipv4.IDENTIFICATION, udpIp.identification);
  store16(u8, at + Ipv4.FRAGMENT, DONT_FRAGMENT);
  u8[at + Ipv4.TTL] = udpIp.hopLimit;
  u8[at + Ipv4.PROTOCOL] = IP_PROTOCOL_UDP;
  store16(u8, at + Ipv4.CHECKSUM, 0);
  store32Little(u8, at + Ipv4.SOURCE, udpIp.source3);
  store32Little(u8, at + Ipv4.DESTINATION, udpIp.destination3);
  store16(u8, at + Ipv4.CHECKSUM, ~sumOfHeader(u8, at));
}

/** Reads the header; `udpLength` becomes what it says of the rest. Returns 0 or one of {@link DecodeError}. */
export function decodeIpv4(u8: Uint8Array, at: number, end: number, udpIp: UdpIp): number {
  if (end - at < IPV4_HEADER_BYTES) return DecodeError.TRUNCATED;
  if (u8[at + Ipv4.VERSION_AND_LENGTH] !== VERSION_AND_LENGTH) return DecodeError.BAD_HEADER_LENGTH;
  udpIp.version = 4;
  udpIp.trafficClass = u8[at + Ipv4.TOS];
  udpIp.flowLabel = 0;
  udpIp.udpLength = load16(u8, at + Ipv4.TOTAL_LENGTH) - IPV4_HEADER_BYTES;
  udpIp.identification = load16(u8, at + Ipv4.IDENTIFICATION);
  udpIp.hopLimit = u8[at + Ipv4.TTL];
  udpIp.source0 = udpIp.source1 = udpIp.destination0 = udpIp.destination1 = 0;
  udpIp.source2 = udpIp.destination2 = IPV4_MAPPED;
  udpIp.source3 = load32Little(u8, at + Ipv4.SOURCE);
  udpIp.destination3 = load32Little(u8, at + Ipv4.DESTINATION);
  if (sumOfHeader(u8, at) !== 0xffff) return DecodeError.BAD_CHECKSUM;
  if ((load16(u8, at + Ipv4.FRAGMENT) & MORE_FRAGMENTS_AND_OFFSET) !== 0) return DecodeError.FRAGMENT;
  return u8[at + Ipv4.PROTOCOL] === IP_PROTOCOL_UDP ? 0 : DecodeError.NOT_UDP;
}

/** "IP 10.0.0.1 > 10.0.0.2" */
export function formatIpv4(udpIp: UdpIp): string {
  return `IP ${formatIpv4Address(udpIp.source3)} > ${formatIpv4Address(udpIp.destination3)}`;
}

function formatIpv4Address(word: number): string {
  return `${word & 0xff}.${(word >>> 8) & 0xff}.${(word >>> 16) & 0xff}.${word >>> 24}`;
}

/** Ones' complement sum of the header's ten 16-bit numbers (RFC 1071); 0xffff when the checksum is among them and right. */
function sumOfHeader(u8: Uint8Array, at: number): number {
  let sum = 0;
  for (let n = 0; n < IPV4_HEADER_BYTES; n += 2) sum += load16(u8, at + n);
  sum = (sum & 0xffff) + (sum >>> 16);
  return (sum & 0xffff) + (sum >>> 16);
}
