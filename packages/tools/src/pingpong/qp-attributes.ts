/** What each transition of a ping-pong's queue pair needs, by its type. Source: `ibv_modify_qp`(3). */
import { type AhAttrInit, type QpAttrInit, QpState, QpType } from '@openverbs/verbs';
import { type PingPongOptions, pathMtuOf } from './options.ts';

/** The Q_Key of the datagrams, as in ud_pingpong.c. */
export const QKEY = 0x1111_1111;

/** Where a queue pair leads, and from which packet on. */
export interface PathAttributes {
  /** The queue pair at the other end. */
  readonly qpn: number;
  /** The first PSN of the other end. */
  readonly psn: number;
  readonly path: AhAttrInit;
}

/** Types that answer requests: how many reads they serve, and how long a sender has to wait for a receive. */
const RESPONDERS: readonly QpType[] = [QpType.RC, QpType.XRC_RECV];
/** Types that send again what was not acknowledged. */
const REQUESTERS: readonly QpType[] = [QpType.RC, QpType.XRC_SEND];

/** From RESET to INIT. */
export function initAttr(qpType: QpType, { port }: PingPongOptions): QpAttrInit {
  const common = { qpState: QpState.INIT, pkeyIndex: 0, portNum: port };
  return qpType === QpType.UD ? { ...common, qkey: QKEY } : { ...common, qpAccessFlags: 0 };
}

/** From INIT to RTR. */
export function rtrAttr(qpType: QpType, options: PingPongOptions, { qpn, psn, path }: PathAttributes): QpAttrInit {
  if (qpType === QpType.UD) return { qpState: QpState.RTR };
  return {
    qpState: QpState.RTR,
    pathMtu: pathMtuOf(options),
    destQpNum: qpn,
    rqPsn: psn,
    ahAttr: path,
    ...(RESPONDERS.includes(qpType) && { maxDestRdAtomic: 1, minRnrTimer: 12 }),
  };
}

/** From RTR to RTS. */
export function rtsAttr(qpType: QpType, sqPsn: number): QpAttrInit {
  return {
    qpState: QpState.RTS,
    sqPsn,
    ...(REQUESTERS.includes(qpType) && { timeout: 14, retryCnt: 7, rnrRetry: 7, maxRdAtomic: 1 }),
  };
}
