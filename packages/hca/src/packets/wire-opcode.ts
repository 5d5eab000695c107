/** From opcodes of send WQEs to opcodes of packets, as tables. */
import { Opcode as Wire, Transport } from '@openverbs/rocev2';
import { QpcType } from '../layout.ts';
import { Opcode } from '../opcode.ts';

/** Which packet of a message it is. */
export const Part = { ONLY: 0, FIRST: 1, MIDDLE: 2, LAST: 3 } as const;
const PARTS = 4;

/** Operation of each part, of the RC transport. Reads, atomics, flushes and atomic writes have one request. */
const OPERATIONS: readonly (readonly [opcode: number, only: number, first: number, middle: number, last: number])[] = [
  [
    Opcode.RDMA_WRITE,
    Wire.RC_RDMA_WRITE_ONLY,
    Wire.RC_RDMA_WRITE_FIRST,
    Wire.RC_RDMA_WRITE_MIDDLE,
    Wire.RC_RDMA_WRITE_LAST,
  ],
  [
    Opcode.RDMA_WRITE_WITH_IMM,
    Wire.RC_RDMA_WRITE_ONLY_WITH_IMMEDIATE,
    Wire.RC_RDMA_WRITE_FIRST,
    Wire.RC_RDMA_WRITE_MIDDLE,
    Wire.RC_RDMA_WRITE_LAST_WITH_IMMEDIATE,
  ],
  [Opcode.SEND, Wire.RC_SEND_ONLY, Wire.RC_SEND_FIRST, Wire.RC_SEND_MIDDLE, Wire.RC_SEND_LAST],
  [
    Opcode.SEND_WITH_IMM,
    Wire.RC_SEND_ONLY_WITH_IMMEDIATE,
    Wire.RC_SEND_FIRST,
    Wire.RC_SEND_MIDDLE,
    Wire.RC_SEND_LAST_WITH_IMMEDIATE,
  ],
  [
    Opcode.SEND_WITH_INV,
    Wire.RC_SEND_ONLY_WITH_INVALIDATE,
    Wire.RC_SEND_FIRST,
    Wire.RC_SEND_MIDDLE,
    Wire.RC_SEND_LAST_WITH_INVALIDATE,
  ],
  [Opcode.RDMA_READ, ...same(Wire.RC_RDMA_READ_REQUEST)],
  [Opcode.ATOMIC_CMP_AND_SWP, ...same(Wire.RC_COMPARE_SWAP)],
  [Opcode.ATOMIC_FETCH_AND_ADD, ...same(Wire.RC_FETCH_ADD)],
  [Opcode.FLUSH, ...same(Wire.RC_FLUSH)],
  [Opcode.ATOMIC_WRITE, ...same(Wire.RC_ATOMIC_WRITE)],
];

/** Opcode of the packet, by opcode of the WQE and part. */
const WIRE_OPCODES = ((): Uint8Array => {
  const table = new Uint8Array(32 * PARTS);
  for (const [opcode, ...parts] of OPERATIONS) table.set(parts, opcode * PARTS);
  return table;
})();

/** The transport of each type of QP. */
const TRANSPORTS: Readonly<Record<number, number>> = {
  [QpcType.RC]: Transport.RC,
  [QpcType.UC]: Transport.UC,
  [QpcType.UD]: Transport.UD,
  [QpcType.XRC_SEND]: Transport.XRC,
  [QpcType.XRC_RECV]: Transport.XRC,
};

/** Opcode of a packet of a QP of this type. */
export function wireOpcode(qpType: number, opcode: number, part: number): number {
  return onTransport(qpType, WIRE_OPCODES[opcode * PARTS + part]);
}

/** An opcode of RC as a QP of this type says it. */
export function onTransport(qpType: number, opcode: number): number {
  return opcode | TRANSPORTS[qpType];
}

/** Whether a QP of this type takes packets of this transport. */
export function isTransportOf(qpType: number, transport: number): boolean {
  return TRANSPORTS[qpType] === transport;
}

function same(opcode: number): [number, number, number, number] {
  return [opcode, opcode, opcode, opcode];
}
