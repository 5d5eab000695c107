/** Bringing QPs up, step by step, with attributes that a test can change one at a time. */
import { QpState, QpType, type QpAttrInit, type QueuePair } from '@openverbs/verbs';
import { ACCESS_ALL } from './side.ts';

/** Attributes of a connection that tests vary. */
export type ConnectionOverrides = Partial<
  Pick<
    QpAttrInit,
    | 'qpAccessFlags'
    | 'pathMtu'
    | 'destQpNum'
    | 'rqPsn'
    | 'sqPsn'
    | 'maxDestRdAtomic'
    | 'minRnrTimer'
    | 'timeout'
    | 'retryCnt'
    | 'rnrRetry'
    | 'maxRdAtomic'
  >
>;

/**
 * Overrides for tests in which no answer will come: 4.096 us * 2^8, about a millisecond, and one retry. Only for those: on a
 * busy machine such a timeout also strikes a peer that is merely slow.
 */
export const IMPATIENT: ConnectionOverrides = { timeout: 8, retryCnt: 1, rnrRetry: 1, minRnrTimer: 1 };

/** RDMA reads and atomics that a QP has outstanding, where the device allows as many. */
const RD_ATOMIC = 4;

/** Attributes that take a QP from RESET to INIT: exactly the required ones. */
export function initAttr(overrides: ConnectionOverrides = {}): QpAttrInit {
  const { qpAccessFlags = ACCESS_ALL } = overrides;
  return { qpState: QpState.INIT, pkeyIndex: 0, portNum: 1, qpAccessFlags };
}

/** Attributes that take an RC or UC QP from INIT to RTR: exactly the required ones. */
export function rtrAttr(qp: QueuePair, remote: QueuePair, overrides: ConnectionOverrides = {}): QpAttrInit {
  const local = qp.endpoint();
  const peer = remote.endpoint();
  return {
    qpState: QpState.RTR,
    ahAttr: { isGlobal: true, grh: { dgid: peer.gid, sgidIndex: local.gidIndex }, dlid: peer.lid, portNum: 1 },
    pathMtu: overrides.pathMtu ?? local.mtu,
    destQpNum: overrides.destQpNum ?? peer.qpNum,
    rqPsn: overrides.rqPsn ?? 0x123456,
    ...(qp.qpType === QpType.RC ? responderAttr(qp, overrides) : {}),
  };
}

/** What a responder that answers needs beside. */
function responderAttr({ context }: QueuePair, overrides: ConnectionOverrides): QpAttrInit {
  return {
    maxDestRdAtomic: overrides.maxDestRdAtomic ?? Math.min(RD_ATOMIC, context.queryDevice().maxQpRdAtom),
    minRnrTimer: overrides.minRnrTimer ?? 1,
  };
}

/** Attributes that take an RC or UC QP from RTR to RTS: exactly the required ones. */
export function rtsAttr(qp: QueuePair, overrides: ConnectionOverrides = {}, qpType: QpType = qp.qpType): QpAttrInit {
  const attr = { qpState: QpState.RTS, sqPsn: overrides.sqPsn ?? 0x123456 };
  if (qpType !== QpType.RC) return attr;
  return {
    ...attr,
    timeout: overrides.timeout ?? 14,
    retryCnt: overrides.retryCnt ?? 7,
    rnrRetry: overrides.rnrRetry ?? 7,
    maxRdAtomic: overrides.maxRdAtomic ?? Math.min(RD_ATOMIC, qp.context.queryDevice().maxQpInitRdAtom),
  };
}

/** Brings a QP from RESET to `state`, with `remote` as its peer. */
export function bringTo(state: QpState, qp: QueuePair, remote: QueuePair, overrides: ConnectionOverrides = {}): void {
  if (state === QpState.RESET) return;
  if (state === QpState.ERR) {
    bringTo(QpState.RTS, qp, remote, overrides);
    qp.modify({ qpState: QpState.ERR });
    return;
  }
  qp.modify(initAttr(overrides));
  if (state === QpState.INIT) return;
  qp.modify(rtrAttr(qp, remote, overrides));
  if (state === QpState.RTR) return;
  qp.modify(rtsAttr(qp, overrides));
  if (state === QpState.SQD) qp.modify({ qpState: QpState.SQD });
}

/** Connects two QPs with each other; both are in RTS afterwards. */
export function connect(
  a: QueuePair,
  b: QueuePair,
  overridesOfA: ConnectionOverrides = {},
  overridesOfB: ConnectionOverrides = overridesOfA,
): void {
  // Both can receive before either can send.
  bringTo(QpState.RTR, a, b, overridesOfA);
  bringTo(QpState.RTR, b, a, overridesOfB);
  a.modify(rtsAttr(a, overridesOfA));
  b.modify(rtsAttr(b, overridesOfB));
}
