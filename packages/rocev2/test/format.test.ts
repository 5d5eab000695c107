import { expect } from 'chai';
import { formatDecodeError } from '../src/decode-error.ts';
import { formatFrame } from '../src/format.ts';
import { Opcode } from '../src/opcodes.ts';
import { Packet } from '../src/packet.ts';
import { UdpIp } from '../src/udp-ip-fields.ts';
import { writeFrame } from './support/frame.ts';
import { CAPTURED_CNP, KNOWN_FRAMES, word } from './support/known-frames.ts';

const udpIp = Object.assign(new UdpIp(), {
  source0: word(0xfe, 0x80, 0, 0),
  source3: word(0, 0, 0, 1),
  destination0: word(0xfe, 0x80, 0, 0),
  destination3: word(0, 0, 0, 2),
});
const FROM_TO = 'IP6 fe80::1 > fe80::2: ';
const RKEY = { vaHi: 0x1000, vaLo: 0x2000, rkey: 0xf0001a07 | 0 };

const u8 = new Uint8Array(400);

/** A frame with these fields, in words. */
function format(fields: Partial<Packet>, payloadLength = 0): string {
  const packet = Object.assign(new Packet(), { pkey: 0xffff, destQpn: 0x11, psn: 5 }, fields);
  packet.padCount = -payloadLength & 3;
  const end = writeFrame(u8, 1, udpIp, packet, new Uint8Array(payloadLength + packet.padCount));
  return formatFrame(u8, 1, end);
}

describe('formatFrame', () => {
  it('says what a packet is, in a line', () => {
    const lines = [
      format({ opcode: Opcode.RC_SEND_FIRST }, 64),
      format({ opcode: Opcode.RC_RDMA_WRITE_ONLY, ...RKEY, dmaLength: 5, ackReq: 1 }, 5),
      format({ opcode: Opcode.RC_RDMA_READ_REQUEST, ...RKEY, dmaLength: 0x80000000 | 0, pkey: 0x8001 }),
      format({ opcode: Opcode.RC_RDMA_READ_RESPONSE_FIRST, syndrome: 0x1f, msn: 3 }, 100),
      format({ opcode: Opcode.RC_ACKNOWLEDGE, syndrome: 0x62, msn: 3 }),
      format({ opcode: Opcode.RC_COMPARE_SWAP, ...RKEY, swapLo: 1, compareLo: -1 }),
      format({ opcode: Opcode.XRC_FETCH_ADD, ...RKEY, swapLo: 1, xrcSrqn: 0x33 }),
      format({ opcode: Opcode.RC_ATOMIC_ACKNOWLEDGE, originalHi: -1, originalLo: 2, syndrome: 1 }),
      format({ opcode: Opcode.RC_SEND_ONLY_WITH_IMMEDIATE, imm: -2, solicited: 1 }),
      format({ opcode: Opcode.RC_SEND_ONLY_WITH_INVALIDATE, invalidateRkey: 0x1a07 }),
      format({ opcode: Opcode.UD_SEND_ONLY, qkey: 0x80010000 | 0, srcQpn: 1, fecn: 1 }, 256),
      format({ opcode: Opcode.RC_FLUSH, ...RKEY, placement: 3, dmaLength: 8 }),
      format({ opcode: Opcode.RC_FLUSH, ...RKEY, selectivity: 1 }),
      format({ opcode: Opcode.CNP, becn: 1 }),
    ];
    const at = 'va 0x0000100000002000, rkey 0xf0001a07';
    expect(lines).to.deep.equal(
      [
        'RC_SEND_FIRST, qpn 0x11, psn 5, payload 64',
        `RC_RDMA_WRITE_ONLY, qpn 0x11, psn 5, ackreq, ${at}, dma length 5, payload 5`,
        `RC_RDMA_READ_REQUEST, qpn 0x11, psn 5, pkey 0x8001, ${at}, dma length 2147483648`,
        'RC_RDMA_READ_RESPONSE_FIRST, qpn 0x11, psn 5, ACK, msn 3, payload 100',
        'RC_ACKNOWLEDGE, qpn 0x11, psn 5, NAK remote access error, msn 3',
        `RC_COMPARE_SWAP, qpn 0x11, psn 5, ${at}, compare 0x00000000ffffffff, swap 0x0000000000000001`,
        `XRC_FETCH_ADD, qpn 0x11, psn 5, srqn 0x33, ${at}, add 0x0000000000000001`,
        'RC_ATOMIC_ACKNOWLEDGE, qpn 0x11, psn 5, ACK, credits 1, msn 0, original 0xffffffff00000002',
        'RC_SEND_ONLY_WITH_IMMEDIATE, qpn 0x11, psn 5, solicited, imm 0xfffffffe',
        'RC_SEND_ONLY_WITH_INVALIDATE, qpn 0x11, psn 5, invalidate 0x1a07',
        'UD_SEND_ONLY, qpn 0x11, psn 5, fecn, qkey 0x80010000, src qpn 0x1, payload 256',
        `RC_FLUSH, qpn 0x11, psn 5, flush range, global visibility and persistence, ${at}, dma length 8`,
        `RC_FLUSH, qpn 0x11, psn 5, flush mr, no placement, ${at}, dma length 0`,
        'CNP, qpn 0x11, psn 5, becn',
      ].map((line) => FROM_TO + line),
    );
  });

  it('says what is known of captured frames', () => {
    expect(formatFrame(CAPTURED_CNP, 0, CAPTURED_CNP.length)).to.equal(
      'IP 10.0.17.1 > 10.0.18.1: CNP, qpn 0x118, psn 0, becn',
    );
    const [{ udpIp: known, packet, payload }] = KNOWN_FRAMES;
    expect(formatFrame(u8, 0, writeFrame(u8, 0, known, packet, payload))).to.equal(
      'IP 192.168.0.7 > 192.168.0.7: UC_SEND_ONLY, qpn 0xd3, psn 13571856, payload 18',
    );
  });

  it('says what is wrong', () => {
    const end = writeFrame(
      u8,
      0,
      udpIp,
      Object.assign(new Packet(), { opcode: Opcode.RC_SEND_ONLY }),
      new Uint8Array(),
    );
    u8[end - 1] ^= 1;
    expect(formatFrame(u8, 0, end)).to.equal(`${FROM_TO}RC_SEND_ONLY, qpn 0x0, psn 0, pkey 0x0, bad ICRC`);
    u8[48] = 0xff;
    expect(formatFrame(u8, 0, end)).to.equal(`${FROM_TO}bad packet: unknown opcode, 12 bytes, bad ICRC`);
    expect(formatFrame(u8, 0, end - 1)).to.equal('not RoCEv2: truncated, 63 bytes');
    u8[6] = 6;
    expect(formatFrame(u8, 0, end)).to.equal('not RoCEv2: not UDP, 64 bytes');
    expect(formatDecodeError(-99)).to.equal('error -99');
  });
});
