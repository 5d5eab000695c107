import { expect } from 'chai';
import { DecodeError } from '../src/decode-error.ts';
import { Opcode } from '../src/opcodes.ts';
import { Packet } from '../src/packet.ts';
import { decodeHeaders, encodeHeaders, headerBytes, TRANSPORT_HEADER_BYTES_MAX } from '../src/transport-headers.ts';
import { bytes, dump } from './support/bytes.ts';

/** What each opcode's headers look like: fields, bytes of the wire. */
const LITERALS: readonly (readonly [name: string, fields: Partial<Packet>, wire: string])[] = [
  [
    'every field of the BTH',
    {
      opcode: Opcode.RC_SEND_MIDDLE,
      solicited: 1,
      migReq: 1,
      padCount: 0,
      pkey: 0x8123,
      fecn: 1,
      becn: 1,
      destQpn: 0xabcdef,
      ackReq: 1,
      psn: 0xfedcba,
    },
    '01 c0 81 23  c0 ab cd ef  80 fe dc ba',
  ],
  [
    'BTH, RETH',
    {
      opcode: Opcode.RC_RDMA_WRITE_ONLY,
      pkey: 0xffff,
      destQpn: 0x11,
      ackReq: 1,
      psn: 5,
      vaHi: 0x00001000,
      vaLo: 0x89abcdef | 0,
      rkey: 0xf1234567 | 0,
      dmaLength: 0x80000000 | 0,
    },
    '0a 00 ff ff  00 00 00 11  80 00 00 05  00 00 10 00 89 ab cd ef  f1 23 45 67  80 00 00 00',
  ],
  [
    'BTH, RETH, ImmDt',
    { opcode: Opcode.UC_RDMA_WRITE_ONLY_WITH_IMMEDIATE, vaHi: 1, vaLo: 2, rkey: 3, dmaLength: 4, imm: 0x05060708 },
    '2b 00 00 00  00 00 00 00  00 00 00 00  00 00 00 01 00 00 00 02  00 00 00 03  00 00 00 04  05 06 07 08',
  ],
  [
    'BTH, AETH',
    { opcode: Opcode.RC_ACKNOWLEDGE, pkey: 0xffff, destQpn: 0x12, psn: 0xffffff, syndrome: 0x6f, msn: 0x010203 },
    '11 00 ff ff  00 00 00 12  00 ff ff ff  6f 01 02 03',
  ],
  [
    'BTH, AETH, AtomicAckETH',
    { opcode: Opcode.RC_ATOMIC_ACKNOWLEDGE, syndrome: 0x1f, msn: 1, originalHi: 0x01020304, originalLo: -2 },
    '12 00 00 00  00 00 00 00  00 00 00 00  1f 00 00 01  01 02 03 04 ff ff ff fe',
  ],
  [
    'BTH, AtomicETH',
    {
      opcode: Opcode.RC_COMPARE_SWAP,
      vaHi: 0x11111111,
      vaLo: 0x22222222,
      rkey: 0x33333333,
      swapHi: 0x44444444,
      swapLo: 0x55555555,
      compareHi: 0x66666666,
      compareLo: 0x77777777,
    },
    `13 00 00 00  00 00 00 00  00 00 00 00
     11 11 11 11 22 22 22 22  33 33 33 33  44 44 44 44 55 55 55 55  66 66 66 66 77 77 77 77`,
  ],
  [
    'BTH, DETH, ImmDt',
    { opcode: Opcode.UD_SEND_ONLY_WITH_IMMEDIATE, qkey: 0x80010000 | 0, srcQpn: 0x010203, imm: -1 },
    '65 00 00 00  00 00 00 00  00 00 00 00  80 01 00 00  00 01 02 03  ff ff ff ff',
  ],
  [
    'BTH, IETH',
    { opcode: Opcode.RC_SEND_ONLY_WITH_INVALIDATE, invalidateRkey: 0x0a0b0c0d },
    '17 00 00 00  00 00 00 00  00 00 00 00  0a 0b 0c 0d',
  ],
  [
    'BTH, XRCETH, AtomicETH',
    { opcode: Opcode.XRC_FETCH_ADD, xrcSrqn: 0x0a0b0c, vaLo: 8, rkey: 1, swapLo: 2 },
    `b4 00 00 00  00 00 00 00  00 00 00 00  00 0a 0b 0c
     00 00 00 00 00 00 00 08  00 00 00 01  00 00 00 00 00 00 00 02  00 00 00 00 00 00 00 00`,
  ],
  [
    'BTH, FETH, RETH',
    { opcode: Opcode.RC_FLUSH, selectivity: 1, placement: 3, vaLo: 1, rkey: 2, dmaLength: 3 },
    '1c 00 00 00  00 00 00 00  00 00 00 00  00 00 00 13  00 00 00 00 00 00 00 01  00 00 00 02  00 00 00 03',
  ],
  [
    'BTH, XRCETH, FETH, RETH',
    { opcode: Opcode.XRC_FLUSH, xrcSrqn: 0x0a0b0c, selectivity: 0, placement: 1, vaLo: 1, rkey: 2, dmaLength: 3 },
    `bc 00 00 00  00 00 00 00  00 00 00 00  00 0a 0b 0c  00 00 00 01
     00 00 00 00 00 00 00 01  00 00 00 02  00 00 00 03`,
  ],
  [
    'BTH, XRCETH, RETH',
    { opcode: Opcode.XRC_ATOMIC_WRITE, xrcSrqn: 0x0a0b0c, vaLo: 8, rkey: 2, dmaLength: 8 },
    `bd 00 00 00  00 00 00 00  00 00 00 00  00 0a 0b 0c
     00 00 00 00 00 00 00 08  00 00 00 02  00 00 00 08`,
  ],
  [
    'BTH, and what a CNP reserves',
    { opcode: Opcode.CNP, pkey: 0xffff, becn: 1, destQpn: 0x118 },
    '81 00 ff ff  40 00 01 18  00 00 00 00  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00',
  ],
];

const AT = 5;

describe('transport headers', () => {
  for (const [name, fields, wire] of LITERALS) {
    const expected = bytes(wire);
    const packet = Object.assign(new Packet(), fields);

    it(`are encoded: ${name}`, () => {
      const u8 = new Uint8Array(AT + expected.length + 8).fill(0xee);
      expect(headerBytes(packet.opcode)).to.equal(expected.length);
      expect(encodeHeaders(u8, AT, packet)).to.equal(AT + expected.length);
      expect(packet.payloadAt).to.equal(AT + expected.length);
      expect(dump(u8, AT, AT + expected.length)).to.equal(dump(expected));
      expect(dump(u8, AT + expected.length)).to.equal('ee ee ee ee ee ee ee ee');
    });

    it(`are decoded: ${name}`, () => {
      const u8 = new Uint8Array(AT + expected.length);
      u8.set(expected, AT);
      const decoded = new Packet();
      expect(decodeHeaders(u8, AT, u8.length, decoded)).to.equal(0);
      expect(decoded).to.deep.equal(Object.assign(new Packet(), fields, { payloadAt: u8.length }));
    });
  }

  it('have a length for every opcode, and none where there is no opcode', () => {
    const opcodes = new Set<number>(Object.values(Opcode));
    let longest = 0;
    for (let opcode = 0; opcode < 256; opcode++) {
      expect(headerBytes(opcode) > 0, `opcode ${opcode}`).to.equal(opcodes.has(opcode));
      longest = Math.max(longest, headerBytes(opcode));
    }
    expect(longest).to.equal(TRANSPORT_HEADER_BYTES_MAX);
  });
});

describe('decodeHeaders', () => {
  it('reads what adapters sent', () => {
    // Captured from ConnectX adapters; facts of scapy's test/contrib/roce.uts.
    const write = bytes(`0a 70 ff ff 00 00 01 0a 80 a7 88 bc  00 00 55 d4 c0 72 60 00 00 00 47 b3 00 00 00 05
      00 00 00 00 01 00 00 00`);
    const acknowledge = bytes('11 40 ff ff 00 00 01 09 00 a7 88 c0  00 00 00 05');
    const packet = new Packet();
    expect(decodeHeaders(write, 0, write.length, packet)).to.equal(0);
    expect(packet).to.include({ opcode: Opcode.RC_RDMA_WRITE_ONLY, migReq: 1, padCount: 3, ackReq: 1 });
    expect(packet).to.include({ destQpn: 0x10a, psn: 0xa788bc, vaHi: 0x55d4, rkey: 0x47b3, dmaLength: 5 });
    expect(packet).to.include({ vaLo: 0xc0726000 | 0, payloadAt: 28, payloadLength: 5 });
    expect(decodeHeaders(acknowledge, 0, acknowledge.length, packet)).to.equal(0);
    expect(packet).to.include({ opcode: Opcode.RC_ACKNOWLEDGE, destQpn: 0x109, ackReq: 0, psn: 0xa788c0 });
    expect(packet).to.include({ syndrome: 0, msn: 5, payloadLength: 0 });
  });

  const decode = (wire: string): number => {
    const u8 = bytes(wire);
    return decodeHeaders(u8, 0, u8.length, new Packet());
  };

  it('leaves the pad out of the payload', () => {
    const packet = new Packet();
    const u8 = bytes('24 30 ff ff  00 00 00 01  00 00 00 02  aa 00 00 00');
    expect(decodeHeaders(u8, 0, u8.length, packet)).to.equal(0);
    expect([packet.payloadAt, packet.payloadLength, packet.padCount]).to.deep.equal([12, 1, 3]);
  });

  it('does not look at reserved bits', () => {
    const packet = new Packet();
    const u8 = bytes('11 00 ff ff  3f 00 00 01  7f 00 00 02  00 00 00 00');
    expect(decodeHeaders(u8, 0, u8.length, packet)).to.equal(0);
    expect([packet.fecn, packet.becn, packet.ackReq, packet.destQpn, packet.psn]).to.deep.equal([0, 0, 0, 1, 2]);
  });

  it('tells what is wrong', () => {
    expect(decode('')).to.equal(DecodeError.TRUNCATED);
    expect(decode('04 00 ff ff  00 00 00 01  00 00 00')).to.equal(DecodeError.TRUNCATED);
    expect(decode('0a 00 ff ff  00 00 00 01  00 00 00 02  00 00 00 00')).to.equal(DecodeError.TRUNCATED);
    expect(decode('15 00 ff ff  00 00 00 01  00 00 00 02')).to.equal(DecodeError.BAD_OPCODE);
    expect(decode('44 00 ff ff  00 00 00 01  00 00 00 02')).to.equal(DecodeError.BAD_OPCODE);
    expect(decode('04 01 ff ff  00 00 00 01  00 00 00 02')).to.equal(DecodeError.BAD_VERSION);
    expect(decode('04 10 ff ff  00 00 00 01  00 00 00 02')).to.equal(DecodeError.BAD_PAD);
    expect(decode('04 00 ff ff  00 00 00 01  00 00 00 02  00')).to.equal(DecodeError.BAD_PAD);
    expect(decode('11 00 ff ff  00 00 00 01  00 00 00 02  00 00 00 00  00 00 00 00')).to.equal(
      DecodeError.UNEXPECTED_PAYLOAD,
    );
  });
});
