/**
 * The 40 bytes in front of a datagram: the GRH area.
 *
 * Over RoCEv2 it holds the IP header that the packet came with: the one of IPv6, or that of IPv4 in the last 20 bytes, behind 20
 * bytes that mean nothing (source: Linux include/rdma/ib_verbs.h, union rdma_network_hdr). An address handle holds a template of it,
 * where only the length of the packet is missing; all words are in memory order.
 */

/** Bytes of the area. */
export const GRH_BYTES = 40;
export const GRH_WORDS = GRH_BYTES / 4;

/** Where the IPv4 header begins in it, in bytes. */
const IPV4_AT = 20;
const IPV4_BYTES = 20;
const PROTOCOL_UDP = 17;
const DONT_FRAGMENT = 0x4000;
/** Bytes of a datagram's packet beside its payload: UDP, BTH, DETH, ICRC. */
const PACKET_BYTES = 8 + 12 + 8 + 4;
const IMM_BYTES = 4;

/** What the template is made of. */
export interface GrhRoute {
  readonly sgid: Uint8Array;
  readonly dgid: Uint8Array;
  readonly flowLabel: number;
  readonly hopLimit: number;
  readonly trafficClass: number;
}

/** Whether a GID is an IPv4 address, ::ffff:0:0/96. */
export function isIpv4Mapped(gid: Uint8Array): boolean {
  return gid.subarray(0, 10).every((byte) => byte === 0) && gid[10] === 0xff && gid[11] === 0xff;
}

/** Makes the template: {@link GRH_BYTES} bytes. */
export function makeGrh(route: GrhRoute): Uint8Array {
  const bytes = new Uint8Array(GRH_BYTES);
  const view = new DataView(bytes.buffer);
  const { sgid, dgid, flowLabel, hopLimit, trafficClass } = route;
  if (isIpv4Mapped(dgid) && isIpv4Mapped(sgid)) {
    view.setUint8(IPV4_AT, 0x45); // version 4, five words
    view.setUint8(IPV4_AT + 1, trafficClass);
    view.setUint16(IPV4_AT + 6, DONT_FRAGMENT);
    view.setUint8(IPV4_AT + 8, hopLimit);
    view.setUint8(IPV4_AT + 9, PROTOCOL_UDP);
    bytes.set(sgid.subarray(12), IPV4_AT + 12);
    bytes.set(dgid.subarray(12), IPV4_AT + 16);
    return bytes;
  }
  view.setUint32(0, 0x60000000 | (trafficClass << 20) | flowLabel);
  view.setUint8(6, PROTOCOL_UDP);
  view.setUint8(7, hopLimit);
  bytes.set(sgid, 8);
  bytes.set(dgid, 24);
  return bytes;
}

/** Copies the template at word `from` to word `to`, completed for a packet with `length` bytes of payload. Hot. */
export function completeGrh(i32: Int32Array, from: number, to: number, length: number, withImm: boolean): void {
  for (let n = 0; n < GRH_WORDS; n++) i32[to + n] = i32[from + n];
  const bytes = PACKET_BYTES + ((length + 3) & ~3) + (withImm ? IMM_BYTES : 0);
  if (i32[to] !== 0) i32[to + 1] |= swapped(bytes);
  else {
    i32[to + 5] |= swapped(bytes + IPV4_BYTES) << 16;
    i32[to + 7] |= swapped(ipv4Checksum(i32, to + 5)) << 16;
  }
}

/** Two bytes in network order. */
function swapped(value: number): number {
  return ((value & 0xff) << 8) | (value >>> 8);
}

/** RFC 791: the one's complement of the one's complement sum of the header's 16-bit words, its own field being 0. */
function ipv4Checksum(i32: Int32Array, at: number): number {
  let sum = 0;
  for (let n = 0; n < IPV4_BYTES / 4; n++) {
    const word = i32[at + n];
    sum += (swapped(word & 0xffff) & 0xffff) + (swapped(word >>> 16) & 0xffff);
  }
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
