/** A frame, put together by the codec as a device does it. */
import { storeIcrc } from '../../src/icrc.ts';
import type { Packet } from '../../src/packet.ts';
import { encodeHeaders, headerBytes } from '../../src/transport-headers.ts';
import type { UdpIp } from '../../src/udp-ip-fields.ts';
import { encodeUdpIp, ICRC_BYTES } from '../../src/udp-ip.ts';
import { UDP_HEADER_BYTES } from '../../src/udp.ts';

/** Writes a frame with an ICRC at `at`, sets `udpLength` on the way, and returns where the frame ends. */
export function writeFrame(u8: Uint8Array, at: number, udpIp: UdpIp, packet: Packet, payload: Uint8Array): number {
  udpIp.udpLength = UDP_HEADER_BYTES + headerBytes(packet.opcode) + payload.length + ICRC_BYTES;
  const payloadAt = encodeHeaders(u8, encodeUdpIp(u8, at, udpIp), packet);
  u8.set(payload, payloadAt);
  storeIcrc(u8, at, payloadAt + payload.length);
  return payloadAt + payload.length + ICRC_BYTES;
}
