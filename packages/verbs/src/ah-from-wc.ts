/**
 * The way back to the sender of a datagram, from its completion and the 40 bytes in front of it.
 *
 * Source: rdma-core libibverbs/verbs.c, `ibv_init_ah_from_wc`; RFC 8200 and RFC 791 for the two headers.
 */
import type { AhAttrInit } from './attributes/address.ts';
import { checkInstance, checkInteger } from './check.ts';
import type { Context } from './context.ts';
import { GidType } from './enums/gid-type.ts';
import { WcFlags } from './enums/wc.ts';
import { invalid } from './errors.ts';
import { Gid } from './gid.ts';
import { checkObject } from './literal-keys.ts';
import type { WorkCompletion } from './work-completion.ts';

/** Bytes of the GRH area, with which the receive of a datagram begins. */
export const GRH_BYTES = 40;

/** Where the IPv4 header is in it. */
const IPV4_AT = 20;
const IPV4_BYTES = 20;
const NEXT_HEADER_UDP = 17;
const NEXT_HEADER_GRH = 0x1b;

type Completion = Pick<WorkCompletion, 'wcFlags' | 'slid' | 'sl' | 'dlidPathBits'>;
type Route = Required<NonNullable<AhAttrInit['grh']>>;

/** See `Context.initAhFromWc`. */
export function initAhFromWc(
  verb: string,
  context: Context,
  portNum: number,
  wc: Completion,
  grh: Uint8Array,
): AhAttrInit {
  checkInteger(verb, 'portNum', portNum, 1, context.queryDevice().physPortCnt, 'ports of the device');
  checkObject(verb, 'wc', wc, 'give the completion of a receive');
  const path = { dlid: wc.slid, sl: wc.sl, srcPathBits: wc.dlidPathBits, portNum };
  if ((wc.wcFlags & WcFlags.GRH) === 0) return { ...path, isGlobal: false };
  checkInstance(verb, 'grh', grh, Uint8Array);
  if (grh.length < GRH_BYTES) {
    const hint = 'give the receive buffer from its first byte on';
    throw invalid(verb, `grh has ${grh.length} bytes, not ${GRH_BYTES}`, hint, { length: grh.length });
  }
  const version = ipVersion(grh);
  if (version !== 4 && version !== 6) throw invalid(verb, `the GRH area holds no IP header, but version ${version}`);
  const route = version === 4 ? routeOfIpv4(verb, context, portNum, grh) : routeOfIpv6(verb, context, portNum, grh);
  return { ...path, isGlobal: true, grh: route };
}

/** What the bytes that mean nothing in front of an IPv4 header look like is chance: they may say 6, but then the checksum tells. */
function ipVersion(grh: Uint8Array): number {
  const version = grh[0] >>> 4;
  const isIpv4 = grh[IPV4_AT] >>> 4 === 4;
  if (version !== 6) return isIpv4 ? 4 : version;
  return isIpv4 && (grh[IPV4_AT] & 0xf) === IPV4_BYTES / 4 && sumsUp(grh) ? 4 : 6;
}

/** Whether the one's complement sum of the IPv4 header, its checksum included, is all ones. */
function sumsUp(grh: Uint8Array): boolean {
  let sum = 0;
  for (let at = IPV4_AT; at < IPV4_AT + IPV4_BYTES; at += 2) sum += (grh[at] << 8) | grh[at + 1];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum === 0xffff;
}

function routeOfIpv4(verb: string, context: Context, portNum: number, grh: Uint8Array): Route {
  const mapped = (at: number): Gid => Gid.parse(grh.subarray(at, at + 4).join('.'));
  return {
    dgid: mapped(IPV4_AT + 12),
    sgidIndex: findGid(verb, context, portNum, mapped(IPV4_AT + 16), GidType.ROCE_V2),
    flowLabel: 0,
    hopLimit: grh[IPV4_AT + 8],
    trafficClass: grh[IPV4_AT + 1],
  };
}

function routeOfIpv6(verb: string, context: Context, portNum: number, grh: Uint8Array): Route {
  const nextHeader = grh[6];
  if (nextHeader !== NEXT_HEADER_UDP && nextHeader !== NEXT_HEADER_GRH) {
    throw invalid(verb, `the IPv6 header is followed by protocol ${nextHeader}, which is no RDMA`);
  }
  const word = new DataView(grh.buffer, grh.byteOffset).getUint32(0);
  const type = nextHeader === NEXT_HEADER_UDP ? GidType.ROCE_V2 : null;
  return {
    dgid: new Gid(grh.subarray(8, 24)),
    sgidIndex: findGid(verb, context, portNum, new Gid(grh.subarray(24, 40)), type),
    flowLabel: word & 0xfffff,
    hopLimit: grh[7],
    trafficClass: (word >>> 20) & 0xff,
  };
}

/** Index of the entry with this GID; of RoCE v2, or with null of any other protocol. */
function findGid(verb: string, context: Context, portNum: number, gid: Gid, type: GidType | null): number {
  if (gid.isMulticast) {
    const hint = 'an answer to a multicast datagram needs a source of your own: make the AhAttr by hand';
    throw invalid(verb, `the datagram went to the multicast group ${gid.toString()}`, hint);
  }
  const { gidTblLen } = context.queryPort(portNum);
  for (let index = 0; index < gidTblLen; index++) {
    const entry = context.queryGidEntry(portNum, index);
    const isOfType = type === null ? entry.gidType !== GidType.ROCE_V2 : entry.gidType === type;
    if (isOfType && entry.gid.equals(gid)) return index;
  }
  throw invalid(verb, `port ${portNum} has no GID ${gid.toString()}, to which the datagram went`);
}
