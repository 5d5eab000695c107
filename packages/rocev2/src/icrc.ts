/**
 * ICRC: the CRC of all that no switch or router changes (IBTA 7.8.1, annex A17.3.3).
 *
 * It is the CRC-32 of Ethernet over eight bytes of ones, which stand for the LRH that RoCE has not, and the frame, in which fields that
 * may change count as ones. Nothing in memory is changed for that: the words of such fields are ored on their way.
 */
import { BTH_BYTES } from './bth.ts';
import { IPV4_HEADER_BYTES } from './ipv4.ts';
import { IPV6_HEADER_BYTES } from './ipv6.ts';
import { load32Little, store32Little } from './little-endian.ts';
import { UDP_HEADER_BYTES } from './udp.ts';

/** The polynomial of Ethernet, reflected. */
const POLYNOMIAL = 0xedb88320;
/** The state after eight bytes of ones. */
const SEED = 0xdebb20e3 | 0;

/** Fields that count as ones, in words as {@link load32Little} has them. */
const Ones = {
  /** Traffic class and flow label; the version stays. */
  IPV6_FLOW: 0xffffff0f | 0,
  IPV6_HOP_LIMIT: 0xff000000 | 0,
  IPV4_TOS: 0x0000ff00,
  /** TTL and header checksum. */
  IPV4_TTL_CHECKSUM: 0xffff00ff | 0,
  UDP_CHECKSUM: 0xffff0000 | 0,
  /** FECN, BECN and six reserved bits. */
  BTH_CONGESTION: 0x000000ff,
} as const;

/** Bytes at a time. */
const SLICES = 16;
/** What a byte that is n bytes before the last adds to the CRC, at 256 * n. */
const TABLE = makeTable();

/**
 * The ICRC of a frame.
 *
 * @param u8 the memory
 * @param at where the IP header starts, at most 2^32 - 1; headers up to the BTH have to be there
 * @param end where the ICRC starts
 * @returns an int32 word, whose least significant byte goes first on the wire
 */
export function icrc(u8: Uint8Array, at: number, end: number): number {
  return ~(u8[at] >>> 4 === 6 ? ofIpv6(u8, at, end) : ofIpv4(u8, at, end));
}

/** Writes the ICRC of the frame that starts at `at` and, without it, ends at `end`: 4 bytes there. */
export function storeIcrc(u8: Uint8Array, at: number, end: number): void {
  store32Little(u8, end, icrc(u8, at, end));
}

/** Whether the 4 bytes at `end` are the ICRC of the frame that starts at `at`. Too short a frame has none. */
export function checkIcrc(u8: Uint8Array, at: number, end: number): boolean {
  if (end <= at) return false;
  const ipBytes = u8[at] >>> 4 === 6 ? IPV6_HEADER_BYTES : IPV4_HEADER_BYTES;
  if (end - at < ipBytes + UDP_HEADER_BYTES + BTH_BYTES) return false;
  return load32Little(u8, end) === icrc(u8, at, end);
}

function ofIpv6(u8: Uint8Array, at: number, end: number): number {
  let crc = addWord(SEED, load32Little(u8, at) | Ones.IPV6_FLOW);
  crc = addWord(crc, load32Little(u8, at + 4) | Ones.IPV6_HOP_LIMIT);
  crc = addBytes(crc, u8, at + 8, at + IPV6_HEADER_BYTES);
  return ofUdp(crc, u8, at + IPV6_HEADER_BYTES, end);
}

function ofIpv4(u8: Uint8Array, at: number, end: number): number {
  let crc = addWord(SEED, load32Little(u8, at) | Ones.IPV4_TOS);
  crc = addWord(crc, load32Little(u8, at + 4));
  crc = addWord(crc, load32Little(u8, at + 8) | Ones.IPV4_TTL_CHECKSUM);
  crc = addWord(crc, load32Little(u8, at + 12));
  crc = addWord(crc, load32Little(u8, at + 16));
  return ofUdp(crc, u8, at + IPV4_HEADER_BYTES, end);
}

function ofUdp(crc: number, u8: Uint8Array, at: number, end: number): number {
  crc = addWord(crc, load32Little(u8, at));
  crc = addWord(crc, load32Little(u8, at + 4) | Ones.UDP_CHECKSUM);
  crc = addWord(crc, load32Little(u8, at + 8));
  crc = addWord(crc, load32Little(u8, at + 12) | Ones.BTH_CONGESTION);
  return addBytes(crc, u8, at + 16, end);
}

function addWord(crc: number, word: number): number {
  const x = crc ^ word;
  return TABLE[768 + (x & 0xff)] ^ TABLE[512 + ((x >>> 8) & 0xff)] ^ TABLE[256 + ((x >>> 16) & 0xff)] ^ TABLE[x >>> 24];
}

/**
 * Sixteen bytes a turn, each through its own table ("slicing"). The shifts of indices tell V8 that they are 32 bits wide: without them,
 * offsets above 2 GiB make them doubles, and all calls three times as slow.
 */
function addBytes(crc: number, u8: Uint8Array, at: number, end: number): number {
  let n = at >>> 0;
  let rest = end - at;
  for (; rest >= SLICES; rest -= SLICES) {
    crc =
      TABLE[3840 + ((u8[n] ^ crc) & 0xff)] ^
      TABLE[3584 + ((u8[(n + 1) >>> 0] ^ (crc >>> 8)) & 0xff)] ^
      TABLE[3328 + ((u8[(n + 2) >>> 0] ^ (crc >>> 16)) & 0xff)] ^
      TABLE[3072 + (u8[(n + 3) >>> 0] ^ (crc >>> 24))] ^
      TABLE[2816 + u8[(n + 4) >>> 0]] ^
      TABLE[2560 + u8[(n + 5) >>> 0]] ^
      TABLE[2304 + u8[(n + 6) >>> 0]] ^
      TABLE[2048 + u8[(n + 7) >>> 0]] ^
      TABLE[1792 + u8[(n + 8) >>> 0]] ^
      TABLE[1536 + u8[(n + 9) >>> 0]] ^
      TABLE[1280 + u8[(n + 10) >>> 0]] ^
      TABLE[1024 + u8[(n + 11) >>> 0]] ^
      TABLE[768 + u8[(n + 12) >>> 0]] ^
      TABLE[512 + u8[(n + 13) >>> 0]] ^
      TABLE[256 + u8[(n + 14) >>> 0]] ^
      TABLE[u8[(n + 15) >>> 0]];
    n = (n + SLICES) >>> 0;
  }
  for (; rest > 0; rest--) {
    crc = (crc >>> 8) ^ TABLE[(crc ^ u8[n]) & 0xff];
    n = (n + 1) >>> 0;
  }
  return crc;
}

function makeTable(): Int32Array {
  const table = new Int32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ POLYNOMIAL;
    table[byte] = crc;
  }
  for (let n = 256; n < table.length; n++) {
    const previous = table[n - 256];
    table[n] = (previous >>> 8) ^ table[previous & 0xff];
  }
  return table;
}
