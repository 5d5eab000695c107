/** The usual way to connect: what the peer has to know, and the three modifies with everyday values. */
import type { PortAttr } from './attributes/device.ts';
import type { AhAttrInit, QpAttrInit, QpEndpoint } from './attributes/qp.ts';
import { HOP_LIMIT_DEFAULT } from './check-ah.ts';
import type { Context } from './context.ts';
import { AccessFlags } from './enums/access-flags.ts';
import { GidType } from './enums/gid-type.ts';
import { LinkLayer } from './enums/port.ts';
import { QpState } from './enums/qp.ts';
import { Gid, toGid } from './gid.ts';
import { checkLiteral, checkObject, literalKeys } from './literal-keys.ts';
import { QP_ATTR_RULES } from './qp-attr-rules.ts';
import { qpTransition } from './qp-state-table.ts';
import type { QueuePair } from './queue-pair.ts';

/** Which address `qp.endpoint` tells. @internal */
export interface EndpointOptions {
  /** The port, from 1. */
  readonly port?: number;
  /** Which entry of its GID table. */
  readonly gidIndex?: number;
}

/** How `qp.toInit` goes to INIT. */
export interface QpInitOptions {
  /** The port, from 1. */
  readonly port?: number;
  /** Which entry of the P_Key table. */
  readonly pkeyIndex?: number;
  /** RC, UC: what the peer may do, `AccessFlags` bits. */
  readonly accessFlags?: number;
  /** UD: the Q_Key that incoming datagrams need. */
  readonly qkey?: number;
}

const VERB = 'ibv_modify_qp';
const INIT_KEYS = literalKeys<QpInitOptions>({ port: true, pkeyIndex: true, accessFlags: true, qkey: true });
const ENDPOINT_KEYS = literalKeys<EndpointOptions>({ port: true, gidIndex: true });
const ACCESS_DEFAULT =
  AccessFlags.LOCAL_WRITE | AccessFlags.REMOTE_WRITE | AccessFlags.REMOTE_READ | AccessFlags.REMOTE_ATOMIC;
const QKEY_DEFAULT = 0x11111111;
/** Code of 0.64 ms: how long a peer waits before it sends again to an end that has no receive. */
const MIN_RNR_TIMER = 12;
/** 4.096 us * 2^14 = 67 ms. */
const TIMEOUT = 14;
const RETRY_CNT = 7;
const RNR_RETRY = 7;
const RD_ATOMIC_MAX = 16;

/** What this module remembers of a QP. */
interface Local {
  readonly psn: number;
  gidIndex: number;
}

const locals = new WeakMap<QueuePair, Local>();

/** See `QueuePair.endpoint`. */
export function makeEndpoint(qp: QueuePair, options: EndpointOptions): QpEndpoint {
  checkLiteral('ibv_query_gid', 'options', options, ENDPOINT_KEYS);
  const { context } = qp;
  const { port = qp.portNum } = options;
  const { lid, activeMtu: mtu, gidTblLen } = context.queryPort(port);
  const local = localOf(qp, port, gidTblLen);
  local.gidIndex = options.gidIndex ?? local.gidIndex;
  const gid = gidTblLen === 0 ? new Gid() : context.queryGid(port, local.gidIndex);
  return { qpNum: qp.qpNum, psn: local.psn, gid: gid.toString(), lid, mtu, port, gidIndex: local.gidIndex };
}

/** See `QueuePair.toInit`. */
export function bringToInit(qp: QueuePair, options: QpInitOptions): void {
  checkLiteral(VERB, 'options', options, INIT_KEYS);
  const { port = 1, pkeyIndex = 0, accessFlags = ACCESS_DEFAULT, qkey = QKEY_DEFAULT } = options;
  modifyTo(qp, QpState.INIT, { portNum: port, pkeyIndex, qpAccessFlags: accessFlags, qkey }, {});
}

/** See `QueuePair.toRtr`. */
export function bringToRtr(qp: QueuePair, remote: QpEndpoint, overrides: QpAttrInit): void {
  qp.assertLive(VERB);
  checkObject(VERB, 'remote', remote, 'give what endpoint() of the peer returned');
  checkObject(VERB, 'overrides', overrides, 'give attributes');
  const { context, portNum } = qp;
  const port = context.queryPort(portNum);
  const attr: QpAttrInit = {
    ahAttr: addressOf(qp, remote, port),
    pathMtu: remote.mtu < port.activeMtu ? remote.mtu : port.activeMtu,
    destQpNum: remote.qpNum,
    rqPsn: remote.psn,
    maxDestRdAtomic: Math.min(RD_ATOMIC_MAX, context.queryDevice().maxQpRdAtom),
    minRnrTimer: MIN_RNR_TIMER,
  };
  modifyTo(qp, QpState.RTR, attr, overrides);
}

/** See `QueuePair.toRts`. */
export function bringToRts(qp: QueuePair, remote: QpEndpoint | undefined, overrides: QpAttrInit): void {
  qp.assertLive(VERB);
  if (remote !== undefined) checkObject(VERB, 'remote', remote, 'give what endpoint() of the peer returned');
  checkObject(VERB, 'overrides', overrides, 'give attributes');
  if (remote !== undefined && qp.state === QpState.RESET) bringToInit(qp, {});
  if (remote !== undefined && qp.state === QpState.INIT) bringToRtr(qp, remote, {});
  const { context, portNum } = qp;
  const attr: QpAttrInit = {
    timeout: TIMEOUT,
    retryCnt: RETRY_CNT,
    rnrRetry: RNR_RETRY,
    sqPsn: localOf(qp, portNum, context.queryPort(portNum).gidTblLen).psn,
    maxRdAtomic: Math.min(RD_ATOMIC_MAX, context.queryDevice().maxQpInitRdAtom),
  };
  modifyTo(qp, QpState.RTS, attr, overrides);
}

/** Modifies with those of `values` that the transition needs, and all of `overrides`. */
function modifyTo(qp: QueuePair, to: QpState, values: QpAttrInit, overrides: QpAttrInit): void {
  const required = qpTransition(qp.qpType, qp.state, to)?.required ?? 0;
  const needed: Record<string, unknown> = {};
  for (const { key, mask } of QP_ATTR_RULES) if ((required & mask) !== 0) needed[key] = values[key];
  qp.modify({ ...needed, ...overrides, qpState: to });
}

function addressOf(qp: QueuePair, remote: QpEndpoint, port: PortAttr): AhAttrInit {
  const { portNum } = qp;
  const local = { dlid: remote.lid, portNum };
  // Within an InfiniBand subnet the LID is enough. RoCE has none: there the GID is the address.
  if (port.linkLayer !== LinkLayer.ETHERNET && remote.lid !== 0) return local;
  const { gidIndex } = localOf(qp, portNum, port.gidTblLen);
  return {
    ...local,
    grh: { dgid: toGid(VERB, 'remote.gid', remote.gid), sgidIndex: gidIndex, hopLimit: HOP_LIMIT_DEFAULT },
  };
}

function localOf(qp: QueuePair, port: number, gidTblLen: number): Local {
  let local = locals.get(qp);
  if (local === undefined) {
    local = { psn: firstPsn(qp), gidIndex: defaultGidIndex(qp.context, port, gidTblLen) };
    locals.set(qp, local);
  }
  return local;
}

/**
 * A first sequence number that differs from QP to QP, also of the same number, so that a late packet for an earlier one is not
 * taken for one of this; and that is the same when a run is replayed.
 */
function firstPsn(qp: QueuePair): number {
  const mixed = Math.imul(qp.qpNum ^ Math.imul(qp.context.nextEndpoint() + 1, 0x9e3779b1), 0x85ebca6b);
  return (mixed ^ (mixed >>> 13)) & 0xffffff;
}

/** The first RoCE v2 address of a port, which routers can route; of InfiniBand the first one. */
function defaultGidIndex(context: Context, port: number, gidTblLen: number): number {
  for (let index = 0; index < gidTblLen; index++) {
    const { gid, gidType } = context.queryGidEntry(port, index);
    if (gidType === GidType.ROCE_V2 && !gid.isZero) return index;
  }
  return 0;
}
