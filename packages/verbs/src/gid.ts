/** Global identifiers: the 128-bit addresses of ports. */
import { show } from './check.ts';
import { invalid } from './errors.ts';
import type { GidType } from './enums/gid-type.ts';
import { inspectCustom } from './inspect.ts';

const GID_BYTES = 16;
const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
const GROUP = /^[\da-f]{1,4}$/i;
const NOTATION = 'write it as an IPv6 address, for example fe80::1, or an IPv4 address';

/**
 * A global identifier (`union ibv_gid`): an IPv6-like address of a port. For RoCE it is an IPv6 address, or an IPv4 address
 * mapped into one. Source: IBTA vol. 1, 4.1.1.
 *
 * @example
 * ```ts
 * import { Gid } from '@openverbs/verbs';
 *
 * const gid = Gid.parse('::ffff:192.0.2.1');
 * console.log(String(gid)); // 0000:0000:0000:0000:0000:ffff:c000:0201
 * ```
 */
export class Gid {
  /** The 16 bytes in network order. */
  readonly bytes: Uint8Array;

  /** @param bytes - 16 bytes in network order; they are copied. */
  constructor(bytes: ArrayLike<number> = new Uint8Array(GID_BYTES)) {
    if (bytes.length !== GID_BYTES) throw invalid('Gid', `a GID has ${GID_BYTES} bytes, not ${bytes.length}`);
    this.bytes = new Uint8Array(bytes);
  }

  /** Makes a GID of its two halves in host order. */
  static from(subnetPrefix: bigint, interfaceId: bigint): Gid {
    const bytes = new Uint8Array(GID_BYTES);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, subnetPrefix);
    view.setBigUint64(8, interfaceId);
    return new Gid(bytes);
  }

  /** Reads IPv6 notation, compressed or not, and IPv4 notation, which gives a mapped address. Throws EINVAL. */
  static parse(text: string): Gid {
    // An endpoint that came over the network may lack it.
    const gid = typeof text === 'string' ? gidOf(text) : undefined;
    if (gid === undefined) throw invalid('Gid.parse', `'${String(text)}' is not a GID`, NOTATION);
    return gid;
  }

  /** The upper half (`global.subnet_prefix`), in host order. */
  get subnetPrefix(): bigint {
    return new DataView(this.bytes.buffer).getBigUint64(0);
  }

  /** The lower half (`global.interface_id`), in host order. */
  get interfaceId(): bigint {
    return new DataView(this.bytes.buffer).getBigUint64(8);
  }

  /** Whether all bytes are 0, as in an unused entry of a GID table. */
  get isZero(): boolean {
    return this.bytes.every((byte) => byte === 0);
  }

  /** Whether it is a multicast address. */
  get isMulticast(): boolean {
    // A mapped IPv4 multicast group is one too: 224.0.0.0/4.
    return this.bytes[0] === 0xff || (this.isIpv4Mapped && (this.bytes[12] & 0xf0) === 0xe0);
  }

  /** Whether it is an IPv4 address, ::ffff:0:0/96. */
  get isIpv4Mapped(): boolean {
    return this.bytes.subarray(0, 10).every((byte) => byte === 0) && this.bytes[10] === 0xff && this.bytes[11] === 0xff;
  }

  /** Whether both have the same bytes. */
  equals(other: Gid): boolean {
    return this.bytes.every((byte, i) => byte === other.bytes[i]);
  }

  /** Eight groups of four digits, as `show_gids` prints it: `fe80:0000:0000:0000:0202:c9ff:fe00:0001`. */
  toString(): string {
    const hex = Array.from(this.bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    return hex.match(/.{4}/g)!.join(':');
  }

  /** As {@link Gid.toString}. */
  toJSON(): string {
    return this.toString();
  }

  /** @internal */
  [inspectCustom](): string {
    return `Gid ${this.toString()}`;
  }
}

/** An entry of a port's GID table. Source: `ibv_query_gid_ex`(3). */
export interface GidEntry {
  /** The address. */
  readonly gid: Gid;
  /** Its place in the table. */
  readonly gidIndex: number;
  /** The port, from 1. */
  readonly portNum: number;
  /** The protocol. */
  readonly gidType: GidType;
  /** Index of the network device behind it; 0 when there is none. */
  readonly ndevIfindex: number;
}

/**
 * A GID that is given as one, or as text. `what` names it in the error.
 *
 * @internal
 */
export function toGid(verb: string, what: string, value: unknown): Gid {
  const gid = typeof value === 'string' ? gidOf(value) : value;
  if (gid instanceof Gid) return gid;
  throw invalid(verb, `${what} is ${show(value)}, not a GID`, NOTATION, { what });
}

function gidOf(text: string): Gid | undefined {
  const groups = parseIpv6(IPV4.test(text) ? `::ffff:${text}` : text);
  if (groups === undefined) return undefined;
  const bytes = new Uint8Array(GID_BYTES);
  groups.forEach((group, i) => {
    bytes[2 * i] = group >>> 8;
    bytes[2 * i + 1] = group & 0xff;
  });
  return new Gid(bytes);
}

function parseIpv6(text: string): number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => (half === '' ? [] : parseGroups(half)));
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  if (tail === undefined) return head.length === 8 ? head : undefined;
  const gap = 8 - head.length - tail.length;
  return gap < 1 ? undefined : [...head, ...new Array<number>(gap).fill(0), ...tail];
}

function parseGroups(text: string): number[] | undefined {
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    const ipv4 = part.includes('.') ? IPV4.exec(part)?.slice(1).map(Number) : undefined;
    if (ipv4 !== undefined && i === parts.length - 1 && ipv4.every((byte) => byte <= 255)) {
      groups.push((ipv4[0] << 8) | ipv4[1], (ipv4[2] << 8) | ipv4[3]);
    } else if (GROUP.test(part)) {
      groups.push(parseInt(part, 16));
    } else {
      return undefined;
    }
  }
  return groups;
}
