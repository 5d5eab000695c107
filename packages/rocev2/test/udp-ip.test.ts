import { expect } from 'chai';
import { DecodeError } from '../src/decode-error.ts';
import { TRANSPORT_HEADER_BYTES_MAX } from '../src/transport-headers.ts';
import { UdpIp } from '../src/udp-ip-fields.ts';
import {
  decodeUdpIp,
  encodeIpv4Udp,
  encodeIpv6Udp,
  encodeUdpIp,
  formatUdpIp,
  FRAME_HEADER_BYTES_MAX,
  icrcOffset,
} from '../src/udp-ip.ts';
import { bytes, dump } from './support/bytes.ts';
import { CAPTURED_CNP, KNOWN_FRAMES, word } from './support/known-frames.ts';

/** The headers of the known frames as their bytes; checksums of UDP are 0. */
const LITERALS = [
  '45 01 00 40 04 78 40 00 40 11 b4 d5 c0 a8 00 07 c0 a8 00 07  c0 00 12 b7 00 2c 00 00',
  `6e 21 fa ce 00 2c 11 ff  20 22 00 00 00 00 00 00 00 00 00 00 00 00 10 23  20 23 00 00 00 00 00 00 00 00 00 00 00 00 10 24
   c0 00 12 b7 00 2c 00 00`,
  '45 c2 00 3c 71 8c 40 00 40 11 91 61 0a 00 11 01 0a 00 12 01  00 00 12 b7 00 28 00 00',
];

const AT = 3;

/** Headers, and room behind them for what their length promises. */
function frame(wire: string, behind = 36): Uint8Array {
  const headers = bytes(wire);
  const u8 = new Uint8Array(AT + headers.length + behind);
  u8.set(headers, AT);
  return u8;
}

describe('IP and UDP headers', () => {
  for (const [n, { name, udpIp }] of KNOWN_FRAMES.entries()) {
    const expected = bytes(LITERALS[n]);

    it(`are encoded: ${name}`, () => {
      const u8 = new Uint8Array(AT + expected.length + 4).fill(0xee);
      expect(encodeUdpIp(u8, AT, udpIp)).to.equal(AT + expected.length);
      expect(dump(u8, AT, AT + expected.length)).to.equal(dump(expected));
      expect(dump(u8, AT + expected.length)).to.equal('ee ee ee ee');
      const encode = udpIp.version === 4 ? encodeIpv4Udp : encodeIpv6Udp;
      expect(encode(u8, AT, udpIp)).to.equal(AT + expected.length);
    });

    it(`are decoded: ${name}`, () => {
      const u8 = frame(LITERALS[n]);
      const decoded = Object.assign(new UdpIp(), { source0: -1, destination1: -1, flowLabel: -1, identification: -1 });
      expect(decodeUdpIp(u8, AT, u8.length, decoded)).to.equal(AT + expected.length);
      expect(decoded).to.deep.equal(udpIp);
    });
  }

  it('say where the ICRC is, whatever Ethernet added', () => {
    const udpIp = new UdpIp();
    const u8 = new Uint8Array(CAPTURED_CNP.length + 10);
    u8.set(CAPTURED_CNP);
    const bthAt = decodeUdpIp(u8, 0, u8.length, udpIp);
    expect([bthAt, icrcOffset(bthAt, udpIp)]).to.deep.equal([28, CAPTURED_CNP.length - 4]);
  });

  it('take as much room as they say', () => {
    expect(FRAME_HEADER_BYTES_MAX).to.equal(48 + TRANSPORT_HEADER_BYTES_MAX);
  });

  it('print as tcpdump prints them', () => {
    const table: readonly (readonly [string, number, number, number, number])[] = [
      ['fe80::1', word(0xfe, 0x80, 0, 0), 0, 0, word(0, 0, 0, 1)],
      ['::', 0, 0, 0, 0],
      ['1::', word(0, 1, 0, 0), 0, 0, 0],
      ['1:0:2:3:4:5:6:7', word(0, 1, 0, 0), word(0, 2, 0, 3), word(0, 4, 0, 5), word(0, 6, 0, 7)],
      ['1:0:0:2::3', word(0, 1, 0, 0), word(0, 0, 0, 2), 0, word(0, 0, 0, 3)],
      ['1::2:0:0:3:4', word(0, 1, 0, 0), word(0, 0, 0, 2), 0, word(0, 3, 0, 4)],
    ];
    for (const [text, source0, source1, source2, source3] of table) {
      const udpIp = Object.assign(new UdpIp(), { source0, source1, source2, source3 });
      expect(formatUdpIp(udpIp)).to.equal(`IP6 ${text} > ::`);
    }
    expect(formatUdpIp(KNOWN_FRAMES[0].udpIp)).to.equal('IP 192.168.0.7 > 192.168.0.7');
  });
});

describe('decodeUdpIp', () => {
  const udpIp = new UdpIp();
  const IPV4 = 0;
  const IPV6 = 1;
  /** What decoding answers after bytes from `offset` on were replaced. IPv4 gets a new checksum, unless that is what is changed. */
  function decode(which: number, offset: number, change: string): number {
    const u8 = frame(LITERALS[which]);
    u8.set(bytes(change), AT + offset);
    if (which === IPV4 && offset !== 10) {
      u8.fill(0, AT + 10, AT + 12);
      let sum = 0;
      for (let n = AT; n < AT + 20; n += 2) sum += (u8[n] << 8) | u8[n + 1];
      sum = ~((sum & 0xffff) + (sum >>> 16));
      u8.set([sum >>> 8, sum], AT + 10);
    }
    return decodeUdpIp(u8, AT, u8.length, udpIp);
  }

  it('tells what is wrong', () => {
    expect(decode(IPV4, 0, '55')).to.equal(DecodeError.BAD_VERSION);
    expect(decode(IPV4, 0, '46')).to.equal(DecodeError.BAD_HEADER_LENGTH);
    expect(decode(IPV4, 0, '44')).to.equal(DecodeError.BAD_HEADER_LENGTH);
    expect(decode(IPV4, 2, '00 41')).to.equal(DecodeError.BAD_LENGTH);
    expect(decode(IPV4, 2, '00 00')).to.equal(DecodeError.BAD_LENGTH);
    expect(decode(IPV4, 6, '20 00')).to.equal(DecodeError.FRAGMENT);
    expect(decode(IPV4, 6, '00 01')).to.equal(DecodeError.FRAGMENT);
    expect(decode(IPV4, 9, '06')).to.equal(DecodeError.NOT_UDP);
    expect(decode(IPV4, 10, 'b4 d4')).to.equal(DecodeError.BAD_CHECKSUM);
    expect(decode(IPV4, 22, '12 b6')).to.equal(DecodeError.BAD_PORT);
    expect(decode(IPV6, 6, '2c')).to.equal(DecodeError.NOT_UDP);
    expect(decode(IPV6, 4, '00 2b')).to.equal(DecodeError.BAD_LENGTH);
    expect(decode(IPV6, 44, '00 2d')).to.equal(DecodeError.BAD_LENGTH);
  });

  it('takes an IPv4 frame that may be fragmented, as long as it is not', () => {
    expect(decode(IPV4, 6, '00 00')).to.equal(AT + 28);
  });

  it('wants room for BTH and ICRC', () => {
    for (const length of [0, 7, 8, 23]) {
      const u8 = frame(LITERALS[IPV6]);
      u8[AT + 5] = u8[AT + 45] = length;
      expect(decodeUdpIp(u8, AT, u8.length, udpIp), `${length} bytes`).to.equal(DecodeError.BAD_LENGTH);
    }
    const u8 = frame(LITERALS[IPV6]);
    u8[AT + 5] = u8[AT + 45] = 24;
    expect(decodeUdpIp(u8, AT, u8.length, udpIp)).to.equal(AT + 48);
  });

  it('misses every byte', () => {
    for (const [n, { udpIp: known }] of KNOWN_FRAMES.entries()) {
      const headers = known.version === 4 ? 20 : 40;
      for (let length = 0; length < headers + known.udpLength; length++) {
        const u8 = frame(LITERALS[n]);
        expect(decodeUdpIp(u8, AT, AT + length, udpIp), `${length} bytes`).to.equal(DecodeError.TRUNCATED);
      }
    }
  });
});
