import { expect } from 'chai';
import fc from 'fast-check';
import { formatDecodeError, DecodeError } from '../src/decode-error.ts';
import { formatFrame } from '../src/format.ts';
import { checkIcrc } from '../src/icrc.ts';
import { Opcode, OPCODE_INFO, OpcodeFlag } from '../src/opcodes.ts';
import { Packet } from '../src/packet.ts';
import { decodeHeaders, TRANSPORT_HEADER_BYTES_MAX } from '../src/transport-headers.ts';
import { UdpIp } from '../src/udp-ip-fields.ts';
import { decodeUdpIp, icrcOffset } from '../src/udp-ip.ts';
import { dump } from './support/bytes.ts';
import { writeFrame } from './support/frame.ts';

const bits = (count: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: 2 ** count - 1 });
const words = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const opcodes = fc.constantFrom(...Object.values(Opcode));

/** The fields of each header. A packet that is decoded has those of its headers, and no other. */
const FIELDS = {
  VALID: {
    solicited: bits(1),
    migReq: bits(1),
    pkey: bits(16),
    fecn: bits(1),
    becn: bits(1),
    destQpn: bits(24),
    ackReq: bits(1),
    psn: bits(24),
  },
  HAS_DETH: { qkey: words, srcQpn: bits(24) },
  HAS_XRCETH: { xrcSrqn: bits(24) },
  HAS_FETH: { selectivity: bits(2), placement: bits(4) },
  HAS_RETH: { vaHi: words, vaLo: words, rkey: words, dmaLength: words },
  HAS_ATOMIC_ETH: {
    vaHi: words,
    vaLo: words,
    rkey: words,
    swapHi: words,
    swapLo: words,
    compareHi: words,
    compareLo: words,
  },
  HAS_AETH: { syndrome: bits(8), msn: bits(24) },
  HAS_ATOMIC_ACK_ETH: { originalHi: words, originalLo: words },
  HAS_IMM: { imm: words },
  HAS_IETH: { invalidateRkey: words },
} as const;

const packets = opcodes.chain((opcode) => {
  const fields: Record<string, fc.Arbitrary<number>> = { opcode: fc.constant(opcode) };
  for (const [flag, header] of Object.entries(FIELDS)) {
    if ((OPCODE_INFO[opcode] & OpcodeFlag[flag as keyof typeof FIELDS]) !== 0) Object.assign(fields, header);
  }
  return fc.record(fields).map((record) => Object.assign(new Packet(), record));
});

const address = { source0: words, source1: words, source2: words, source3: words };
const addresses = fc.record({
  trafficClass: bits(8),
  flowLabel: bits(20),
  hopLimit: bits(8),
  identification: bits(16),
  sourcePort: bits(16),
  ...address,
  destination0: words,
  destination1: words,
  destination2: words,
  destination3: words,
});
const udpIps = fc.tuple(fc.constantFrom(4, 6), addresses).map(([version, record]) => {
  const udpIp = Object.assign(new UdpIp(), record, { version });
  if (version === 6) return Object.assign(udpIp, { identification: 0 });
  const mapped = 0xffff0000 | 0;
  const upper = { source0: 0, source1: 0, source2: mapped, destination0: 0, destination1: 0, destination2: mapped };
  return Object.assign(udpIp, upper, { flowLabel: 0 });
});

/** A `Uint8Array` that throws when a byte outside of `at .. end` is touched. */
function guarded(u8: Uint8Array, at: number, end: number): Uint8Array {
  return new Proxy(u8, {
    get(target, key) {
      const index = Number(key);
      if (!(index >= at && index < end)) throw new Error(`read of ${String(key)}, outside of ${at} to ${end}`);
      return target[index];
    },
    set(_, key) {
      throw new Error(`write of ${String(key)}`);
    },
  });
}

/** Does with a frame all that there is to do. The results matter to nobody. */
function readEverything(u8: Uint8Array, at: number, end: number): void {
  const udpIp = new UdpIp();
  const bthAt = decodeUdpIp(u8, at, end, udpIp);
  if (bthAt >= 0) {
    const icrcAt = icrcOffset(bthAt, udpIp);
    expect(icrcAt).to.be.within(bthAt + 12, end - 4);
    checkIcrc(u8, at, icrcAt);
    const packet = new Packet();
    if (decodeHeaders(u8, bthAt, icrcAt, packet) === 0) {
      expect(packet.payloadAt + packet.payloadLength + packet.padCount).to.equal(icrcAt);
      expect(packet.payloadLength).to.be.at.least(0);
    }
  } else {
    expect(formatDecodeError(bthAt)).not.to.match(/^error/);
  }
  expect(formatFrame(u8, at, end)).to.be.a('string');
}

describe('codec', () => {
  it('gives back what it was given, for every opcode', () => {
    fc.assert(
      fc.property(udpIps, packets, fc.uint8Array({ maxLength: 64 }), bits(4), (udpIp, packet, bytes, at) => {
        const hasPayload = (OPCODE_INFO[packet.opcode] & OpcodeFlag.HAS_PAYLOAD) !== 0;
        const payload = hasPayload ? bytes : new Uint8Array();
        packet.padCount = -payload.length & 3;
        packet.payloadLength = payload.length;
        const padded = new Uint8Array(payload.length + packet.padCount);
        padded.set(payload);
        const u8 = new Uint8Array(256).fill(0xee);
        const end = writeFrame(u8, at, udpIp, packet, padded);
        expect(u8.subarray(0, at).every((byte) => byte === 0xee)).to.be.true;
        expect(u8.subarray(end).every((byte) => byte === 0xee)).to.be.true;

        const view = guarded(u8, at, end);
        const decodedUdpIp = new UdpIp();
        const bthAt = decodeUdpIp(view, at, end, decodedUdpIp);
        expect(decodedUdpIp).to.deep.equal(udpIp);
        const icrcAt = icrcOffset(bthAt, decodedUdpIp);
        expect(icrcAt).to.equal(end - 4);
        expect(checkIcrc(view, at, icrcAt)).to.be.true;
        const decoded = new Packet();
        expect(decodeHeaders(view, bthAt, icrcAt, decoded)).to.equal(0);
        expect(decoded).to.deep.equal(packet);
        expect(dump(u8, decoded.payloadAt, decoded.payloadAt + decoded.payloadLength)).to.equal(dump(payload));
        expect(formatFrame(view, at, end)).not.to.match(/[,:] bad/);
      }),
      { numRuns: 300 },
    );
  });

  it('reads nothing outside of the frame, and throws for no bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), bits(4), bits(4), (bytes, before, behind) => {
        const u8 = new Uint8Array(before + bytes.length + behind);
        u8.set(bytes, before);
        readEverything(guarded(u8, before, before + bytes.length), before, before + bytes.length);
      }),
    );
  });

  it('reads nothing outside of the frame, and throws for no frame that lost or changed some bytes', () => {
    const changes = fc.array(fc.tuple(bits(7), bits(8)), { maxLength: 3 });
    fc.assert(
      fc.property(udpIps, packets, changes, bits(7), (udpIp, packet, replaced, cut) => {
        const u8 = new Uint8Array(256);
        const end = Math.max(0, writeFrame(u8, 0, udpIp, packet, new Uint8Array(8)) - (cut > 100 ? cut - 100 : 0));
        for (const [at, byte] of replaced) u8[at] = byte;
        readEverything(guarded(u8, 0, end), 0, end);
      }),
      { numRuns: 300 },
    );
  });

  it('reads nothing behind the headers, for every opcode and length', () => {
    const results = new Set<number>();
    for (let opcode = 0; opcode < 256; opcode++) {
      for (let length = 0; length <= TRANSPORT_HEADER_BYTES_MAX + 1; length++) {
        const u8 = new Uint8Array(length);
        u8.set([opcode].slice(0, length));
        results.add(decodeHeaders(guarded(u8, 0, length), 0, length, new Packet()));
      }
    }
    const { TRUNCATED, BAD_OPCODE, BAD_PAD, UNEXPECTED_PAYLOAD } = DecodeError;
    expect([...results]).to.have.members([0, TRUNCATED, BAD_OPCODE, BAD_PAD, UNEXPECTED_PAYLOAD]);
  });
});
