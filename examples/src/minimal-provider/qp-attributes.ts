/** The attributes of a QP that was just made, and what the codes in them mean. */
import { MigState, Mtu, QpState, type AhAttr, type QpAttr, type QpCap } from '@openverbs/verbs';

const NO_ADDRESS: AhAttr = { dlid: 0, sl: 0, srcPathBits: 0, staticRate: 0, isGlobal: false, portNum: 0 };

/** Every attribute is there; those that were never set are 0. */
export function initialAttr(cap: QpCap): Required<QpAttr> {
  return {
    qpState: QpState.RESET,
    curQpState: QpState.RESET,
    pathMtu: Mtu.MTU_256,
    pathMigState: MigState.MIGRATED,
    qkey: 0,
    rqPsn: 0,
    sqPsn: 0,
    destQpNum: 0,
    qpAccessFlags: 0,
    cap,
    ahAttr: NO_ADDRESS,
    altAhAttr: NO_ADDRESS,
    pkeyIndex: 0,
    altPkeyIndex: 0,
    enSqdAsyncNotify: false,
    sqDraining: false,
    maxRdAtomic: 0,
    maxDestRdAtomic: 0,
    minRnrTimer: 0,
    portNum: 0,
    timeout: 0,
    retryCnt: 0,
    rnrRetry: 0,
    altPortNum: 0,
    altTimeout: 0,
    rateLimit: 0,
  };
}

/** Code n is 4.096 us * 2^n, and 0 for ever (IBTA 9.7.6.1.3). */
export function timeoutNs(code: number): number {
  return code === 0 ? Infinity : 4096 * 2 ** code;
}

/** Code 1 is 10 us, from 2 on each second code doubles and the ones between are half as much again; 0 goes on after 31 (IBTA table 45). */
export function rnrDelayNs(code: number): number {
  if (code === 1) return 10_000;
  const n = code === 0 ? 32 : code;
  return 10_000 * 2 ** (n >> 1) * (n % 2 === 0 ? 1 : 1.5);
}
