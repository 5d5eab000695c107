/**
 * Where packets become frames and frames packets: UDP and IP around them, the ICRC behind, the payload copied once.
 *
 * The link is given frames from the IP header on.
 */
import type { Machine } from '@openverbs/machine';
import { portId } from '@openverbs/netdev';
import type { FaultInjector, FrameQueue } from '@openverbs/netdev';
import {
  checkIcrc,
  decodeHeaders,
  decodeUdpIp,
  encodeHeaders,
  encodeUdpIp,
  ICRC_BYTES,
  icrcOffset,
  IPV4_HEADER_BYTES,
  IPV6_HEADER_BYTES,
  Packet,
  storeIcrc,
  UDP_HEADER_BYTES,
  udpSourcePort,
  UdpIp,
} from '@openverbs/rocev2';
import type { DmaEngine } from '../dma-engine.ts';
import { Ah, HcaHeader, MigState, Qpc } from '../layout.ts';
import type { ScatterList } from '../scatter-list.ts';
import { Qpt } from './layout.ts';

const HOP_LIMIT = 64;
/** Third word of an IPv4-mapped GID, in memory order. */
const IPV4_MAPPED = 0xffff0000 | 0;

export class FramePort {
  /** The packet to send: whoever sends fills it. */
  readonly out = new Packet();
  /** The packet that was received last. */
  readonly in = new Packet();
  readonly frames: FrameQueue;
  /** Packets that were sent: whether a visit to a queue came to anything. */
  sent = 0;
  readonly #i32: Int32Array;
  readonly #u8: Uint8Array;
  readonly #dma: DmaEngine;
  readonly #faults: FaultInjector;
  readonly #nowNs: () => number;
  readonly #udpIp = new UdpIp();

  constructor(machine: Machine, dma: DmaEngine, frames: FrameQueue, faults: FaultInjector, nowNs: () => number) {
    this.#i32 = machine.i32;
    this.#u8 = machine.u8;
    this.#dma = dma;
    this.frames = frames;
    this.#faults = faults;
    this.#nowNs = nowNs;
  }

  /**
   * Sends {@link FramePort.out} from the QP at `q` to its peer, with `length` bytes of the list from `offset` on. A frame must be
   * available. The list's places have been checked.
   */
  send(q: number, t: number, list: ScatterList, offset: number, length: number): void {
    const i32 = this.#i32;
    this.#setRoute(q, t);
    this.out.pkey = i32[q + Qpc.SERVICE_PKEY] & 0xffff;
    // MigReq is 1 as long as the path is in the state migrated.
    this.out.migReq = i32[q + Qpc.PATH_MIG_STATE] === MigState.MIGRATED ? 1 : 0;
    this.#send(i32[q + Qpc.LOCAL_PORT_ID], i32[q + Qpc.REMOTE_PORT_ID], list, offset, length);
  }

  /** Sends {@link FramePort.out}, a datagram with the bytes of the list, by the address handle at `ah` to a port. */
  sendTo(q: number, ah: number, destination: number, list: ScatterList): void {
    this.#setRouteOf(ah);
    this.out.pkey = this.#i32[q + Qpc.SERVICE_PKEY] & 0xffff;
    this.out.migReq = 0;
    const source = portId(this.#i32[this.#i32[q + Qpc.HCA] + HcaHeader.INDEX], this.#i32[q + Qpc.PORT]);
    this.#udpIp.sourcePort = udpSourcePort(this.#udpIp.flowLabel, this.out.srcQpn, this.out.destQpn);
    this.#send(source, destination, list, 0, list.length);
  }

  #send(source: number, destination: number, list: ScatterList, offset: number, length: number): void {
    this.sent++;
    if (destination < 0) return; // nobody has the address: it goes nowhere
    const frame = this.frames.alloc();
    const u8 = this.#u8;
    const { out } = this;
    const padCount = -length & 3;
    out.padCount = padCount;
    out.payloadLength = length;
    const ipBytes = this.#udpIp.version === 4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES;
    const bthAt = frame + ipBytes + UDP_HEADER_BYTES;
    const payloadAt = encodeHeaders(u8, bthAt, out);
    if (length !== 0) this.#gather(payloadAt, list, offset, length);
    let end = payloadAt + length;
    for (let pad = 0; pad < padCount; pad++) u8[end++] = 0;
    this.#udpIp.udpLength = end + ICRC_BYTES - frame - ipBytes;
    encodeUdpIp(u8, frame, this.#udpIp);
    storeIcrc(u8, frame, end);
    this.#faults.send(frame, end + ICRC_BYTES - frame, source, destination, this.#nowNs());
  }

  /** Reads a frame into {@link FramePort.in}; false when it is damaged or no packet. Damaged is what the ICRC says, or the lengths. */
  receive(frame: number): boolean {
    const u8 = this.#u8;
    const bthAt = decodeUdpIp(u8, frame, frame + this.frames.length(frame), this.#udpIp);
    if (bthAt < 0) return false;
    const end = icrcOffset(bthAt, this.#udpIp);
    return checkIcrc(u8, frame, end) && decodeHeaders(u8, bthAt, end, this.in) === 0;
  }

  /** Whether the frame that was received last came by IPv4. */
  get isIpv4(): boolean {
    return this.#udpIp.version === 4;
  }

  /** Whether the frame that was received last went to the GID at a word index. */
  isTo(gid: number): boolean {
    const i32 = this.#i32;
    const { destination0, destination1, destination2, destination3 } = this.#udpIp;
    return (
      i32[gid] === destination0 &&
      i32[gid + 1] === destination1 &&
      i32[gid + 2] === destination2 &&
      i32[gid + 3] === destination3
    );
  }

  /** The way of a connected QP. */
  #setRoute(q: number, t: number): void {
    const i32 = this.#i32;
    const udpIp = this.#udpIp;
    udpIp.source0 = i32[t + Qpt.SOURCE_GID];
    udpIp.source1 = i32[t + Qpt.SOURCE_GID + 1];
    udpIp.source2 = i32[t + Qpt.SOURCE_GID + 2];
    udpIp.source3 = i32[t + Qpt.SOURCE_GID + 3];
    udpIp.destination0 = i32[q + Qpc.AV_DGID];
    udpIp.destination1 = i32[q + Qpc.AV_DGID + 1];
    udpIp.destination2 = i32[q + Qpc.AV_DGID + 2];
    udpIp.destination3 = i32[q + Qpc.AV_DGID + 3];
    const grh = i32[q + Qpc.AV_GRH];
    udpIp.trafficClass = (grh >>> 16) & 0xff;
    udpIp.hopLimit = (grh >>> 8) & 0xff || HOP_LIMIT;
    udpIp.flowLabel = i32[q + Qpc.AV_FLOW_LABEL];
    udpIp.sourcePort = i32[t + Qpt.SOURCE_PORT];
    const mapped = isIpv4Mapped(i32, t + Qpt.SOURCE_GID) && isIpv4Mapped(i32, q + Qpc.AV_DGID);
    udpIp.version = mapped ? 4 : 6;
  }

  /** The way of an address handle: its template of the header has all of it, bytes in the order of the wire. */
  #setRouteOf(ah: number): void {
    const i32 = this.#i32;
    const u8 = this.#u8;
    const udpIp = this.#udpIp;
    const grh = ah + Ah.GRH;
    const at = (grh << 2) >>> 0;
    udpIp.version = u8[at] === 0 ? 4 : 6;
    if (udpIp.version === 4) {
      // 20 bytes that mean nothing, then the header: TOS is its second byte, TTL the ninth.
      udpIp.trafficClass = u8[at + 21];
      udpIp.hopLimit = u8[at + 28];
      udpIp.flowLabel = 0;
      udpIp.source0 = udpIp.source1 = udpIp.destination0 = udpIp.destination1 = 0;
      udpIp.source2 = udpIp.destination2 = IPV4_MAPPED;
      udpIp.source3 = i32[grh + 8];
      udpIp.destination3 = i32[grh + 9];
      return;
    }
    udpIp.trafficClass = ((u8[at] & 0xf) << 4) | (u8[at + 1] >>> 4);
    udpIp.flowLabel = ((u8[at + 1] & 0xf) << 16) | (u8[at + 2] << 8) | u8[at + 3];
    udpIp.hopLimit = u8[at + 7];
    udpIp.source0 = i32[grh + 2];
    udpIp.source1 = i32[grh + 3];
    udpIp.source2 = i32[grh + 4];
    udpIp.source3 = i32[grh + 5];
    udpIp.destination0 = i32[grh + 6];
    udpIp.destination1 = i32[grh + 7];
    udpIp.destination2 = i32[grh + 8];
    udpIp.destination3 = i32[grh + 9];
  }

  #gather(to: number, list: ScatterList, offset: number, length: number): void {
    let skip = offset;
    let at = to;
    let left = length;
    for (let n = 0; left !== 0; n++) {
      const bytes = list.bytes[n];
      if (skip >= bytes) {
        skip -= bytes;
        continue;
      }
      const run = Math.min(bytes - skip, left);
      this.#dma.move(0, at | 0, list.mpt[n], (list.address[n] + skip) | 0, run);
      at += run;
      left -= run;
      skip = 0;
    }
  }
}

/** ::ffff:0:0/96 as the GID at a word index, words in memory order. */
function isIpv4Mapped(i32: Int32Array, gid: number): boolean {
  return (i32[gid] | i32[gid + 1]) === 0 && i32[gid + 2] === IPV4_MAPPED;
}
