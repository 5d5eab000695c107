/**
 * The opcodes of packets: what each one is and which headers it carries, as one table.
 *
 * An opcode is a transport (its top three bits) and an operation (source: IBTA 9.2.1; Linux ib_pack.h, rxe_opcode.c). RD is left
 * out: no adapter has it.
 */

/** The transports of packets, by the top three bits of the opcode. */
export const Transport = { RC: 0x00, UC: 0x20, RD: 0x40, UD: 0x60, CNP: 0x80, XRC: 0xa0 } as const;
/** One of {@link Transport}. */
export type Transport = (typeof Transport)[keyof typeof Transport];

/** The opcodes of packets, named as in the specification. */
export const Opcode = {
  RC_SEND_FIRST: 0x00,
  RC_SEND_MIDDLE: 0x01,
  RC_SEND_LAST: 0x02,
  RC_SEND_LAST_WITH_IMMEDIATE: 0x03,
  RC_SEND_ONLY: 0x04,
  RC_SEND_ONLY_WITH_IMMEDIATE: 0x05,
  RC_RDMA_WRITE_FIRST: 0x06,
  RC_RDMA_WRITE_MIDDLE: 0x07,
  RC_RDMA_WRITE_LAST: 0x08,
  RC_RDMA_WRITE_LAST_WITH_IMMEDIATE: 0x09,
  RC_RDMA_WRITE_ONLY: 0x0a,
  RC_RDMA_WRITE_ONLY_WITH_IMMEDIATE: 0x0b,
  RC_RDMA_READ_REQUEST: 0x0c,
  RC_RDMA_READ_RESPONSE_FIRST: 0x0d,
  RC_RDMA_READ_RESPONSE_MIDDLE: 0x0e,
  RC_RDMA_READ_RESPONSE_LAST: 0x0f,
  RC_RDMA_READ_RESPONSE_ONLY: 0x10,
  RC_ACKNOWLEDGE: 0x11,
  RC_ATOMIC_ACKNOWLEDGE: 0x12,
  RC_COMPARE_SWAP: 0x13,
  RC_FETCH_ADD: 0x14,
  RC_SEND_LAST_WITH_INVALIDATE: 0x16,
  RC_SEND_ONLY_WITH_INVALIDATE: 0x17,
  RC_FLUSH: 0x1c,
  RC_ATOMIC_WRITE: 0x1d,

  UC_SEND_FIRST: 0x20,
  UC_SEND_MIDDLE: 0x21,
  UC_SEND_LAST: 0x22,
  UC_SEND_LAST_WITH_IMMEDIATE: 0x23,
  UC_SEND_ONLY: 0x24,
  UC_SEND_ONLY_WITH_IMMEDIATE: 0x25,
  UC_RDMA_WRITE_FIRST: 0x26,
  UC_RDMA_WRITE_MIDDLE: 0x27,
  UC_RDMA_WRITE_LAST: 0x28,
  UC_RDMA_WRITE_LAST_WITH_IMMEDIATE: 0x29,
  UC_RDMA_WRITE_ONLY: 0x2a,
  UC_RDMA_WRITE_ONLY_WITH_IMMEDIATE: 0x2b,

  UD_SEND_ONLY: 0x64,
  UD_SEND_ONLY_WITH_IMMEDIATE: 0x65,

  CNP: 0x81,

  XRC_SEND_FIRST: 0xa0,
  XRC_SEND_MIDDLE: 0xa1,
  XRC_SEND_LAST: 0xa2,
  XRC_SEND_LAST_WITH_IMMEDIATE: 0xa3,
  XRC_SEND_ONLY: 0xa4,
  XRC_SEND_ONLY_WITH_IMMEDIATE: 0xa5,
  XRC_RDMA_WRITE_FIRST: 0xa6,
  XRC_RDMA_WRITE_MIDDLE: 0xa7,
  XRC_RDMA_WRITE_LAST: 0xa8,
  XRC_RDMA_WRITE_LAST_WITH_IMMEDIATE: 0xa9,
  XRC_RDMA_WRITE_ONLY: 0xaa,
  XRC_RDMA_WRITE_ONLY_WITH_IMMEDIATE: 0xab,
  XRC_RDMA_READ_REQUEST: 0xac,
  XRC_RDMA_READ_RESPONSE_FIRST: 0xad,
  XRC_RDMA_READ_RESPONSE_MIDDLE: 0xae,
  XRC_RDMA_READ_RESPONSE_LAST: 0xaf,
  XRC_RDMA_READ_RESPONSE_ONLY: 0xb0,
  XRC_ACKNOWLEDGE: 0xb1,
  XRC_ATOMIC_ACKNOWLEDGE: 0xb2,
  XRC_COMPARE_SWAP: 0xb3,
  XRC_FETCH_ADD: 0xb4,
  XRC_SEND_LAST_WITH_INVALIDATE: 0xb6,
  XRC_SEND_ONLY_WITH_INVALIDATE: 0xb7,
  XRC_FLUSH: 0xbc,
  XRC_ATOMIC_WRITE: 0xbd,
} as const;
/** One of {@link Opcode}. */
export type Opcode = (typeof Opcode)[keyof typeof Opcode];

/**
 * What an opcode is, as bits of {@link OPCODE_INFO}.
 *
 * `WRITE` is RDMA WRITE, `ATOMIC` compare and swap, fetch and add, and their answer; FLUSH and ATOMIC WRITE are neither, and are known by
 * their opcode. `ONLY` stands also on packets that have no FIRST: each is a message of its own.
 */
export const OpcodeFlag = {
  /** The opcode is one of {@link Opcode}. */
  VALID: 1 << 0,
  REQUEST: 1 << 1,
  /** From responder to requester: an acknowledge, or the data of a read or an atomic. */
  RESPONSE: 1 << 2,
  SEND: 1 << 3,
  WRITE: 1 << 4,
  READ: 1 << 5,
  ATOMIC: 1 << 6,
  FIRST: 1 << 7,
  MIDDLE: 1 << 8,
  LAST: 1 << 9,
  ONLY: 1 << 10,
  HAS_DETH: 1 << 11,
  HAS_XRCETH: 1 << 12,
  HAS_RETH: 1 << 13,
  HAS_ATOMIC_ETH: 1 << 14,
  HAS_AETH: 1 << 15,
  HAS_ATOMIC_ACK_ETH: 1 << 16,
  HAS_IMM: 1 << 17,
  HAS_IETH: 1 << 18,
  HAS_FETH: 1 << 19,
  /** The 16 reserved bytes of a CNP. */
  HAS_CNP_RESERVED: 1 << 20,
  /** A payload may follow; it may be empty. */
  HAS_PAYLOAD: 1 << 21,
  /** The responder takes a receive WQE when this packet arrives. */
  CONSUMES_RECEIVE: 1 << 22,
} as const;

const {
  VALID,
  REQUEST,
  RESPONSE,
  SEND,
  WRITE,
  READ,
  ATOMIC,
  FIRST,
  MIDDLE,
  LAST,
  ONLY,
  HAS_DETH,
  HAS_XRCETH,
  HAS_RETH,
  HAS_ATOMIC_ETH,
  HAS_AETH,
  HAS_ATOMIC_ACK_ETH,
  HAS_IMM,
  HAS_IETH,
  HAS_FETH,
  HAS_CNP_RESERVED,
  HAS_PAYLOAD,
  CONSUMES_RECEIVE,
} = OpcodeFlag;

/** What each operation is, on whatever transport. The RETH of a write stands in its first packet (IBTA 9.4.3). */
const OPERATIONS: Readonly<Record<string, number>> = {
  SEND_FIRST: REQUEST | SEND | FIRST | HAS_PAYLOAD | CONSUMES_RECEIVE,
  SEND_MIDDLE: REQUEST | SEND | MIDDLE | HAS_PAYLOAD,
  SEND_LAST: REQUEST | SEND | LAST | HAS_PAYLOAD,
  SEND_LAST_WITH_IMMEDIATE: REQUEST | SEND | LAST | HAS_IMM | HAS_PAYLOAD,
  SEND_LAST_WITH_INVALIDATE: REQUEST | SEND | LAST | HAS_IETH | HAS_PAYLOAD,
  SEND_ONLY: REQUEST | SEND | ONLY | HAS_PAYLOAD | CONSUMES_RECEIVE,
  SEND_ONLY_WITH_IMMEDIATE: REQUEST | SEND | ONLY | HAS_IMM | HAS_PAYLOAD | CONSUMES_RECEIVE,
  SEND_ONLY_WITH_INVALIDATE: REQUEST | SEND | ONLY | HAS_IETH | HAS_PAYLOAD | CONSUMES_RECEIVE,
  RDMA_WRITE_FIRST: REQUEST | WRITE | FIRST | HAS_RETH | HAS_PAYLOAD,
  RDMA_WRITE_MIDDLE: REQUEST | WRITE | MIDDLE | HAS_PAYLOAD,
  RDMA_WRITE_LAST: REQUEST | WRITE | LAST | HAS_PAYLOAD,
  RDMA_WRITE_LAST_WITH_IMMEDIATE: REQUEST | WRITE | LAST | HAS_IMM | HAS_PAYLOAD | CONSUMES_RECEIVE,
  RDMA_WRITE_ONLY: REQUEST | WRITE | ONLY | HAS_RETH | HAS_PAYLOAD,
  RDMA_WRITE_ONLY_WITH_IMMEDIATE: REQUEST | WRITE | ONLY | HAS_RETH | HAS_IMM | HAS_PAYLOAD | CONSUMES_RECEIVE,
  RDMA_READ_REQUEST: REQUEST | READ | ONLY | HAS_RETH,
  RDMA_READ_RESPONSE_FIRST: RESPONSE | READ | FIRST | HAS_AETH | HAS_PAYLOAD,
  RDMA_READ_RESPONSE_MIDDLE: RESPONSE | READ | MIDDLE | HAS_PAYLOAD,
  RDMA_READ_RESPONSE_LAST: RESPONSE | READ | LAST | HAS_AETH | HAS_PAYLOAD,
  RDMA_READ_RESPONSE_ONLY: RESPONSE | READ | ONLY | HAS_AETH | HAS_PAYLOAD,
  ACKNOWLEDGE: RESPONSE | ONLY | HAS_AETH,
  ATOMIC_ACKNOWLEDGE: RESPONSE | ATOMIC | ONLY | HAS_AETH | HAS_ATOMIC_ACK_ETH,
  COMPARE_SWAP: REQUEST | ATOMIC | ONLY | HAS_ATOMIC_ETH,
  FETCH_ADD: REQUEST | ATOMIC | ONLY | HAS_ATOMIC_ETH,
  FLUSH: REQUEST | ONLY | HAS_FETH | HAS_RETH,
  ATOMIC_WRITE: REQUEST | ONLY | HAS_RETH | HAS_PAYLOAD,
};

/** What a transport adds to each of its operations: `request` only to requests. */
const TRANSPORTS: readonly { readonly prefix: string; readonly request: number }[] = [
  { prefix: 'RC_', request: 0 },
  { prefix: 'UC_', request: 0 },
  { prefix: 'UD_', request: HAS_DETH },
  { prefix: 'XRC_', request: HAS_XRCETH },
];

/** What each of the 256 opcodes is: bits of {@link OpcodeFlag}, 0 for one that does not exist. */
export const OPCODE_INFO: Uint32Array = makeInfo();

const NAMES: readonly string[] = makeNames();

/** The name of an opcode in {@link Opcode}, or its number in hex. */
export function opcodeName(opcode: number): string {
  return NAMES[opcode & 0xff];
}

/** The transport of an opcode. Manufacturers' opcodes, 0xc0 and above, have none of {@link Transport}. */
export function transportOf(opcode: number): Transport {
  return (opcode & 0xe0) as Transport;
}

/** The operation of an opcode, which is its opcode on RC. */
export function operationOf(opcode: number): number {
  return opcode & 0x1f;
}

function makeInfo(): Uint32Array {
  const info = new Uint32Array(256);
  for (const [name, opcode] of Object.entries(Opcode)) {
    const transport = TRANSPORTS.find(({ prefix }) => name.startsWith(prefix));
    if (transport === undefined) {
      info[opcode] = VALID | HAS_CNP_RESERVED;
      continue;
    }
    const operation = OPERATIONS[name.slice(transport.prefix.length)];
    info[opcode] = VALID | operation | ((operation & REQUEST) === 0 ? 0 : transport.request);
  }
  return info;
}

function makeNames(): string[] {
  const names = Array.from({ length: 256 }, (_, opcode) => `0x${opcode.toString(16).padStart(2, '0')}`);
  for (const [name, opcode] of Object.entries(Opcode)) names[opcode] = name;
  return names;
}
