/**
 * The wire of RoCEv2 as a pure codec: it works on a `Uint8Array` and offsets, makes no objects and knows no clock.
 *
 * @packageDocumentation
 */
export { AETH_KIND_MASK, AETH_VALUE_MASK, AethKind, AethSyndrome } from './aeth.ts';
export { DecodeError } from './decode-error.ts';
export { Opcode, OPCODE_INFO, opcodeName, OpcodeFlag, Transport, transportOf } from './opcodes.ts';
export { Packet } from './packet.ts';
export { addPsn, comparePsn, packetCount, PSN_MASK, psnDistance } from './psn.ts';
export { decodeHeaders, encodeHeaders, headerBytes, TRANSPORT_HEADER_BYTES_MAX } from './transport-headers.ts';
