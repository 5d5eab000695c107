/**
 * The wire of RoCEv2 as a pure codec: it works on a `Uint8Array` and offsets, makes no objects and knows no clock.
 *
 * @packageDocumentation
 */
export {
  AETH_KIND_MASK,
  AETH_VALUE_MASK,
  AethKind,
  AethSyndrome,
  CREDIT_CODE_UNLIMITED,
  creditCode,
  creditCount,
} from './aeth.ts';
export { DecodeError, formatDecodeError } from './decode-error.ts';
export { formatFrame } from './format.ts';
export { checkIcrc, icrc, storeIcrc } from './icrc.ts';
export { IPV4_HEADER_BYTES } from './ipv4.ts';
export { IPV6_HEADER_BYTES } from './ipv6.ts';
export { Opcode, OPCODE_INFO, opcodeName, OpcodeFlag, operationOf, Transport, transportOf } from './opcodes.ts';
export { Packet } from './packet.ts';
export { addPsn, comparePsn, packetCount, PSN_MASK, psnDistance } from './psn.ts';
export { rnrTimerNs } from './rnr-timer.ts';
export { decodeHeaders, encodeHeaders, headerBytes, TRANSPORT_HEADER_BYTES_MAX } from './transport-headers.ts';
export { UdpIp } from './udp-ip-fields.ts';
export {
  decodeUdpIp,
  encodeIpv4Udp,
  encodeIpv6Udp,
  encodeUdpIp,
  FRAME_HEADER_BYTES_MAX,
  ICRC_BYTES,
  icrcOffset,
} from './udp-ip.ts';
export { udpSourcePort } from './udp-source-port.ts';
export { ROCE_V2_UDP_DPORT, UDP_HEADER_BYTES } from './udp.ts';
