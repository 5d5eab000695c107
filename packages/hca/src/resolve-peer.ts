/** Finds the other end of a connection through the link, so that a message needs no look-up. */
import { deviceOf, portId, portOf } from '@openverbs/netdev';
import type { Engine } from './engine.ts';
import type { Hca } from './hca.ts';
import { HcaHeader, HcaState, Qpc } from './layout.ts';
import { QPS_MAX } from './limits.ts';
import type { AddressVector } from './modify-qp.ts';
import { setTransportAddress } from './packets/transport-context.ts';

const { AV_DGID, AV_FLOW_LABEL, AV_GRH, AV_LID, AV_PORT } = Qpc;

/**
 * Writes where the QP at `q` is and where its address vector leads: nowhere, when no port has the address, or a port or a device on
 * the way is down. Also called for every QP when that changes.
 */
export function resolvePeer(engine: Engine, hca: Hca, q: number): void {
  const { i32 } = engine.machine;
  const port = i32[q + Qpc.PORT];
  const sgidIndex = i32[q + Qpc.AV_GRH] & 0xff;
  if (i32[q + Qpc.TRANSPORT] !== 0) setTransportAddress(i32, q, new Int32Array(hca.gid(port, sgidIndex).buffer));
  i32[q + Qpc.LOCAL_PORT_ID] = portId(hca.index, port, sgidIndex);
  const remote = engine.link.lookupAddress(i32.subarray(q + Qpc.AV_DGID, q + Qpc.AV_DGID + 4));
  i32[q + Qpc.REMOTE_PORT_ID] = remote;
  i32[q + Qpc.ROUTE_OUT] = route(i32[q + Qpc.LOCAL_PORT_ID], remote);
  i32[q + Qpc.ROUTE_IN] = route(remote, i32[q + Qpc.LOCAL_PORT_ID]);
  const reachable =
    remote >= 0 &&
    isPortUp(i32, hca.header, port) &&
    isPortUp(i32, engine.hcas[deviceOf(remote)].header, portOf(remote));
  i32[q + Qpc.PEER] = reachable ? peerContext(engine, deviceOf(remote), i32[q + Qpc.DEST_QPN]) : 0;
}

/**
 * A path between two port identities, either of which may be negative for nobody, in one word: a message asks by one comparison whether
 * it came from where its receiver is connected to.
 */
export function route(from: number, to: number): number {
  return (pack(from) << 16) | pack(to);
}

/** A port identity in 16 bits: 4 for the GID, 4 for the HCA, 8 for the port. Nobody has port 255. */
function pack(id: number): number {
  return ((id >>> 4) & 0xf000) | (id & 0xfff);
}

/** Whether a port of the HCA whose header is at `header` carries messages: it is up, and so is its device. */
export function isPortUp(i32: Int32Array, header: number, port: number): boolean {
  return (
    i32[header + HcaHeader.STATE] === HcaState.UP && (i32[header + HcaHeader.PORTS_DOWN] & (1 << (port - 1))) === 0
  );
}

/** Writes an address vector into the eight words from `at` on, packed as `Qpc.AV_DGID` and what follows it are. */
export function packAddressVector(engine: Engine, at: number, av: AddressVector): void {
  const { i32, u8 } = engine.machine;
  u8.set(av.dgid ?? new Uint8Array(16), at * 4);
  i32[at + AV_FLOW_LABEL - AV_DGID] = av.flowLabel;
  i32[at + AV_GRH - AV_DGID] =
    av.sgidIndex | (av.hopLimit << 8) | (av.trafficClass << 16) | (av.dgid === null ? 0 : 1 << 24);
  i32[at + AV_LID - AV_DGID] = av.dlid | (av.sl << 16) | (av.srcPathBits << 24);
  i32[at + AV_PORT - AV_DGID] = av.staticRate | (av.portNum << 8);
}

function peerContext(engine: Engine, hcaIndex: number, qpn: number): number {
  return engine.hcas[hcaIndex].qpTable + (qpn & (QPS_MAX - 1)) * Qpc.WORDS;
}
