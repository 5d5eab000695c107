/** Frames whose bytes and ICRC are known from elsewhere (facts of scapy's test/contrib/roce.uts). */
import { Opcode } from '../../src/opcodes.ts';
import { Packet } from '../../src/packet.ts';
import { UdpIp } from '../../src/udp-ip-fields.ts';
import { bytes } from './bytes.ts';

/** A UC SEND of 18 bytes, with its pad. */
const PAYLOAD = bytes('46 30 81 8b e2 89 35 d9 0e 9a 95 50 54 01 be 88 5e 50 00 00');

/** What a frame is made of. `udpChecksum` is on the wire, though this codec sends none. */
export interface KnownFrame {
  readonly name: string;
  readonly udpIp: UdpIp;
  readonly packet: Packet;
  readonly payload: Uint8Array;
  readonly udpChecksum: number;
  /** The four bytes of the wire. */
  readonly icrc: string;
}

const ucSend = Object.assign(new Packet(), {
  opcode: Opcode.UC_SEND_ONLY,
  migReq: 1,
  padCount: 2,
  pkey: 0xffff,
  destQpn: 211,
  psn: 13571856,
});

export const KNOWN_FRAMES: readonly KnownFrame[] = [
  {
    name: 'UC SEND over IPv4',
    udpIp: Object.assign(new UdpIp(), {
      version: 4,
      trafficClass: 1,
      identification: 1144,
      hopLimit: 64,
      source2: 0xffff0000 | 0,
      source3: word(192, 168, 0, 7),
      destination2: 0xffff0000 | 0,
      destination3: word(192, 168, 0, 7),
      sourcePort: 49152,
      udpLength: 44,
    }),
    packet: ucSend,
    payload: PAYLOAD,
    udpChecksum: 0xaca2,
    icrc: '78 f3 53 f3',
  },
  {
    name: 'UC SEND over IPv6',
    udpIp: Object.assign(new UdpIp(), {
      trafficClass: 226,
      flowLabel: 0x1face,
      hopLimit: 255,
      source0: word(0x20, 0x22, 0, 0),
      source3: word(0, 0, 0x10, 0x23),
      destination0: word(0x20, 0x23, 0, 0),
      destination3: word(0, 0, 0x10, 0x24),
      sourcePort: 49152,
      udpLength: 44,
    }),
    packet: ucSend,
    payload: PAYLOAD,
    udpChecksum: 0xe7c5,
    icrc: '3e 5b 74 3b',
  },
  {
    name: 'CNP of a ConnectX-4 Lx',
    udpIp: Object.assign(new UdpIp(), {
      version: 4,
      trafficClass: 0xc2,
      identification: 0x718c,
      hopLimit: 64,
      source2: 0xffff0000 | 0,
      source3: word(10, 0, 17, 1),
      destination2: 0xffff0000 | 0,
      destination3: word(10, 0, 18, 1),
      sourcePort: 0,
      udpLength: 40,
    }),
    packet: Object.assign(new Packet(), { opcode: Opcode.CNP, pkey: 0xffff, becn: 1, destQpn: 0x118 }),
    payload: new Uint8Array(),
    udpChecksum: 0,
    icrc: '82 fd 00 2a',
  },
];

/** The same CNP as it was captured, with Ethernet's header taken away. */
export const CAPTURED_CNP = bytes(`
  45c2 003c 718c 4000 4011 9161 0a00 1101 0a00 1201
  0000 12b7 0028 0000
  8100 ffff 4000 0118 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000
  82fd 002a`);

/** Four bytes of an address as a word of memory. */
export function word(...part: [number, number, number, number]): number {
  return part[0] | (part[1] << 8) | (part[2] << 16) | (part[3] << 24);
}
