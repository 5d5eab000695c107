import { expect } from 'chai';
import fc from 'fast-check';
import { checkIcrc, icrc } from '../src/icrc.ts';
import { Packet } from '../src/packet.ts';
import { decodeHeaders } from '../src/transport-headers.ts';
import { UdpIp } from '../src/udp-ip-fields.ts';
import { decodeUdpIp } from '../src/udp-ip.ts';
import { dump } from './support/bytes.ts';
import { writeFrame } from './support/frame.ts';
import { CAPTURED_CNP, KNOWN_FRAMES } from './support/known-frames.ts';

/** Every field that may change on the way is made ones, then comes the CRC-32 bit by bit. */
function plainIcrc(frame: Uint8Array): number {
  const masked = Uint8Array.from(frame);
  const udp = frame[0] >>> 4 === 6 ? 40 : 20;
  const fields = udp === 40 ? [1, 2, 3, 7] : [1, 8, 10, 11];
  if (udp === 40) masked[0] |= 0x0f;
  for (const n of [...fields, udp + 6, udp + 7, udp + 8 + 4]) masked[n] = 0xff;
  let crc = -1;
  for (const byte of [...new Uint8Array(8).fill(0xff), ...masked]) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 0 ? 0 : 0xedb88320);
  }
  return ~crc;
}

const frames = fc
  .tuple(fc.constantFrom(0x45, 0x60), fc.uint8Array({ minLength: 60, maxLength: 200 }))
  .map(([first, rest]) => Uint8Array.of(first, ...rest));

describe('ICRC', () => {
  for (const { name, udpIp, packet, payload, udpChecksum, icrc: expected } of KNOWN_FRAMES) {
    it(`is the known one: ${name}`, () => {
      const u8 = new Uint8Array(200);
      const end = writeFrame(u8, 3, udpIp, packet, payload);
      expect(dump(u8, end - 4, end)).to.equal(expected);

      const udp = 3 + (udpIp.version === 4 ? 20 : 40);
      u8[udp + 6] = udpChecksum >>> 8;
      u8[udp + 7] = udpChecksum;
      expect(checkIcrc(u8, 3, end - 4)).to.be.true;
    });
  }

  it('is the one that an adapter computed', () => {
    expect(checkIcrc(CAPTURED_CNP, 0, CAPTURED_CNP.length - 4)).to.be.true;
  });

  it('is that of the definition, and changes nothing in memory', () => {
    fc.assert(
      fc.property(frames, fc.integer({ min: 0, max: 7 }), (frame, at) => {
        const u8 = new Uint8Array(at + frame.length);
        u8.set(frame, at);
        expect(icrc(u8, at, u8.length)).to.equal(plainIcrc(frame));
        expect(dump(u8, at)).to.equal(dump(frame));
      }),
    );
  });

  it('does not see what routers change, and sees every other bit', () => {
    for (const { udpIp, packet, payload } of KNOWN_FRAMES) {
      const u8 = new Uint8Array(200);
      const end = writeFrame(u8, 0, udpIp, packet, payload) - 4;
      const unseen: string[] = [];
      for (let bit = 0; bit < 8 * (end + 4); bit++) {
        u8[bit >>> 3] ^= 0x80 >>> (bit & 7);
        const version = u8[0] >>> 4;
        if (version === udpIp.version && checkIcrc(u8, 0, end)) unseen.push(`${bit >>> 3}.${bit & 7}`);
        u8[bit >>> 3] ^= 0x80 >>> (bit & 7);
      }
      const of = (byte: number, from = 0): string[] => [...Array(8).keys()].slice(from).map((n) => `${byte}.${n}`);
      const expected =
        udpIp.version === 4
          ? [of(1), of(8), of(10), of(11), of(26), of(27), of(32)]
          : [of(0, 4), of(1), of(2), of(3), of(7), of(46), of(47), of(52)];
      expect(unseen).to.deep.equal(expected.flat());
    }
  });

  it('is missing from what is too short for it', () => {
    for (let length = 0; length < 40; length++) {
      const u8 = new Uint8Array(length + 4).fill(0x45);
      expect(checkIcrc(u8, 0, length), `${length} bytes`).to.be.false;
    }
  });

  it('and all headers work at the end of 4 GiB of shared memory', () => {
    const u8 = new Uint8Array(new SharedArrayBuffer(2 ** 32));
    for (const { udpIp, packet, payload, icrc: expected } of KNOWN_FRAMES) {
      const at = 2 ** 32 - writeFrame(new Uint8Array(200), 0, udpIp, packet, payload);
      expect(writeFrame(u8, at, udpIp, packet, payload)).to.equal(2 ** 32);
      expect(dump(u8, 2 ** 32 - 4, 2 ** 32)).to.equal(expected);
      expect(checkIcrc(u8, at, 2 ** 32 - 4)).to.be.true;
      const decoded = new UdpIp();
      const bthAt = decodeUdpIp(u8, at, 2 ** 32, decoded);
      expect(decoded).to.deep.equal(udpIp);
      expect(decodeHeaders(u8, bthAt, 2 ** 32 - 4, new Packet())).to.equal(0);
    }
  });
});
