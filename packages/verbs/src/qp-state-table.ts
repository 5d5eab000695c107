/**
 * The QP state table: which transitions a modify can make, and which attributes each needs and allows. `docs/qp-states.md` shows it.
 *
 * Source: IBTA vol. 1, 11.2.5.2 (Modify Queue Pair) and the table of Linux's `ib_modify_qp_is_ok`; `ibv_modify_qp`(3) lists
 * the required ones. RESET to ERR, which Linux once allowed, is not a transition.
 */
import { QpAttrMask, QpState, QpType } from './enums/qp.ts';

/** Types of the table: those of applications, and the kernel's two for management. */
export const QpTableType = {
  /** Subnet management, QP0; kernel only. */
  SMI: 0,
  /** General services, QP1; kernel only. */
  GSI: 1,
  /** Reliable connection. */
  RC: QpType.RC,
  /** Unreliable connection. */
  UC: QpType.UC,
  /** Unreliable datagram. */
  UD: QpType.UD,
  /** Ethernet frames. */
  RAW_PACKET: QpType.RAW_PACKET,
  /** XRC, the sending half (initiator). */
  XRC_SEND: QpType.XRC_SEND,
  /** XRC, the receiving half (target). */
  XRC_RECV: QpType.XRC_RECV,
} as const;

/** One of {@link QpTableType}. */
export type QpTableType = (typeof QpTableType)[keyof typeof QpTableType];

/** What a transition needs and allows, as `QpAttrMask` bits. `STATE` is always allowed and stands in neither. */
export interface QpTransition {
  /** Attributes that have to be given. */
  readonly required: number;
  /** Attributes that may be given. */
  readonly optional: number;
}

/** Rows of the table: for some types, what a transition needs and allows. Types without an entry need and allow nothing. */
interface Row {
  readonly from: QpState;
  readonly to: QpState;
  readonly entries: readonly (readonly [types: readonly QpTableType[], required: number, optional: number])[];
}

const { RC, UC, RAW_PACKET, XRC_SEND, XRC_RECV } = QpTableType;
const DATAGRAMS = [QpTableType.UD, QpTableType.SMI, QpTableType.GSI];
const MANAGEMENT = [QpTableType.SMI, QpTableType.GSI];
const CONNECTED = [RC, UC, XRC_SEND, XRC_RECV];
const ALL_BUT_RAW = [...DATAGRAMS, ...CONNECTED];

const { RESET, INIT, RTR, RTS, SQD, SQE, ERR } = QpState;
const { CUR_STATE, EN_SQD_ASYNC_NOTIFY, ACCESS_FLAGS, PKEY_INDEX, PORT, QKEY, AV, PATH_MTU, TIMEOUT } = QpAttrMask;
const { RETRY_CNT, RNR_RETRY, RQ_PSN, MAX_QP_RD_ATOMIC, ALT_PATH, MIN_RNR_TIMER, SQ_PSN } = QpAttrMask;
const { MAX_DEST_RD_ATOMIC, PATH_MIG_STATE, DEST_QPN, RATE_LIMIT } = QpAttrMask;

const PATH = AV | PATH_MTU | DEST_QPN | RQ_PSN;
const RESPONDER = MAX_DEST_RD_ATOMIC | MIN_RNR_TIMER;
const REQUESTER = TIMEOUT | RETRY_CNT | RNR_RETRY | SQ_PSN | MAX_QP_RD_ATOMIC;
const RUNNING = CUR_STATE | ALT_PATH | ACCESS_FLAGS | PATH_MIG_STATE;
const DRAINED_UC = AV | ALT_PATH | ACCESS_FLAGS | PKEY_INDEX | PATH_MIG_STATE;
const DRAINED_XRC_SEND = DRAINED_UC | PORT | TIMEOUT | RETRY_CNT | RNR_RETRY | MAX_QP_RD_ATOMIC;

/** What may change on the way to RTS, and in it. */
const TO_RTS: Row['entries'] = [
  [DATAGRAMS, 0, CUR_STATE | QKEY],
  [[UC, XRC_SEND], 0, RUNNING],
  [[RC, XRC_RECV], 0, RUNNING | MIN_RNR_TIMER],
];

const ROWS: readonly Row[] = [
  {
    from: RESET,
    to: INIT,
    entries: [
      [[QpTableType.UD], PKEY_INDEX | PORT | QKEY, 0],
      [MANAGEMENT, PKEY_INDEX | QKEY, 0],
      [CONNECTED, PKEY_INDEX | PORT | ACCESS_FLAGS, 0],
      [[RAW_PACKET], PORT, 0],
    ],
  },
  {
    from: INIT,
    to: INIT,
    entries: [
      [[QpTableType.UD], 0, PKEY_INDEX | PORT | QKEY],
      [MANAGEMENT, 0, PKEY_INDEX | QKEY],
      [CONNECTED, 0, PKEY_INDEX | PORT | ACCESS_FLAGS],
    ],
  },
  {
    from: INIT,
    to: RTR,
    entries: [
      [DATAGRAMS, 0, PKEY_INDEX | QKEY],
      [[UC, XRC_SEND], PATH, ALT_PATH | ACCESS_FLAGS | PKEY_INDEX],
      [[RC, XRC_RECV], PATH | RESPONDER, ALT_PATH | ACCESS_FLAGS | PKEY_INDEX],
    ],
  },
  {
    from: RTR,
    to: RTS,
    entries: [
      [DATAGRAMS, SQ_PSN, CUR_STATE | QKEY],
      [[UC], SQ_PSN, RUNNING],
      [[XRC_SEND], REQUESTER, RUNNING],
      [[RC], REQUESTER, RUNNING | MIN_RNR_TIMER],
      [[XRC_RECV], TIMEOUT | SQ_PSN, RUNNING | MIN_RNR_TIMER],
      [[RAW_PACKET], 0, RATE_LIMIT],
    ],
  },
  { from: RTS, to: RTS, entries: [...TO_RTS, [[RAW_PACKET], 0, RATE_LIMIT]] },
  { from: RTS, to: SQD, entries: [[ALL_BUT_RAW, 0, EN_SQD_ASYNC_NOTIFY]] },
  { from: SQD, to: RTS, entries: TO_RTS },
  {
    from: SQD,
    to: SQD,
    entries: [
      [DATAGRAMS, 0, PKEY_INDEX | QKEY],
      [[UC], 0, DRAINED_UC],
      [[XRC_SEND], 0, DRAINED_XRC_SEND],
      [[RC], 0, DRAINED_XRC_SEND | RESPONDER],
      [[XRC_RECV], 0, DRAINED_UC | PORT | TIMEOUT | RESPONDER],
    ],
  },
  // The device goes to SQE by itself, when a send of an unreliable QP fails; a modify leads out again.
  {
    from: SQE,
    to: RTS,
    entries: [
      [DATAGRAMS, 0, CUR_STATE | QKEY],
      [[UC], 0, CUR_STATE | ACCESS_FLAGS],
    ],
  },
  // Giving up is possible from everywhere.
  ...[RESET, INIT, RTR, RTS, SQD, SQE, ERR].map((from) => ({ from, to: RESET, entries: [] })),
  ...[INIT, RTR, RTS, SQD, SQE, ERR].map((from) => ({ from, to: ERR, entries: [] })),
];

/** States in which `curQpState` may say that the QP is. */
const CUR_STATES: readonly number[] = [RTR, RTS, SQD, SQE];

/** What the transition of a QP of `type` needs and allows; undefined when there is no such transition. */
export function qpTransition(type: number, from: number, to: number): QpTransition | undefined {
  const row = ROWS.find((candidate) => candidate.from === from && candidate.to === to);
  if (row === undefined) return undefined;
  const entry = row.entries.find(([types]) => (types as readonly number[]).includes(type));
  return { required: entry?.[1] ?? 0, optional: entry?.[2] ?? 0 };
}

/** States that a modify can lead to from `from`, in the order of their numbers. */
export function qpStatesAfter(from: number): QpState[] {
  return Object.values(QpState).filter((to) => ROWS.some((row) => row.from === from && row.to === to));
}

/** What is wrong with a modify. */
export interface QpModifyFault {
  /** Whether there is such a transition at all. */
  readonly possible: boolean;
  /** `QpAttrMask` bits that it needs and has not. */
  readonly missing: number;
  /** `QpAttrMask` bits that it has and must not have. */
  readonly superfluous: number;
}

/** Holds a modify against the table, as Linux's `ib_modify_qp_is_ok` does; undefined when all is well. */
export function qpModifyFault(type: number, from: number, to: number, mask: number): QpModifyFault | undefined {
  const transition = qpTransition(type, from, to);
  if (transition === undefined) return { possible: false, missing: 0, superfluous: 0 };
  const { required, optional } = transition;
  let superfluous = mask & ~(required | optional | QpAttrMask.STATE);
  if ((mask & CUR_STATE) !== 0 && !CUR_STATES.includes(from)) superfluous |= CUR_STATE;
  const missing = required & ~mask;
  return missing === 0 && superfluous === 0 ? undefined : { possible: true, missing, superfluous };
}
